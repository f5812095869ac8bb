//! Reads by many primary keys.

use super::{RowLock, RowSource, entries::copied, fetch_in, fetch_uncached, select_by_key};
use crate::{
    Backend, Bindings, CacheKey, CachePolicy, Entity, Error, Operation, Orm, Persist, PrimaryKey,
    Result,
    coherence::{Found, Origin},
    session::Target,
    sql::{
        Kept, Loaded, fetch_at_most, has_json, in_order_of, key_list::text, keys_at_once,
        select_among,
    },
    uncached::{is_whole, unloaded},
};
use sqlx::AssertSqlSafe;
use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    sync::Arc,
};

/// How far [`warm`](crate::MemcachedOrm::warm) has come.
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
/// let warmed = User::warm(orm, 1..=100_000, |_| ()).await?;
/// assert_eq!(warmed.done, warmed.filled + warmed.present + warmed.absent + warmed.skipped);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warmed {
    /// Keys that are done: the sum of the others.
    pub done: u64,
    /// Rows that were loaded and put in the cache.
    pub filled: u64,
    /// Rows that were in the cache already.
    pub present: u64,
    /// Keys without a row.
    pub absent: u64,
    /// Rows that were loaded and not put in the cache: they are being written, or
    /// filled by others, or the cache does not answer or take a row of that size, or
    /// they would not be read from it as they are.
    pub skipped: u64,
}

/// The rows with these keys, in their order.
pub(crate) async fn fetch_many<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    keys: Vec<T::Key>,
    operation: Operation,
) -> Result<Vec<Option<T>>> {
    match target {
        Target::Orm(orm) => {
            let (distinct, places) = distinct::<DB, T>(orm, keys);
            let mut rows = Vec::with_capacity(distinct.len());
            // Of rows that the cache has none has lost anything.
            let mut origins = Vec::with_capacity(distinct.len());
            let mut distinct = distinct.into_iter();
            while distinct.len() > 0 {
                let found = read::<DB, T>(orm, &mut distinct, T::POLICY, operation).await?;
                for Found { row, origin } in found {
                    rows.push(row.map(unloaded));
                    origins.push(origin);
                }
            }
            let (mut rows, again) = spread::<DB, T>(rows, &places, |place, row| {
                origins[place] == Origin::Database && has_json::<DB, T>(row)
            });
            for (at, key) in again {
                let row = fetch_uncached(Target::Orm(orm), key, operation).await?;
                rows[at] = row.map(unloaded);
            }
            Ok(rows)
        }
        Target::Open(mut open) => {
            open.check_columns::<T>(operation).await?;
            let (distinct, places) = distinct::<DB, T>(open.orm(), keys);
            let keys: Vec<_> = distinct.into_iter().map(|(key, _)| key).collect();
            let mut rows: Vec<_> = keys.iter().map(|_| None).collect();
            let held = |at: &usize| open.holds::<T>(&keys[*at]);
            let (held, others): (Vec<_>, Vec<_>) = (0..keys.len()).partition(held);
            for (lock, at) in [(RowLock::No, others), (RowLock::Yes, held)] {
                for at in at.chunks(at_once::<T>()) {
                    let keys: Vec<_> = at.iter().map(|&at| keys[at].clone()).collect();
                    let reading = open.begin_read(operation).await?;
                    let found =
                        select_by_keys(open.connection(), &keys, lock, Kept::No, operation).await;
                    let found = open.read_done(reading, found)?;
                    at.iter().zip(found).for_each(|(&at, loaded)| {
                        rows[at] = loaded.map(Loaded::into_row);
                    });
                }
            }
            let (mut rows, again) = spread::<DB, T>(rows, &places, |_, row| has_json::<DB, T>(row));
            for (at, key) in again {
                rows[at] = fetch_in(&mut open, &key, operation).await?;
            }
            Ok(rows)
        }
    }
}

/// Puts what the cache does not have there.
pub(crate) async fn warm<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    mut keys: impl Iterator<Item = T::Key> + Send,
    mut progress: impl FnMut(Warmed) + Send,
    operation: Operation,
) -> Result<Warmed> {
    let mut warmed = Warmed::default();
    // What is near says nothing of the cache.
    let policy = T::POLICY.near_ttl(None);
    loop {
        let chunk: Vec<_> = keys.by_ref().take(at_once::<T>()).collect();
        if chunk.is_empty() {
            return Ok(warmed);
        }
        let asked = chunk.len() as u64;
        let (distinct, _) = distinct::<DB, T>(orm, chunk);
        // By then the first of them has brought the row.
        warmed.present += asked - distinct.len() as u64;
        for found in read::<DB, T>(orm, &mut distinct.into_iter(), policy, operation).await? {
            match found {
                Found { row: None, .. } => warmed.absent += 1,
                Found { origin: Origin::Cache, .. } => warmed.present += 1,
                Found { origin: Origin::Filled, .. } => warmed.filled += 1,
                Found { origin: Origin::Database, .. } => warmed.skipped += 1,
            }
        }
        warmed.done += asked;
        progress(warmed);
    }
}

/// How many rows are asked for at once.
pub(crate) fn at_once<T: Entity>() -> usize {
    keys_at_once(T::TABLE.key_columns().len())
}

/// Reads the next rows, as many as are asked for at once.
async fn read<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    keys: &mut (impl Iterator<Item = (T::Key, CacheKey)> + Send),
    policy: CachePolicy,
    operation: Operation,
) -> Result<Vec<Found<T>>> {
    let sources = keys.take(at_once::<T>());
    let sources = sources.map(|(key, cache_key)| RowSource {
        policy,
        ..RowSource::under(orm, key, cache_key, operation)
    });
    orm.coherence().read_many(sources.collect()).await
}

/// The keys without duplicates, and for each key the place where it is then.
fn distinct<DB: Backend, T: Entity>(
    orm: &Orm<DB>,
    keys: Vec<T::Key>,
) -> (Vec<(T::Key, CacheKey)>, Vec<usize>) {
    let mut distinct = Vec::with_capacity(keys.len());
    let mut seen = HashMap::with_capacity(keys.len());
    let places = keys.into_iter().map(|key| match seen.entry(orm.cache_key::<T>(&key)) {
        Slot::Occupied(place) => *place.get(),
        Slot::Vacant(free) => {
            distinct.push((key, free.key().clone()));
            *free.insert(distinct.len() - 1)
        }
    });
    let places = places.collect();
    (distinct, places)
}

/// The place of a row to be asked for again, and its key.
type Again<T> = (usize, <T as Entity>::Key);

/// Gives each place its row. A row that is wanted twice is copied as a reader of its
/// entry has it; the places and keys of those of which that is another row are
/// returned, to be asked for again. So are those that may have lost something already,
/// as `may_be_lost` says of a row and its place.
pub(super) fn spread<DB: Backend, T: Persist<DB>>(
    mut rows: Vec<Option<T>>,
    places: &[usize],
    may_be_lost: impl Fn(usize, &T) -> bool,
) -> (Vec<Option<T>>, Vec<Again<T>>) {
    if places.len() == rows.len() {
        return (rows, Vec::new());
    }
    let mut uses = vec![0_usize; rows.len()];
    places.iter().for_each(|&place| uses[place] += 1);
    let mut again = Vec::new();
    let spread = places.iter().enumerate().map(|(at, &place)| {
        uses[place] -= 1;
        if uses[place] == 0 {
            return rows[place].take();
        }
        let row = rows[place].as_mut()?;
        let is_loaded = is_whole(row);
        let copy = copied::<DB, T>(row, |row| may_be_lost(place, row))
            .and_then(|mut copy| (is_whole(&mut copy) || !is_loaded).then_some(copy));
        if copy.is_none() {
            again.push((at, row.key()));
        }
        copy
    });
    (spread.collect(), again)
}

/// The error of a statement for many keys, and the key that it is of, if there is one
/// that gives such an error by itself.
pub(super) async fn of_key<DB: Backend, T: Persist<DB>>(
    connection: &mut DB::Connection,
    keys: &[T::Key],
    error: Error,
    operation: Operation,
) -> Error {
    for key in keys {
        match select_by_key::<DB, T>(connection, key, RowLock::No, Kept::No, operation).await {
            Ok(_) => {}
            Err(error) if error.is_of_argument() => return named(key, error),
            Err(_) => break,
        }
    }
    error
}

/// The error of a statement for this key, which is named if it is to blame.
fn named(key: &impl PrimaryKey, error: Error) -> Error {
    let is_to_blame = matches!(error, Error::Column { .. }) || error.is_of_argument();
    if is_to_blame { Error::Key { key: text(key), source: Arc::new(error) } } else { error }
}

/// The rows with these keys, which are all different and few enough for one
/// statement, in their order.
pub(super) async fn select_by_keys<DB: Backend, T: Persist<DB>>(
    connection: &mut DB::Connection,
    keys: &[T::Key],
    lock: RowLock,
    kept: Kept,
    operation: Operation,
) -> Result<Vec<Option<Loaded<T>>>> {
    if let [key] = keys {
        // Of the others the cache had the rows.
        let found = select_by_key(connection, key, lock, kept, operation).await;
        return Ok(vec![found.map_err(|error| named(key, error))?]);
    }
    let mut bindings = Bindings::new();
    let mut sql = select_among::<DB, T>(keys, &mut bindings);
    sql.push_str(lock.clause::<DB>());
    // Made of the derive's constants and nothing else.
    let sql = AssertSqlSafe(sql);
    let rows = fetch_at_most(connection, sql, bindings, usize::MAX, operation, kept, |_| {});
    in_order_of(keys, rows.await?, |loaded| loaded.row.key(), operation)
}
