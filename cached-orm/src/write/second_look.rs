//! What a statement has done besides what it says: triggers and rules can turn it
//! into another one, and can change a row that it has returned.

use super::{
    bulk::lock_many,
    change::{note_asked, note_change, one_row},
    lock_by_key, or_failed,
};
use crate::{Backend, Operation, Persist, Result, transaction::Open};

/// Looks whether there is a row with this key, which a statement on it did not meet.
///
/// It may be none, or one that the statement left alone; or a trigger did something
/// else instead. What is there is locked now, and counts as changed. What is not
/// there may have been deleted, and nobody holds its lock.
pub(super) async fn not_met<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<bool> {
    let rows = lock_by_key(open, key, operation).await;
    let row: Option<T> = one_row(or_failed(open, rows).await?, operation)?;
    match &row {
        Some(row) => {
            note_change(open, None, Some(row));
            note_asked(open, row, key);
            open.hold::<T>(&row.key());
        }
        None => open.doubt::<T>(key),
    }
    open.hold::<T>(key);
    Ok(row.is_some())
}

/// [`not_met`] for many keys, all of them different.
pub(super) async fn none_met<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    keys: &[T::Key],
    operation: Operation,
) -> Result<()> {
    for (key, row) in keys.iter().zip(lock_many::<DB, T>(open, keys, operation).await?) {
        match row {
            Some(row) => note_change(open, None, Some(&row)),
            None => open.doubt::<T>(key),
        }
    }
    Ok(())
}

/// Notes the values that triggers have given to written rows after RETURNING showed
/// them.
pub(super) async fn look_again<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    rows: &[T],
    operation: Operation,
) -> Result<()> {
    if T::INDEXES.is_empty() || !DB::RETURNING || rows.is_empty() || open.rows_are_final(rows.len())
    {
        return Ok(());
    }
    let keys: Vec<_> = rows.iter().map(T::key).collect();
    for row in lock_many::<DB, T>(open, &keys, operation).await?.into_iter().flatten() {
        note_change(open, None, Some(&row));
    }
    Ok(())
}
