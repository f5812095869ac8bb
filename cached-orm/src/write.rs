use crate::{
    Backend, BindKey as _, Bindings, Committed, Error, Operation, Orm, Pending, Persist, Result,
    Transaction,
    session::Target,
    steps::{Step, reach},
    transaction::{Book, Open},
};
use sqlx::Connection as _;

pub(crate) async fn insert<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    match target {
        Target::Open(mut open) => insert_in(&mut open, value, operation).await,
        Target::Orm(orm) => {
            let mut own = OwnTransaction::begin::<T>(orm, operation).await?;
            let inserted = insert_in(&mut own.open(), value, operation).await;
            own.end(inserted, |row| Some(row)).await
        }
    }
}

pub(crate) async fn update<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    match target {
        Target::Open(mut open) => update_in(&mut open, value, operation).await,
        Target::Orm(orm) => {
            let mut own = OwnTransaction::begin::<T>(orm, operation).await?;
            let updated = update_in(&mut own.open(), value, operation).await;
            own.end(updated, |row| Some(row)).await
        }
    }
}

pub(crate) async fn delete<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<bool> {
    match target {
        Target::Open(mut open) => delete_in::<DB, T>(&mut open, key, operation).await,
        Target::Orm(orm) => {
            let mut own = OwnTransaction::begin::<T>(orm, operation).await?;
            let deleted = delete_in::<DB, T>(&mut own.open(), key, operation).await;
            own.end(deleted, |_| None::<&T>).await
        }
    }
}

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

/// The transaction of a write that was called on an `Orm`.
struct OwnTransaction<DB: Backend> {
    transaction: Transaction<DB>,
    /// Whether the row that the statement returned is what will be committed.
    row_is_final: bool,
    operation: Operation,
}

impl<DB: Backend> OwnTransaction<DB> {
    async fn begin<T: Persist<DB>>(orm: &Orm<DB>, operation: Operation) -> Result<Self> {
        // Before the transaction: it is asked on another connection.
        let row_is_final = orm.rows_are_final::<T>().await;
        let transaction = Transaction::begin(orm, None).await?;
        reach(Step::Begun);
        Ok(Self { transaction, row_is_final, operation })
    }

    fn open(&mut self) -> Open<'_, DB> {
        self.transaction.open()
    }

    /// Commits, with the row that was written taking its fence's place where
    /// that is sound; or rolls back.
    async fn end<T: Persist<DB>, R>(
        mut self,
        written: Result<R>,
        row: impl FnOnce(&R) -> Option<&T>,
    ) -> Result<R> {
        let written = match written {
            Ok(written) => written,
            Err(error) => {
                // The first error is the one to report; a connection that
                // cannot roll back is closed, and the database does it.
                let _ = self.transaction.rollback().await;
                return Err(error);
            }
        };
        reach(Step::Written);
        if self.row_is_final
            && let Some(row) = row(&written)
        {
            self.open().write_through(row);
        }
        let Committed { .. } = self.transaction.commit_as(self.operation).await?;
        Ok(written)
    }
}

pub(crate) async fn insert_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    open.begin_write(operation).await?;
    let mut bindings = Bindings::new();
    value.bind_columns(&mut bindings);
    value.bind_given_key(&mut bindings);
    let row = if DB::RETURNING {
        let rows = open.fetch_at_most(T::INSERT, bindings, 1, operation).await;
        or_failed(open, rows).await?.pop()
    } else {
        let done = open.execute(T::INSERT, bindings, operation).await;
        let done = or_failed(open, done).await?;
        read_inserted(open, value, DB::generated_key(&done), operation).await?
    };
    let Some(row) = row else {
        // A trigger or a rule has swallowed the row.
        open.settled();
        return Err(Error::RowNotFound { operation });
    };
    open.touch::<T>(&row.key());
    open.settled();
    Ok(row)
}

/// The row that was just inserted, on a database that does not return it.
async fn read_inserted<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    key_was_generated: bool,
    operation: Operation,
) -> Result<Option<T>> {
    let mut bindings = Bindings::new();
    let sql = match T::SELECT_INSERTED {
        Some(_) if !key_was_generated => return Err(Error::NoGeneratedKey { operation }),
        Some(sql) => {
            value.bind_given_key(&mut bindings);
            sql
        }
        None => {
            value.key().bind(&mut bindings);
            T::LOCK_BY_KEY
        }
    };
    let rows = open.fetch_at_most(sql, bindings, 1, operation).await;
    Ok(rows?.pop())
}

pub(crate) async fn update_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    open.begin_write(operation).await?;
    let key = value.key();
    let mut bindings = Bindings::new();
    value.bind_columns(&mut bindings);
    key.bind(&mut bindings);
    let rows: Vec<T> = if DB::RETURNING {
        let rows = open.fetch_at_most(T::UPDATE, bindings, 2, operation).await;
        or_failed(open, rows).await?
    } else {
        let done = open.execute(T::UPDATE, bindings, operation).await;
        let done = or_failed(open, done).await?;
        match DB::rows_met(&done) {
            0 => Vec::new(),
            _ => {
                let rows = lock_by_key(open, &key, operation).await?;
                if rows.is_empty() {
                    // A trigger has given the row another key: half done.
                    return Err(Error::RowNotFound { operation });
                }
                rows
            }
        }
    };
    let row = one_row(open, rows, &key, operation)?;
    open.settled();
    row.ok_or(Error::RowNotFound { operation })
}

pub(crate) async fn delete_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<bool> {
    open.begin_write(operation).await?;
    let mut bindings = Bindings::new();
    key.bind(&mut bindings);
    let rows: Vec<T> = if DB::RETURNING {
        let rows = open.fetch_at_most(T::DELETE, bindings, 2, operation).await;
        or_failed(open, rows).await?
    } else {
        let rows = lock_by_key(open, key, operation).await;
        let rows = or_failed(open, rows).await?;
        if !rows.is_empty() {
            let done = open.execute(T::DELETE, bindings, operation).await;
            or_failed(open, done).await?;
        }
        rows
    };
    let row = one_row(open, rows, key, operation)?;
    open.settled();
    Ok(row.is_some())
}

/// What a write's first statement gave, or its error, which has been noted.
async fn or_failed<DB: Backend, R>(open: &mut Open<'_, DB>, outcome: Result<R>) -> Result<R> {
    match outcome {
        Ok(outcome) => Ok(outcome),
        Err(error) => Err(open.write_failed(error).await),
    }
}

/// The row as it is now, locked until the transaction ends. A read without a
/// lock would show an old snapshot where the statement changed no value.
async fn lock_by_key<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<Vec<T>> {
    let mut bindings = Bindings::new();
    key.bind(&mut bindings);
    open.fetch_at_most(T::LOCK_BY_KEY, bindings, 2, operation).await
}

/// Notes the keys of the rows that a statement met, of which there should be
/// one at most.
fn one_row<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    mut rows: Vec<T>,
    asked: &T::Key,
    operation: Operation,
) -> Result<Option<T>> {
    if rows.len() > 1 {
        return Err(Error::MoreThanOneRow { operation });
    }
    let row = rows.pop();
    if let Some(row) = &row {
        let key = row.key();
        open.touch::<T>(&key);
        // By the database's collation `ANN` can be `ann`'s row.
        if key != *asked {
            open.touch::<T>(asked);
        }
    }
    Ok(row)
}
