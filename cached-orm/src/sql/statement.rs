use super::{Backend, Bindings, Kept, Loaded, Row, key_list::text};
use crate::{Error, Operation, Persist, Result};
use futures_util::TryStreamExt as _;
use sqlx::{Executor as _, SqlSafeStr};
use std::sync::Arc;

/// Runs `sql` and maps the rows, up to `limit` of them; `note` sees each. Where there is
/// no limit, the error of a row that cannot be read tells its key.
pub(crate) async fn fetch_at_most<DB: Backend, T: Persist<DB>>(
    connection: &mut DB::Connection,
    sql: impl SqlSafeStr + Send,
    bindings: Bindings<DB>,
    limit: usize,
    operation: Operation,
    kept: Kept,
    mut note: impl FnMut(&DB::Row) + Send,
) -> Result<Vec<Loaded<T>>> {
    let arguments = finish(bindings, operation)?;
    let query = sqlx::query_with::<DB, _>(sql, arguments);
    let mut rows = Ok(Vec::new());
    // Read to the end, past the limit and past a row that cannot be decoded: a
    // statement is not over before its last row was read.
    let mut stream = DB::on_connection(connection).fetch(query);
    while let Some(row) = stream.try_next().await.map_err(Error::database(operation))? {
        note(&row);
        if let Ok(mapped) = &mut rows
            && mapped.len() < limit
        {
            match Row::read::<T>(&row, kept) {
                Ok(value) => mapped.push(value),
                Err(error) if limit == usize::MAX => rows = Err(of_row::<DB, T>(&row, error)),
                Err(error) => rows = Err(error),
            }
        }
    }
    rows
}

/// Runs `sql` and maps every row, of which the cache is to hold none.
pub(crate) async fn fetch_rows<DB: Backend, T: Persist<DB>>(
    connection: &mut DB::Connection,
    sql: impl SqlSafeStr + Send,
    bindings: Bindings<DB>,
    operation: Operation,
) -> Result<Vec<T>> {
    let rows = fetch_at_most(connection, sql, bindings, usize::MAX, operation, Kept::No, |_| {});
    Ok(rows.await?.into_iter().map(Loaded::into_row).collect())
}

/// The only row of a statement without arguments, as the driver gives it.
pub(crate) async fn fetch_raw<DB: Backend>(
    connection: &mut DB::Connection,
    sql: impl SqlSafeStr + Send,
    operation: Operation,
) -> Result<DB::Row> {
    let query = sqlx::query_with::<DB, _>(sql, finish(Bindings::<DB>::new(), operation)?);
    DB::on_connection(connection).fetch_one(query).await.map_err(Error::database(operation))
}

/// Runs `sql`, which returns no rows.
pub(crate) async fn execute<DB: Backend>(
    connection: &mut DB::Connection,
    sql: impl SqlSafeStr + Send,
    bindings: Bindings<DB>,
    operation: Operation,
) -> Result<DB::QueryResult> {
    let arguments = finish(bindings, operation)?;
    let query = sqlx::query_with::<DB, _>(sql, arguments);
    DB::on_connection(connection).execute(query).await.map_err(Error::database(operation))
}

/// The error, and which of several rows it is of.
fn of_row<DB: Backend, T: Persist<DB>>(row: &DB::Row, error: Error) -> Error {
    match Row::read_key::<T>(row) {
        Some(key) => Error::Key { key: text(&key), source: Arc::new(error) },
        None => error,
    }
}

fn finish<DB: Backend>(bindings: Bindings<DB>, operation: Operation) -> Result<DB::Arguments> {
    if let Some(column) = bindings.not_loaded() {
        return Err(Error::NotLoaded { operation, column });
    }
    bindings.finish().map_err(|source| Error::Argument { operation, source: source.into() })
}
