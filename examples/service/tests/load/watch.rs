//! What the service and its database use.

use crate::running::Service;
use sqlx::{Connection, PgConnection};
use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval};

/// Taken once a second.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    /// The service's resident memory, in KiB.
    pub(crate) memory: u64,
    /// Rows that the database was asked for in the last whole second.
    pub(crate) loads: u64,
    /// Loads that were under way.
    pub(crate) under_way: u64,
    /// The service's connections to the database, if that answers.
    pub(crate) connections: Option<i64>,
}

#[derive(Debug, Default)]
pub(crate) struct Watched(Mutex<Vec<Sample>>);

impl Watched {
    /// Samples until it is aborted.
    pub(crate) async fn watch(self: Arc<Self>, service: Arc<Service>, url: String) {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut database = None;
        loop {
            ticks.tick().await;
            let mut sample = Sample { memory: memory(service.process()), ..Sample::default() };
            if let Ok(answer) = service.ask("GET", "/live", &[], None).await {
                let live = answer.json();
                let last = live["seconds"].as_array().and_then(|seconds| seconds.last());
                sample.loads = last.and_then(|last| last["loads"].as_u64()).unwrap_or(0);
                sample.under_way = live["loads"]["under_way"].as_u64().unwrap_or(0);
            }
            sample.connections = connections(&mut database, &url).await;
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
        }
    }

    pub(crate) fn samples(&self) -> Vec<Sample> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

async fn connections(database: &mut Option<PgConnection>, url: &str) -> Option<i64> {
    if database.is_none() {
        *database = PgConnection::connect(url).await.ok();
    }
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'places'";
    let counted = sqlx::query_scalar(sql).fetch_one(database.as_mut()?).await;
    if counted.is_err() {
        *database = None;
    }
    counted.ok()
}
