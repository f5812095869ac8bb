//! One server for each number of keys, and hits on all of its keys alike.

use super::{SETTLED, TASKS, Uniform, fill::fill, orm, rounds};
use crate::{
    experiments::resident::{megabytes_available, resident_bytes},
    memcached::Memcached,
    results::Results,
    stage::Stage,
};
use benches::Result;
use sqlx::postgres::PgPoolOptions;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// What an entry takes in memcached, with what the slab's next size and the hash
/// table add: more than it does.
const BYTES_PER_KEY: u64 = 480;
/// What a server takes besides.
const MEGABYTES_BESIDES: u64 = 64;
/// What is left to the others.
const MEGABYTES_LEFT: f64 = 1024.0;
/// Below that, the time it takes to fill says nothing.
const WORTH_TIMING: u64 = 100_000;

/// Measures each number of keys that there is memory for.
pub(super) async fn run(stage: &Stage, results: &mut Results) -> Result<()> {
    let pool = PgPoolOptions::new().connect_lazy(&stage.postgres)?;
    let rows = u64::try_from(stage.plan.rows)?;
    let mut available = megabytes_available()? - MEGABYTES_LEFT;
    let mut servers = Vec::new();
    for &keys in stage.plan.key_counts {
        let megabytes = MEGABYTES_BESIDES + (keys * BYTES_PER_KEY).div_ceil(1 << 20);
        if available < megabytes as f64 {
            let name = format!("{keys} keys: left out, for want of memory; it takes");
            results.fact("growth", name, megabytes as f64, "MiB");
            continue;
        }
        available -= megabytes as f64;
        servers.push((keys, Memcached::start(u32::try_from(megabytes)?).await?));
    }
    sleep(SETTLED).await;
    let mut sizes = Vec::new();
    for (keys, server) in &servers {
        let (keys, address) = (*keys, [server.address()]);
        // A command of the filling may wait for many others.
        let filler = orm(&pool, &address, "growth", Duration::from_secs(10)).await?;
        let begun = Instant::now();
        fill(&filler, keys, rows).await?;
        if keys >= WORTH_TIMING {
            let rate = keys as f64 / begun.elapsed().as_secs_f64();
            results.fact("growth", format!("{keys} keys: filled by warm"), rate, "rows/s");
            let megabytes = resident_bytes(&server.pid().to_string())? / f64::from(1 << 20);
            let name = format!("{keys} keys: memory of memcached");
            results.fact("growth", name, megabytes, "MiB");
        }
        let orm = orm(&pool, &address, "growth", Duration::from_millis(50)).await?;
        sizes.push((keys, Arc::new(Uniform { orm, keys, rows })));
    }
    rounds(stage, results, "growth-keys-", TASKS, &sizes).await
}
