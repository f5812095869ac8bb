//! What a write notes of the rows that its statement has changed.

use crate::{Backend, Entity, Error, Operation, Persist, Result, transaction::Open};

/// Whether writes of `T` must know the row as it was before.
#[allow(clippy::extra_unused_type_parameters)]
pub(super) const fn needs_before<T: Entity>() -> bool {
    false
}

/// The row as it is, locked, where [`note_change`] will ask for it. To be read
/// before the statement that changes it.
pub(super) async fn read_before<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<Option<T>> {
    if !needs_before::<T>() {
        return Ok(None);
    }
    let rows = super::lock_by_key(open, key, operation).await;
    Ok(super::or_failed(open, rows).await?.pop())
}

/// [`read_before`] for many rows, in the order of `keys`; empty where they are not
/// needed.
pub(super) async fn read_before_many<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    keys: &[T::Key],
    operation: Operation,
) -> Result<Vec<Option<T>>> {
    if !needs_before::<T>() {
        return Ok(Vec::new());
    }
    super::bulk::lock_many(open, keys, operation).await
}

/// Notes the keys of a row that a statement has changed from `before`, which may
/// be left out where [`read_before`] gave nothing, to `after`: an insert has no
/// row before, a delete none after.
pub(super) fn note_change<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    before: Option<&T>,
    after: Option<&T>,
) {
    if let Some(row) = after.or(before) {
        open.touch::<T>(&row.key());
    }
}

/// Notes the key that was asked for, if the row has another: by the database's
/// collation `ANN` can be `ann`'s row.
pub(super) fn note_asked<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    row: &T,
    asked: &T::Key,
) {
    if row.key() != *asked {
        open.touch::<T>(asked);
    }
}

/// The row that a statement met, of which there should be one at most.
pub(super) fn one_row<T>(mut rows: Vec<T>, operation: Operation) -> Result<Option<T>> {
    match rows.len() {
        0 | 1 => Ok(rows.pop()),
        _ => Err(Error::MoreThanOneRow { operation }),
    }
}
