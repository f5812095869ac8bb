//! When everything is still: the cache must say what the database says.

use crate::{
    engines::Engine,
    rows::{self, HotRowOf},
    stage::{FENCE_TTL, HOLD_OFF},
};
use cached_orm::Orm;
use std::time::Duration;
use tokio::time::sleep;

/// The keys, each with what is wrong, of which the cache says something else
/// than the database. To be called when nobody reads or writes any more.
pub(crate) async fn differing<DB: Engine>(orm: &Orm<DB>, keys: i64) -> Vec<String> {
    // At once, while fences of unknown COMMITs may still lie there; and again
    // when they have expired and every server may be filled.
    let mut differing = compare_all(orm, keys, "at once").await;
    sleep(FENCE_TTL.max(HOLD_OFF) + Duration::from_secs(3)).await;
    differing.extend(compare_all(orm, keys, "after the fences").await);
    // What the last comparison has filled.
    differing.extend(compare_all(orm, keys, "filled again").await);
    differing
}

async fn compare_all<DB: Engine>(orm: &Orm<DB>, keys: i64, when: &str) -> Vec<String> {
    let mut differing = Vec::new();
    for key in 0..keys {
        for found in [
            compare::<DB, DB::Old>(orm, key).await,
            compare::<DB, DB::New>(orm, key).await,
            compare_lookups::<DB, DB::Old>(orm, key).await,
            compare_lookups::<DB, DB::New>(orm, key).await,
        ] {
            match found {
                Ok(None) => {}
                Ok(Some(difference)) => differing.push(format!("key {key}, {when}: {difference}")),
                Err(error) => differing.push(format!("key {key}, {when}: {error}")),
            }
        }
    }
    differing
}

/// Whether the row is found by its own values, and by no others.
async fn compare_lookups<DB: Engine, T: HotRowOf<DB>>(
    orm: &Orm<DB>,
    key: i64,
) -> cached_orm::Result<Option<String>> {
    let truth = T::fetch_uncached(orm, key.into()).await?;
    let number = |row: &T| (row.revision(), row.attempt());
    for side in [0, 1] {
        let expected = truth.as_ref().filter(|row| rows::side(row.revision()) == side).map(number);
        let labelled = T::by_label(orm, rows::label(key, side)).await?;
        let labelled = labelled.as_ref().map(number);
        if labelled != expected {
            return Ok(Some(format!("label {side}: {labelled:?}, stored {expected:?}")));
        }
        let together = T::by_bucket(orm, rows::bucket(key, side)).await?;
        let listed = together.iter().find(|row| row.id() == key).map(number);
        if listed != expected {
            return Ok(Some(format!("bucket {side}: {listed:?}, stored {expected:?}")));
        }
    }
    Ok(None)
}

async fn compare<DB: Engine, T: HotRowOf<DB>>(
    orm: &Orm<DB>,
    key: i64,
) -> cached_orm::Result<Option<String>> {
    let truth = T::fetch_uncached(orm, key.into()).await?;
    // A cache that does not answer in time says nothing wrong.
    let cached = T::get_cached_instance(orm, key.into()).await.ok().flatten();
    let fetched = T::fetch(orm, key.into()).await?;
    let number = |row: &Option<T>| row.as_ref().map(|row| (row.revision(), row.attempt()));
    let truth = number(&truth);
    if cached.is_some() && number(&cached) != truth {
        return Ok(Some(format!("cached {:?}, stored {truth:?}", number(&cached))));
    }
    if number(&fetched) != truth {
        return Ok(Some(format!("fetched {:?}, stored {truth:?}", number(&fetched))));
    }
    Ok(None)
}
