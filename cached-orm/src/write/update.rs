use super::{
    change::{note_asked, note_change, one_row, read_before},
    lock_by_key, or_failed,
};
use crate::{
    Backend, BindKey as _, Bindings, Error, Operation, Persist, Result, sql::update_of,
    transaction::Open,
};
use sqlx::{SqlSafeStr as _, SqlStr};

pub(super) async fn update_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    open.begin_write(operation).await?;
    let key = value.key();
    let before = read_before(open, &key, operation).await?;
    let mut bindings = Bindings::new();
    value.bind_columns(&mut bindings);
    let statement = statement::<DB, T>(&mut bindings);
    key.bind(&mut bindings);
    let rows: Vec<T> = if let Some(statement) = statement {
        update_by(open, statement, bindings, &key, operation).await?
    } else {
        // Nothing to write.
        let rows = lock_by_key(open, &key, operation).await;
        or_failed(open, rows).await?
    };
    let Some(row) = one_row(rows, operation)? else {
        open.settled();
        return Err(Error::RowNotFound { operation });
    };
    note_change(open, before.as_ref(), Some(&row));
    note_asked(open, &row, &key);
    open.settled();
    Ok(row)
}

/// Runs an UPDATE, and returns the rows it met as they are now.
async fn update_by<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    statement: SqlStr,
    bindings: Bindings<DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<Vec<T>> {
    if DB::RETURNING {
        let rows = open.fetch_at_most(statement, bindings, 2, operation).await;
        return or_failed(open, rows).await;
    }
    let done = open.execute(statement, bindings, operation).await;
    let done = or_failed(open, done).await?;
    if DB::rows_met(&done) == 0 {
        return Ok(Vec::new());
    }
    let rows = lock_by_key(open, key, operation).await?;
    if rows.is_empty() {
        // A trigger has given the row another key: half done.
        return Err(Error::RowNotFound { operation });
    }
    Ok(rows)
}

/// The UPDATE for what was bound, without the columns that are not loaded;
/// `None` if no column is left.
fn statement<DB: Backend, T: Persist<DB>>(bindings: &mut Bindings<DB>) -> Option<SqlStr> {
    let not_loaded = bindings.take_not_loaded();
    if not_loaded.is_empty() {
        return Some(T::UPDATE.into_sql_str());
    }
    let loaded: Vec<_> =
        T::WRITTEN.iter().copied().filter(|column| !not_loaded.contains(column)).collect();
    update_of::<DB, T>(&loaded)
}
