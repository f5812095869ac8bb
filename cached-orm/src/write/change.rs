//! What a write notes of the rows that its statement has changed.

use crate::{
    Backend, Entity, Error, Index, IndexValue, Operation, Persist, Result, transaction::Open,
};

/// Whether writes of `T` must know the row as it was before: a list that the row
/// leaves changes too, and one that it stays in does not.
pub(super) fn needs_before<T: Entity>() -> bool {
    T::INDEXES.iter().any(|index| !index.is_unique())
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
    for index in T::INDEXES {
        note_index(open, index, before, after);
    }
}

/// Notes the index's entries that a change makes untrue.
///
/// A value that the row gets: "no row has it" is untrue then, or the list without
/// the row. A value that it loses: the list with it. That a unique value points to
/// a row which has lost it needs no fence: whoever follows it finds out.
fn note_index<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    index: &Index<T>,
    before: Option<&T>,
    after: Option<&T>,
) {
    let lost = before.map(|row| index.value_of(row));
    let got = after.map(|row| index.value_of(row));
    if lost == got {
        return;
    }
    if let Some(value) = got.as_ref().and_then(IndexValue::text) {
        open.touch_index(index, value);
    }
    if !index.is_unique()
        && let Some(value) = lost.as_ref().and_then(IndexValue::text)
    {
        open.touch_index(index, value);
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
