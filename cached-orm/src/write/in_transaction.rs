//! Writes in a transaction that the caller has begun with sqlx.

use super::{delete_in, insert_in, update_in};
use crate::{
    Backend, Error, Operation, Orm, Pending, Persist, Result,
    transaction::{Book, Open},
};
use sqlx::Connection as _;

pub(crate) async fn insert_on<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    connection: &mut DB::Connection,
    value: &T,
    operation: Operation,
) -> Result<(T, Pending<DB>)> {
    let mut book = pending_book(orm, connection, operation)?;
    let written = insert_in(&mut Open::new(connection, &mut book), value, operation).await?;
    Ok((written, Pending::of(book)))
}

pub(crate) async fn update_on<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    connection: &mut DB::Connection,
    value: &T,
    operation: Operation,
) -> Result<(T, Pending<DB>)> {
    let mut book = pending_book(orm, connection, operation)?;
    let written = update_in(&mut Open::new(connection, &mut book), value, operation).await?;
    Ok((written, Pending::of(book)))
}

pub(crate) async fn delete_on<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    connection: &mut DB::Connection,
    key: &T::Key,
    operation: Operation,
) -> Result<(bool, Pending<DB>)> {
    let mut book = pending_book(orm, connection, operation)?;
    let mut open = Open::new(connection, &mut book);
    let written = delete_in::<DB, T>(&mut open, key, operation).await?;
    Ok((written, Pending::of(book)))
}

/// The book of one write in the caller's own transaction.
fn pending_book<DB: Backend>(
    orm: &Orm<DB>,
    connection: &DB::Connection,
    operation: Operation,
) -> Result<Book<DB>> {
    if !connection.is_in_transaction() {
        return Err(Error::Configuration(format!(
            "{operation}: the connection is in no transaction; begin one with sqlx"
        )));
    }
    let mut book = Book::new(orm);
    // Nobody knows what was done on it.
    book.suspect();
    Ok(book)
}
