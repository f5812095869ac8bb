//! How fast hits are when there are more keys, and when there are more servers.

mod copies;
mod fill;
mod keys;
mod servers;

use crate::{
    results::{Results, Series},
    stage::Stage,
};
use benches::{
    Result,
    drive::{Operation, Outcome, Rng, drive},
    item::Item,
};
use cached_orm::{Orm, Postgres};
use rand::RngExt as _;
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};

/// Tasks that read at once.
const TASKS: usize = 64;
/// The same where there is work for every server: commands that wait for one server
/// go out together, and few tasks leave few for each of many.
const MANY_TASKS: usize = 1024;
/// A server that has just started is filled with care: in its first second it cannot
/// be told from the one before it, and its tokens count on one connection only.
const SETTLED: Duration = Duration::from_secs(2);

/// Measures growth in keys and in servers.
///
/// # Errors
/// A server that does not do, a wrong answer, or reads that are no hits.
pub(crate) async fn run(stage: &Stage, results: &mut Results) -> Result<()> {
    keys::run(stage, results).await?;
    servers::run(stage, results).await
}

/// Reads any of so many keys, each as often as the others.
///
/// What each row must be is made anew for each read, at the same cost for every
/// number of keys; kept, it would take more memory than the cache.
struct Uniform {
    orm: Orm<Postgres>,
    keys: u64,
    rows: u64,
}

impl Operation for Uniform {
    async fn once(&self, rng: &mut Rng) -> Result<Outcome> {
        let key = rng.random_range(0..self.keys);
        let id = i64::try_from(key % self.rows)? + 1;
        let row = copies::fetch(&self.orm, key / self.rows, id).await?;
        if row != Some(Item::of(id)) {
            return Err(format!("a wrong row or none for id {id}").into());
        }
        Ok(Outcome::right(1))
    }

    fn loads(&self) -> u64 {
        self.orm.statistics().loads
    }
}

/// An `Orm` that reads as most would, but for its hold-off: these servers are new,
/// and nobody writes, so that there are no fences that they could have lost.
async fn orm(
    pool: &PgPool,
    servers: &[String],
    namespace: &str,
    timeout: Duration,
) -> Result<Orm<Postgres>> {
    Ok(Orm::builder(pool.clone())
        .memcached(servers)
        .namespace(namespace)
        .timeout(timeout)
        .hold_off(Duration::from_millis(2))
        .commit_window(Duration::from_millis(1))
        .drainer(false)
        .build()
        .await?)
}

/// Interleaves the rounds of all sizes.
async fn rounds(
    stage: &Stage,
    results: &mut Results,
    prefix: &str,
    tasks: usize,
    sizes: &[(u64, Arc<Uniform>)],
) -> Result<()> {
    let mut series: Vec<_> = sizes
        .iter()
        .map(|(size, _)| Series {
            workload: format!("{prefix}{size}"),
            contestant: "cached-orm, memcached".to_owned(),
            tasks,
            rounds: Vec::new(),
        })
        .collect();
    // Not measured: connections are dialled, and buffers grow.
    for (_, operation) in sizes {
        drive(operation, tasks, stage.plan.slice / 4, 0).await?;
    }
    for round in 1..=stage.plan.rounds as u64 {
        for ((size, operation), series) in sizes.iter().zip(&mut series) {
            let measured = drive(operation, tasks, stage.plan.slice, round).await?;
            if measured.loads * 1000 > measured.units {
                let (loads, units) = (measured.loads, measured.units);
                return Err(format!(
                    "with {prefix}{size}, {loads} of {units} reads were no hits; does the server evict?"
                )
                .into());
            }
            series.rounds.push(measured);
        }
    }
    results.series.extend(series);
    Ok(())
}
