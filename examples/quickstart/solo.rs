use crate::{city::City, environment::Result};
use cached_orm::{Backend, MemcachedOrm, Orm, Persist};
use std::time::{Duration, Instant};

/// How long one read took that waited for no other.
pub(crate) struct Times {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Reads these cities from the cache, one after another. Also returns how many
/// of the reads were hits, which must be all, for the times to mean something.
pub(crate) async fn cached<DB: Backend>(orm: &Orm<DB>, ids: &[i64]) -> Result<(Times, u64)>
where
    City: Persist<DB>,
{
    for id in ids {
        City::fetch(orm, *id).await?;
    }
    let hits = orm.statistics().hits;
    let mut times = Vec::new();
    for id in ids {
        let begun = Instant::now();
        City::fetch(orm, *id).await?;
        times.push(begun.elapsed());
    }
    Ok((percentiles(times), orm.statistics().hits - hits))
}

/// Reads these cities from the database, one after another.
pub(crate) async fn uncached<DB: Backend>(orm: &Orm<DB>, ids: &[i64]) -> Result<Times>
where
    City: Persist<DB>,
{
    let mut times = Vec::new();
    for id in ids {
        let begun = Instant::now();
        City::fetch_uncached(orm, *id).await?;
        times.push(begun.elapsed());
    }
    Ok(percentiles(times))
}

fn percentiles(mut times: Vec<Duration>) -> Times {
    times.sort_unstable();
    let at = |percent| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    Times { p50: at(50), p99: at(99) }
}
