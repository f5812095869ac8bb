//! Reads by index, and of several rows at once.

use super::{Shared, reader::note};
use crate::{
    engines::Engine,
    history::{Begun, Via},
    rows::{self, HotRow, HotRowOf, KEYS},
};
use cached_orm::{Orm, Result};
use rand::{RngExt, rngs::StdRng};
use std::time::Instant;

/// One of them, checked.
pub(crate) async fn read<DB: Engine, T: HotRowOf<DB>>(
    orm: &Orm<DB>,
    shared: &Shared,
    rng: &mut StdRng,
) {
    let key = rng.random_range(0..KEYS);
    let side = rng.random_range(0..2);
    let began = Instant::now();
    let read = match rng.random_range(0..4) {
        0 => by_label::<DB, T>(orm, shared, key, side).await,
        1 => by_bucket::<DB, T>(orm, shared, rows::bucket(key, side)).await,
        2 => many::<DB, T>(orm, shared, some_keys(rng)).await,
        _ => many_by_label::<DB, T>(orm, shared, some_keys(rng), side).await,
    };
    match read {
        Ok(()) => shared.counts.lookups.add_one(),
        Err(error) => shared.read_failed(key, &error, began.elapsed()),
    }
}

/// Some of them twice.
fn some_keys(rng: &mut StdRng) -> Vec<i64> {
    (0..rng.random_range(1..8)).map(|_| rng.random_range(0..KEYS)).collect()
}

async fn by_label<DB: Engine, T: HotRowOf<DB>>(
    orm: &Orm<DB>,
    shared: &Shared,
    key: i64,
    side: i64,
) -> Result<()> {
    let label = rows::label(key, side);
    let begun = shared.history.begin_lookup(key, "fetch_by_label", Via::Label(label));
    let row = T::by_label(orm, label).await?;
    found_on(shared, begun, side, row.as_ref());
    Ok(())
}

async fn many_by_label<DB: Engine, T: HotRowOf<DB>>(
    orm: &Orm<DB>,
    shared: &Shared,
    keys: Vec<i64>,
    side: i64,
) -> Result<()> {
    let labels: Vec<_> = keys.iter().map(|&key| rows::label(key, side)).collect();
    let begin = |(&key, &label): (&i64, &i64)| {
        shared.history.begin_lookup(key, "fetch_many_by_label", Via::Label(label))
    };
    let begun: Vec<_> = keys.iter().zip(&labels).map(begin).collect();
    let found = T::many_by_label(orm, labels).await?;
    assert_eq!(found.len(), keys.len(), "an answer for each value");
    for (begun, row) in begun.into_iter().zip(&found) {
        found_on(shared, begun, side, row.as_ref());
    }
    Ok(())
}

async fn by_bucket<DB: Engine, T: HotRowOf<DB>>(
    orm: &Orm<DB>,
    shared: &Shared,
    bucket: i64,
) -> Result<()> {
    let begin = |key| shared.history.begin_lookup(key, "fetch_by_bucket", Via::Bucket(bucket));
    let begun: Vec<_> = rows::bucket_members(bucket).map(begin).collect();
    let found = T::by_bucket(orm, bucket).await?;
    let ids: Vec<_> = found.iter().map(HotRow::id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "in the order of the keys, each once: {ids:?}");
    assert!(
        ids.iter().all(|id| begun.iter().any(|begun| begun.key == *id)),
        "a row of another bucket: {ids:?}"
    );
    for begun in begun {
        let row = found.iter().find(|row| row.id() == begun.key);
        found_on(shared, begun, rows::side(bucket), row);
    }
    Ok(())
}

async fn many<DB: Engine, T: HotRowOf<DB>>(
    orm: &Orm<DB>,
    shared: &Shared,
    keys: Vec<i64>,
) -> Result<()> {
    let begin = |&key: &i64| shared.history.begin_read(key, "fetch_many");
    let begun: Vec<_> = keys.iter().map(begin).collect();
    let found = T::fetch_many(orm, keys.into_iter().map(T::Key::from)).await?;
    assert_eq!(found.len(), begun.len(), "an answer for each key");
    for (begun, row) in begun.into_iter().zip(&found) {
        note(shared, begun, row.as_ref());
    }
    Ok(())
}

/// Checks what a lookup by a value of this side has returned.
fn found_on<T: HotRow>(shared: &Shared, begun: Begun, side: i64, row: Option<&T>) {
    match row {
        Some(row) if rows::side(row.revision()) != side => {
            shared.history.torn(begun, format!("looked for on side {side}: {row:?}"));
        }
        Some(_) => note(shared, begun, row),
        None => shared.history.end_lookup_without(begun, side),
    }
}
