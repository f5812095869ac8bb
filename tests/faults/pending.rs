//! What the outbox held, and when.
//!
//! Where the cache could not be told of a write, readers may be shown the old row
//! until the key's row of the outbox is drained. A trigger of the harness's logs
//! when each row came and went, by the database's clock, which is ours.

use crate::{
    engines::Engine,
    history::{Offence, Via, Violation},
    report::{Outage, Report},
    rows::{HotRow, KEYS},
    servers::holds,
    stage::Stage,
};
use cached_orm::{MemcachedOrm as _, Orm};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep};

/// Whether the outbox excuses a read: a row for the key was there while it ran.
pub(crate) async fn excuses<DB: Engine>(
    stage: &Stage<DB>,
    orm: &Orm<DB>,
    violation: &Violation,
) -> sqlx::Result<bool> {
    if !matches!(violation.offence, Offence::Stale | Offence::WentBack) {
        return Ok(false);
    }
    let (began, ended) = (seconds(violation.began), seconds(violation.ended));
    for key in cache_keys(orm, violation) {
        if DB::pending_between(&stage.own_pool, &key, began, ended).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the outbox held for the key of a violation, by the read's own time.
pub(crate) async fn tell<DB: Engine>(
    stage: &Stage<DB>,
    orm: &Orm<DB>,
    violation: &Violation,
) -> String {
    let keys = cache_keys(orm, violation);
    let began = seconds(violation.began);
    let log = DB::outbox_log(&stage.own_pool).await.unwrap_or_default();
    let mut text = String::from("  outbox, latest first, from the beginning of the read:\n");
    for (_, put_at, gone_at) in log.iter().filter(|(of, ..)| keys.contains(of)).rev().take(5) {
        let gone = gone_at.map_or("there still".to_owned(), |at| format!("{:+.4} s", at - began));
        text += &format!("    put {:+.4} s, gone {gone}\n", put_at - began);
    }
    text
}

/// The entries that the read went by: the row's, and the index's.
fn cache_keys<DB: Engine>(orm: &Orm<DB>, violation: &Violation) -> Vec<String> {
    let table = cache_key(orm, violation.key);
    let table = table.split('(').next().unwrap_or_default();
    let entry = violation.via.map(|via| match via {
        Via::Label(label) => format!("{table}label({label})"),
        Via::Bucket(bucket) => format!("{table}bucket({bucket})"),
    });
    entry.into_iter().chain([cache_key(orm, violation.key)]).collect()
}

fn cache_key<DB: Engine>(orm: &Orm<DB>, key: i64) -> String {
    DB::Old::new(key, 0, 0).get_cache_key(orm).as_str().to_owned()
}

fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Waits until the outbox is empty; says how many rows are left if it takes too
/// long.
pub(crate) async fn wait_until_drained<DB: Engine>(orm: &Orm<DB>) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        // Another process's drainer may have the rows in its hands.
        let remaining = orm.drain_outbox().await.map_or(u64::MAX, |drained| drained.remaining);
        if remaining == 0 || Instant::now() > deadline {
            return remaining;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// How long rows waited in the outbox although nothing was in their way.
#[derive(Debug)]
pub(crate) struct Drains {
    /// How many rows there were in all.
    rows: usize,
    /// Sorted.
    waits: Vec<f64>,
}

impl Drains {
    /// Counts from when the row came, or when the key's server and the database
    /// were both as usual again, whichever was later. Rows that went while
    /// something was still wrong don't count.
    pub(crate) async fn read<DB: Engine>(
        stage: &Stage<DB>,
        orm: &Orm<DB>,
        outages: &[Outage],
    ) -> sqlx::Result<Self> {
        let mut servers = Vec::new();
        for key in 0..KEYS {
            let key = cache_key(orm, key);
            for (number, cache) in stage.caches.iter().enumerate() {
                if holds(&cache.memcached.address(), &key).await.unwrap_or(false) {
                    servers.push((key.clone(), number));
                }
            }
        }
        let log = DB::outbox_log(&stage.own_pool).await?;
        let rows = log.len();
        let mut waits: Vec<_> = log
            .into_iter()
            .filter_map(|(key, put_at, gone_at)| {
                let (_, server) = servers.iter().find(|(known, _)| *known == key)?;
                wait_of(*server, put_at, gone_at?, outages)
            })
            .collect();
        waits.sort_by(f64::total_cmp);
        Ok(Self { rows, waits })
    }

    pub(crate) fn add_to(&self, report: &mut Report) {
        report.row("rows in the outbox", self.rows);
        report.row("  of these drained when all was well", self.waits.len());
        report.row("drained after, p50", format!("{:.0} ms", self.quantile(0.5)));
        report.row("drained after, p99", format!("{:.0} ms", self.quantile(0.99)));
        // Of fewer than these the p99 is one row's bad luck. It is a second at most where
        // there is a processor to be had; that one is not must fail nothing.
        if self.waits.len() >= 1000 && self.quantile(0.99) > 10_000.0 {
            report.failures.push("rows wait in the outbox for more than ten seconds".to_owned());
        }
    }

    /// The time below which this part of the waits is, in milliseconds.
    fn quantile(&self, part: f64) -> f64 {
        let index = (self.waits.len() as f64 * part) as usize;
        self.waits.get(index.min(self.waits.len().saturating_sub(1))).map_or(0.0, |wait| wait * 1e3)
    }
}

fn wait_of(server: usize, put_at: f64, gone_at: f64, outages: &[Outage]) -> Option<f64> {
    let mut from = put_at;
    for outage in outages.iter().filter(|outage| outage.server.is_none_or(|out| out == server)) {
        let (began, ended) = (seconds(outage.began), seconds(outage.ended));
        if began <= gone_at && gone_at < ended {
            return None;
        }
        if ended <= gone_at {
            from = from.max(ended);
        }
    }
    Some(gone_at - from)
}
