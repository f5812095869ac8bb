use crate::latency::Latencies;
use cached_orm::{Backend, DatabaseStatus, LoadStatus, Orm, OutboxStatus, Statistics, Status};
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How many seconds of history the page shows.
const HISTORY: usize = 120;

/// What the page shows: the last two minutes, second by second, and how the servers
/// are. It is taken once a second, however many pages are open.
#[derive(Debug, Default)]
pub(crate) struct Live {
    pub(crate) latencies: Latencies,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    seconds: VecDeque<Second>,
    status: Option<Status>,
}

/// What happened in one second.
#[derive(Debug, Clone, Copy, Serialize)]
struct Second {
    reads: u64,
    writes: u64,
    /// Requests that were answered with a status of 5xx.
    failed: u64,
    /// Rows that the cache gave.
    hits: u64,
    /// Rows that the database was asked for, whether the cache was asked before or away.
    loads: u64,
    /// Of reads, if there were any.
    p50_seconds: Option<f64>,
    p99_seconds: Option<f64>,
}

/// What the page is sent.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    database: Option<Up>,
    servers: Vec<Server>,
    outbox: Option<OutboxStatus>,
    loads: Option<LoadStatus>,
    seconds: Vec<Second>,
}

#[derive(Debug, Serialize)]
struct Up {
    system: &'static str,
    is_up: bool,
}

/// Errors are left out: they are in the log, and the page may be seen by anyone.
#[derive(Debug, Serialize)]
struct Server {
    name: String,
    is_up: bool,
    round_trip_seconds: Option<f64>,
    hold_off_seconds: Option<f64>,
}

impl Live {
    /// Looks once a second, for ever.
    pub(crate) async fn watch<DB: Backend>(self: Arc<Self>, orm: Orm<DB>) {
        tokio::join!(self.count(&orm), self.ask(&orm));
    }

    async fn count<DB: Backend>(&self, orm: &Orm<DB>) {
        let mut ticks = every_second();
        let mut before = orm.statistics();
        loop {
            ticks.tick().await;
            let now = orm.statistics();
            self.note(&before, &now);
            before = now;
        }
    }

    fn note(&self, before: &Statistics, now: &Statistics) {
        let taken = self.latencies.take();
        let mut seen = self.seen();
        if seen.seconds.len() == HISTORY {
            seen.seconds.pop_front();
        }
        seen.seconds.push_back(Second {
            reads: taken.reads,
            writes: taken.writes,
            failed: taken.failed,
            hits: now.hits - before.hits,
            loads: now.loads - before.loads,
            p50_seconds: taken.p50.map(|time| time.as_secs_f64()),
            p99_seconds: taken.p99.map(|time| time.as_secs_f64()),
        });
    }

    /// Beside the counting, since a server that hangs lets it wait for seconds.
    async fn ask<DB: Backend>(&self, orm: &Orm<DB>) {
        let mut ticks = every_second();
        loop {
            ticks.tick().await;
            let status = orm.status().await;
            self.seen().status = Some(status);
        }
    }

    pub(crate) fn report(&self) -> Report {
        let seen = self.seen();
        let status = seen.status.as_ref();
        let servers = status.map(|status| status.servers.as_slice()).unwrap_or_default();
        Report {
            database: status.map(
                |Status { database: DatabaseStatus { system, error, .. }, .. }| Up {
                    system,
                    is_up: error.is_none(),
                },
            ),
            servers: servers
                .iter()
                .map(|server| Server {
                    name: server.name.clone(),
                    is_up: server.is_up(),
                    round_trip_seconds: server.round_trip.map(|time| time.as_secs_f64()),
                    hold_off_seconds: server.hold_off.map(|time| time.as_secs_f64()),
                })
                .collect(),
            outbox: status.and_then(|status| status.outbox),
            loads: status.map(|status| status.loads),
            seconds: seen.seconds.iter().copied().collect(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn every_second() -> tokio::time::Interval {
    let second = Duration::from_secs(1);
    let mut ticks = interval(second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset_at(Instant::now() + second);
    ticks
}
