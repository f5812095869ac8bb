//! Fills servers by cached-orm itself.

use super::copies;
use benches::Result;
use cached_orm::{Orm, Postgres};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::time::Duration;
use tokio::time::sleep;

/// Keys of one job: many steps of `warm`.
const JOB: u64 = 10_240;
/// Jobs at once: while one waits for the database another fills.
const JOBS_AT_ONCE: usize = 6;
/// Under load a command may fail, and then its row is left out.
const ATTEMPTS: usize = 5;
/// From one to the next.
const PAUSE: Duration = Duration::from_millis(100);

/// Puts so many keys into the cache, over a table of `rows`.
pub(super) async fn fill(orm: &Orm<Postgres>, keys: u64, rows: u64) -> Result<()> {
    let copies = (0..keys.div_ceil(rows)).map(|copy| (copy, rows.min(keys - copy * rows)));
    let jobs = copies.flat_map(|(copy, rows)| {
        (0..rows.div_ceil(JOB)).map(move |job| (copy, job * JOB, JOB.min(rows - job * JOB)))
    });
    let running = jobs.map(|(copy, first, count)| {
        let orm = orm.clone();
        let job = tokio::spawn(async move { fill_some(&orm, copy, first, count).await });
        async move { job.await? }
    });
    stream::iter(running).buffer_unordered(JOBS_AT_ONCE).try_collect::<()>().await
}

async fn fill_some(orm: &Orm<Postgres>, copy: u64, before: u64, count: u64) -> Result<()> {
    let (first, last) = (i64::try_from(before)? + 1, i64::try_from(before + count)?);
    for _ in 0..ATTEMPTS {
        let warmed = copies::warm(orm, copy, first..=last).await?;
        if warmed.present + warmed.filled == count {
            return Ok(());
        }
        if warmed.absent > 0 {
            return Err(format!("{} rows from {first} to {last} are missing", warmed.absent).into());
        }
        sleep(PAUSE).await;
    }
    Err(format!("rows from {first} to {last} could not be put into the cache").into())
}
