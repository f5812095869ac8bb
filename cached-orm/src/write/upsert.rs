use super::{
    change::{needs_before, note_asked, note_change, one_row},
    insert::{Inserted, bind_row, insert_row},
    or_failed,
    second_look::{look_again, not_met},
    update::update_row,
};
use crate::{
    Backend, Bindings, Error, Operation, Persist, Result, schema::Change, sql::compose,
    transaction::Open,
};
use sqlx::error::DatabaseError;
use std::slice::from_ref;

/// How often it is tried that another inserts the same row in between.
pub(super) const ATTEMPTS: usize = 4;

pub(super) async fn upsert_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    open.check_indexes::<T>(None, operation).await?;
    open.check_columns::<T>(operation).await?;
    open.begin_write_of::<T>(&[Change::Insert, Change::Update], operation).await?;
    let mut bindings = Bindings::new();
    bind_row(value, &mut bindings);
    // An update leaves out what is not loaded, and an insert cannot.
    let is_whole = bindings.not_loaded().is_none();
    let row = if is_whole && is_one_statement::<DB, T>() {
        insert_or_update(open, value, bindings, operation).await?
    } else {
        update_or_insert(open, value, operation).await?
    };
    if row.is_none() && DB::RETURNING && !open.is_of_one_write() {
        not_met::<DB, T>(open, &value.key(), operation).await?;
    }
    open.settled();
    // If there is none, a trigger or a rule has swallowed it.
    row.ok_or(Error::RowNotFound { operation })
}

/// Whether one statement does it. PostgreSQL's `ON CONFLICT … DO UPDATE` locks the row as
/// if its key changed where it names a column of any unique index, changed or not: beside
/// whoever inserts a row that refers to this one it would wait, or end in a deadlock.
fn is_one_statement<DB: Backend, T: Persist<DB>>() -> bool {
    DB::RETURNING && DB::LOCK_ROWS.is_empty() && !needs_before::<T>()
}

async fn insert_or_update<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    bindings: Bindings<DB>,
    operation: Operation,
) -> Result<Option<T>> {
    let sql = compose::upsert::<DB, T>(bindings.columns());
    let rows = open.fetch_written(sql, bindings, 2, operation).await;
    let row = one_row(or_failed(open, rows).await?, operation)?;
    if let Some(row) = &row {
        note_change(open, None, Some(row));
        note_asked(open, row, &value.key());
        look_again(open, from_ref(row), operation).await?;
    }
    Ok(row)
}

/// By two statements, between which another may insert the row. Never by `ON
/// DUPLICATE KEY`, which would change a row that equals this one in another unique
/// index.
async fn update_or_insert<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<Option<T>> {
    let key = value.key();
    let mut refused = None;
    // One who inserts a row may delete it as well, but not for ever.
    for _ in 0..ATTEMPTS {
        let mut assigned = Bindings::new();
        value.bind_columns(&mut assigned);
        assigned.leave_out_not_loaded();
        if let Some(row) = update_row(open, &key, assigned, None, operation).await? {
            return Ok(Some(row));
        }
        if let Some(error) = refused {
            // There is no such row, so it is of another unique index.
            return or_failed(open, Err(error)).await;
        }
        match insert_row(open, value, compose::insert_unless_there::<DB, T>, operation).await? {
            Inserted::Row(Some(row)) => return Ok(Some(row)),
            // Where a failed statement would end the transaction it is not one.
            Inserted::Row(None) => {}
            Inserted::Refused(error) if !DB::RETURNING && is_duplicate(&error) => {
                refused = Some(error);
            }
            Inserted::Refused(error) => return or_failed(open, Err(error)).await,
        }
    }
    Ok(None)
}

/// Whether a unique index has refused the row. Another who was inserting it at the
/// same moment may be the cause: PostgreSQL looks for the key first, and may then
/// meet that row in another index, which is an error.
pub(super) fn is_duplicate(error: &Error) -> bool {
    matches!(error, Error::Database { source, .. }
        if source.as_database_error().is_some_and(DatabaseError::is_unique_violation))
}
