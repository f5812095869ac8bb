use super::{
    change::{note_asked, note_change},
    found_again::{Before, find_again},
    or_failed,
    second_look::{look_again, not_met},
};
use crate::{
    Backend, Bindings, Error, Operation, Persist, Result, schema::Change, transaction::Open,
};
use sqlx::{SqlSafeStr as _, SqlStr};
use std::slice::from_ref;

pub(super) async fn insert_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    open.check_indexes::<T>(None, operation).await?;
    open.check_columns::<T>(operation).await?;
    open.begin_write_of::<T>(&[Change::Insert], operation).await?;
    let row = match insert_row(open, value, |_| T::INSERT.into_sql_str(), operation).await? {
        Inserted::Row(row) => row,
        Inserted::Refused(error) => return or_failed(open, Err(error)).await,
    };
    if row.is_none() && DB::RETURNING && !open.is_of_one_write() {
        not_met::<DB, T>(open, &value.key(), operation).await?;
    }
    open.settled();
    // If there is none, a trigger or a rule has swallowed it.
    row.ok_or(Error::RowNotFound { operation })
}

/// What became of a row.
pub(super) enum Inserted<T> {
    Row(Option<T>),
    /// The statement failed, which is not noted yet.
    Refused(Error),
}

/// Inserts one row, by the statement that `sql` makes of the columns' names, and
/// notes it.
pub(super) async fn insert_row<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    sql: fn(&[&str]) -> SqlStr,
    operation: Operation,
) -> Result<Inserted<T>> {
    let mut bindings = Bindings::new();
    bind_row(value, &mut bindings);
    let sql = sql(bindings.columns());
    let row = if DB::RETURNING {
        match open.fetch_written(sql, bindings, 1, operation).await {
            Ok(mut rows) => rows.pop(),
            Err(error) => return Ok(Inserted::Refused(error)),
        }
    } else {
        let before = Before::look(open, value, operation).await?;
        match open.execute(sql, bindings, operation).await {
            Ok(done) => {
                Some(find_again(open, value, DB::last_key(&done), before, operation).await?)
            }
            Err(error) => return Ok(Inserted::Refused(error)),
        }
    };
    if let Some(row) = &row {
        note_change(open, None, Some(row));
        if gives_key::<DB, T>(value) {
            note_asked(open, row, &value.key());
        }
        look_again(open, from_ref(row), operation).await?;
    }
    Ok(Inserted::Row(row))
}

/// Whether the program chooses all of the primary key.
pub(super) fn gives_key<DB: Backend, T: Persist<DB>>(value: &T) -> bool {
    let mut bindings = Bindings::<DB>::new();
    value.bind_given_key(&mut bindings);
    bindings.columns().len() == T::TABLE.key_columns().len()
}

/// Adds everything that INSERT writes, in its order.
pub(super) fn bind_row<DB: Backend, T: Persist<DB>>(value: &T, bindings: &mut Bindings<DB>) {
    value.bind_columns(bindings);
    value.bind_version(bindings);
    value.bind_given_key(bindings);
}
