//! Writes in a transaction that the caller has begun with sqlx.

use super::{
    bulk::{keep, savepoint},
    delete_in,
    found_again::keeps_key,
    insert_in, update_in,
};
use crate::{
    Backend, IndexValue, Operation, Orm, Pending, Persist, Result,
    coherence::Journal,
    pending::{CutOff, no_transaction},
    schema::TableFacts,
    transaction::{Book, Open},
};
use futures_util::FutureExt as _;
use sqlx::Connection as _;

pub(crate) async fn insert_on<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    connection: &mut DB::Connection,
    value: &T,
    operation: Operation,
) -> Result<(T, Pending<DB>)> {
    let mut book = pending_book(orm, connection, operation)?;
    let cut_off = CutOff::of(orm, keys::<DB, T>(orm, &value.key(), Some(value)));
    let mut open = Open::new(connection, &mut book);
    let written = match facts::<DB, T>(orm, operation).await {
        Some(facts) if !keeps_key(facts, value) => {
            let undone = async {
                let mut savepoint = savepoint(&mut open, operation).await?;
                let written = insert_in(&mut savepoint.open(), value, operation).await;
                keep(savepoint, written).await
            };
            undone.boxed().await
        }
        _ => insert_in(&mut open, value, operation).await,
    };
    pending(book, cut_off, written)
}

/// What tells whether it may turn out that a trigger has given the row another key, which
/// nobody says: then it must be undone, since the transaction is the caller's to commit.
/// `None` where that is said.
async fn facts<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    operation: Operation,
) -> Option<TableFacts> {
    match DB::RETURNING || orm.lives_in_pool() {
        true => None,
        false => Some(orm.table_facts::<T>(operation).await),
    }
}

pub(crate) async fn update_on<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    connection: &mut DB::Connection,
    value: &T,
    operation: Operation,
) -> Result<(T, Pending<DB>)> {
    let mut book = pending_book(orm, connection, operation)?;
    let cut_off = CutOff::of(orm, keys::<DB, T>(orm, &value.key(), Some(value)));
    let mut open = Open::new(connection, &mut book);
    let written = match facts::<DB, T>(orm, operation).await {
        Some(facts) if !facts.updates_keep_keys => {
            let undone = async {
                let mut savepoint = savepoint(&mut open, operation).await?;
                let written = update_in(&mut savepoint.open(), value, operation).await;
                keep(savepoint, written).await
            };
            undone.boxed().await
        }
        _ => update_in(&mut open, value, operation).await,
    };
    pending(book, cut_off, written)
}

pub(crate) async fn delete_on<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    connection: &mut DB::Connection,
    key: &T::Key,
    operation: Operation,
) -> Result<(bool, Pending<DB>)> {
    let mut book = pending_book(orm, connection, operation)?;
    let cut_off = CutOff::of(orm, keys::<DB, T>(orm, key, None));
    let mut open = Open::new(connection, &mut book);
    let written = delete_in::<DB, T>(&mut open, key, operation).await;
    pending(book, cut_off, written)
}

/// The keys that the write has touched for certain, so far as they are known before
/// it: those of the row, and of the values that it gets.
fn keys<DB: Backend, T: Persist<DB>>(orm: &Orm<DB>, key: &T::Key, got: Option<&T>) -> Journal {
    let mut journal = Journal::default();
    orm.cache_keys::<T>(key).for_each(|key| journal.touch(key));
    for index in T::INDEXES {
        let value = got.map(|row| index.value_of(row));
        let Some(text) = value.as_ref().and_then(IndexValue::text) else { continue };
        let key = index.cache_key(orm.namespace(), text);
        if index.is_unique() { journal.touch(key) } else { journal.touch_shared(key) }
    }
    journal
}

/// What a write gave, and the keys to be fenced before COMMIT.
fn pending<DB: Backend, R>(
    book: Book<DB>,
    cut_off: CutOff<DB>,
    written: Result<R>,
) -> Result<(R, Pending<DB>)> {
    if book.is_settled() {
        cut_off.not();
    }
    Ok((written?, Pending::of(book)))
}

/// The book of one write in the caller's own transaction.
fn pending_book<DB: Backend>(
    orm: &Orm<DB>,
    connection: &DB::Connection,
    operation: Operation,
) -> Result<Book<DB>> {
    if !connection.is_in_transaction() {
        return Err(no_transaction(operation));
    }
    let mut book = Book::new(orm);
    // Nobody knows what was done on it.
    book.suspect();
    Ok(book)
}
