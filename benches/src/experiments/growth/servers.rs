//! The same keys spread over more and more servers.

use super::{MANY_TASKS, SETTLED, TASKS, Uniform, fill::fill, orm, rounds};
use crate::{memcached::Memcached, results::Results, stage::Stage};
use benches::Result;
use sqlx::postgres::PgPoolOptions;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// Keys, over all servers.
const KEYS: u64 = 100_000;
/// The first server has its part of the keys for each number of servers.
const MEGABYTES: u32 = 256;

/// Measures each number of servers. They are the first of the same ones, with a
/// namespace for each number.
pub(super) async fn run(stage: &Stage, results: &mut Results) -> Result<()> {
    let pool = PgPoolOptions::new().connect_lazy(&stage.postgres)?;
    let rows = u64::try_from(stage.plan.rows)?;
    let (mut servers, mut addresses) = (Vec::new(), Vec::new());
    for _ in 0..stage.plan.server_counts.iter().copied().max().unwrap_or_default() {
        let server = Memcached::start(MEGABYTES).await?;
        addresses.push(server.address());
        servers.push(server);
    }
    sleep(SETTLED).await;
    let mut sizes = Vec::new();
    for &count in stage.plan.server_counts {
        let namespace = format!("servers-{count}");
        let addresses = &addresses[..count];
        let filler = orm(&pool, addresses, &namespace, Duration::from_secs(10)).await?;
        fill(&filler, KEYS, rows).await?;
        let orm = orm(&pool, addresses, &namespace, Duration::from_millis(50)).await?;
        sizes.push((count as u64, Arc::new(Uniform { orm, keys: KEYS, rows })));
    }
    rounds(stage, results, "growth-servers-", TASKS, &sizes).await?;
    rounds(stage, results, "growth-servers-", MANY_TASKS, &sizes).await
}
