//! What writes of many rows have in common: all of them, or none.

use crate::{
    Backend, Bindings, Error, Operation, Persist, PrimaryKey, Result, Savepoint,
    sql::key_list::{in_order_of, keys_at_once, lock_among, text},
    transaction::Open,
};
use sqlx::AssertSqlSafe;
use std::collections::HashSet;

/// The rows of one statement, and its arguments: far below every database's
/// limit, and enough for the round trip not to matter.
const MOST_ROWS: usize = 256;
const MOST_ARGUMENTS: usize = 8192;

/// `all` in chunks, each of which is a power of two: so that few statements serve
/// every number of rows, and drivers that keep them prepared keep no more.
pub(super) fn chunks<V>(mut all: &[V], columns: usize) -> impl Iterator<Item = &[V]> {
    let most = (MOST_ARGUMENTS / columns.max(1)).clamp(1, MOST_ROWS);
    std::iter::from_fn(move || {
        let length = 1 << most.min(all.len()).checked_ilog2()?;
        let (chunk, rest) = all.split_at(length);
        all = rest;
        Some(chunk)
    })
}

/// A savepoint for a write of many rows. If that is cancelled the transaction can
/// only be rolled back, as after any other write.
pub(super) async fn savepoint<'o, DB: Backend>(
    open: &'o mut Open<'_, DB>,
    operation: Operation,
) -> Result<Savepoint<'o, DB>> {
    let mut savepoint = open.savepoint().await?;
    savepoint.of_write(operation);
    Ok(savepoint)
}

/// Keeps a savepoint in which everything was written, or undoes all of it.
pub(super) async fn keep<DB: Backend, R>(
    savepoint: Savepoint<'_, DB>,
    written: Result<R>,
) -> Result<R> {
    match written {
        Ok(written) => savepoint.commit().await.map(|()| written),
        Err(error) => {
            // The first error is the one to report; if this fails, the transaction
            // can only be rolled back, and says so.
            let _ = savepoint.rollback().await;
            Err(error)
        }
    }
}

/// The rows, of which none may be missing: a trigger or a rule has swallowed it, or
/// has given it another key.
pub(super) fn all_of<T>(rows: Vec<Option<T>>, operation: Operation) -> Result<Vec<T>> {
    let rows: Option<Vec<T>> = rows.into_iter().collect();
    rows.ok_or(Error::RowNotFound { operation })
}

/// Refuses a primary key that is there twice.
pub(super) fn refuse_duplicates<K: PrimaryKey>(keys: &[K], operation: Operation) -> Result<()> {
    let mut seen = HashSet::with_capacity(keys.len());
    if keys.iter().all(|key| seen.insert(text(key))) {
        return Ok(());
    }
    let reason = "a primary key is given twice".to_owned();
    Err(Error::Refused { operation, reason })
}

/// The rows as they are, locked, in the order of `keys`, which are all different.
pub(super) async fn lock_many<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    keys: &[T::Key],
    operation: Operation,
) -> Result<Vec<Option<T>>> {
    let mut rows = Vec::with_capacity(keys.len());
    for keys in keys.chunks(keys_at_once(T::TABLE.key_columns().len())) {
        let found = lock_chunk(open, keys, operation).await?;
        rows.extend(in_order_of(keys, found, T::key, operation)?);
    }
    Ok(rows)
}

/// The rows that equal one of `keys` by the database's collation, locked. No more
/// keys than one list takes.
pub(super) async fn lock_chunk<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    keys: &[T::Key],
    operation: Operation,
) -> Result<Vec<T>> {
    let mut bindings = Bindings::new();
    // Made of the derive's names and nothing else.
    let sql = AssertSqlSafe(lock_among::<DB, T>(keys, &mut bindings));
    open.fetch_at_most(sql, bindings, usize::MAX, operation).await
}

#[cfg(test)]
mod tests {
    use super::{MOST_ARGUMENTS, MOST_ROWS, chunks};

    #[test]
    fn chunks_are_powers_of_two_and_leave_nothing_out() {
        for (length, columns) in [(0, 1), (1, 1), (7, 0), (1000, 3), (1000, 100), (9, 20_000)] {
            let all: Vec<usize> = (0..length).collect();
            let parts: Vec<_> = chunks(&all, columns).collect();
            assert_eq!(parts.concat(), all);
            for part in parts {
                assert!(part.len().is_power_of_two() && part.len() <= MOST_ROWS);
                assert!(part.len() == 1 || part.len() * columns <= MOST_ARGUMENTS);
            }
        }
    }
}
