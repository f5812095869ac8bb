use super::{
    change::{note_asked, note_change, one_row, read_before},
    lock_by_key, or_failed,
    second_look::{look_again, not_met},
};
use crate::{
    Backend, BindKey as _, Bindings, Error, Operation, Persist, Result, schema::Change,
    sql::compose, transaction::Open,
};
use std::slice::from_ref;

pub(super) async fn update_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    let key = value.key();
    let mut assigned = Bindings::new();
    value.bind_columns(&mut assigned);
    assigned.leave_out_not_loaded();
    open.check_indexes::<T>(Some(assigned.columns()), operation).await?;
    open.check_columns::<T>(operation).await?;
    open.begin_write_of::<T>(&[Change::Update], operation).await?;
    let row = update_row(open, &key, assigned, Some(value), operation).await?;
    let row = match row {
        None if T::VERSION.is_some() => {
            let is_there = not_met::<DB, T>(open, &key, operation).await?;
            is_there.then_some(Err(Error::Conflict { operation }))
        }
        None => {
            not_updated::<DB, T>(open, &key, operation).await?;
            None
        }
        row => row.map(Ok),
    };
    open.settled();
    row.unwrap_or(Err(Error::RowNotFound { operation }))
}

pub(super) async fn patch_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    assigned: Bindings<DB>,
    operation: Operation,
) -> Result<T> {
    open.check_indexes::<T>(Some(assigned.columns()), operation).await?;
    open.check_columns::<T>(operation).await?;
    open.begin_write_of::<T>(&[Change::Update], operation).await?;
    let row = update_row(open, key, assigned, None, operation).await?;
    if row.is_none() {
        not_updated::<DB, T>(open, key, operation).await?;
    }
    open.settled();
    row.ok_or(Error::RowNotFound { operation })
}

/// [`not_met`] for an update. Alone in its transaction it fails, and has changed
/// nothing.
async fn not_updated<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<()> {
    // That it is not there is read as it is now, too.
    open.hold::<T>(key);
    if DB::RETURNING && !open.is_of_one_write() {
        not_met::<DB, T>(open, key, operation).await?;
    }
    Ok(())
}

/// Writes the named columns that were `assigned`, and increases the version, which
/// must be that of `expected` if there is one. Notes what it has changed; `None` if
/// it met no row.
pub(super) async fn update_row<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    mut assigned: Bindings<DB>,
    expected: Option<&T>,
    operation: Operation,
) -> Result<Option<T>> {
    let before = read_before(open, key, operation).await?;
    let sql = compose::update::<DB, T>(assigned.columns(), expected.is_some());
    key.bind(&mut assigned);
    if let Some(expected) = expected {
        expected.bind_version(&mut assigned);
    }
    let rows: Vec<T> = if DB::RETURNING {
        let rows = open.fetch_written(sql, assigned, 2, operation).await;
        or_failed(open, rows).await?
    } else {
        let done = open.execute(sql, assigned, operation).await;
        let done = or_failed(open, done).await?;
        match DB::rows_met(&done) {
            0 => Vec::new(),
            _ => {
                let rows = lock_by_key(open, key, operation).await?;
                if rows.is_empty() {
                    // A trigger has given the row another key: half done.
                    return Err(Error::KeyChanged { operation });
                }
                rows
            }
        }
    };
    let row = one_row(rows, operation)?;
    if let Some(row) = &row {
        note_change(open, before.as_ref(), Some(row));
        note_asked(open, row, key);
        open.hold::<T>(&row.key());
        look_again(open, from_ref(row), operation).await?;
    } else if before.is_some() {
        // It is locked. If it was met, a trigger did something else.
        note_change(open, before.as_ref(), None);
    }
    Ok(row)
}
