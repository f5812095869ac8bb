use super::{
    ROLLBACK,
    open::{Book, Mark, Open},
};
use crate::{Backend, Error, Operation, Persist, Result, pooled::is_answer};
use sqlx_core::transaction::TransactionManager as _;
use std::{
    fmt,
    ops::{Deref, DerefMut},
};

const SAVEPOINT: Operation = Operation::new("savepoint");

/// A part of a [`Transaction`](crate::Transaction) that can be undone by itself.
///
/// Has the transaction's methods. Dropping it undoes it.
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
/// let mut transaction = orm.begin().await?;
/// let mut part = transaction.savepoint().await?;
/// match User::delete_by_key(&mut part, 7).await {
///     Ok(_) => part.commit().await?,
///     Err(_) => part.rollback().await?, // and the transaction goes on
/// }
/// transaction.commit().await?;
/// # Ok(()) }
/// ```
pub struct Savepoint<'t, DB: Backend> {
    connection: &'t mut DB::Connection,
    book: &'t mut Book<DB>,
    /// What to go back to unless it is kept.
    mark: Mark,
    end: End,
    /// The write that it is a part of.
    write: Option<Operation>,
}

/// How a savepoint ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It has not ended. Dropped, its rollback is only queued, and may fail.
    Open,
    /// Its end was sent, and is not confirmed.
    Unconfirmed,
    Undone,
    Kept,
}

impl<'t, DB: Backend> Savepoint<'t, DB> {
    pub(super) async fn begin(mut open: Open<'t, DB>) -> Result<Self> {
        open.usable()?;
        open.get_in_step(SAVEPOINT).await?;
        let Open { connection, book } = open;
        book.setting_savepoint(SAVEPOINT);
        let set = DB::TransactionManager::begin(connection, None).await;
        book.answered(set.as_ref().err());
        set.map_err(Error::database(SAVEPOINT))?;
        book.savepoint_set();
        let mark = book.mark();
        Ok(Self { connection, book, mark, end: End::Open, write: None })
    }

    /// Keeps what was done since it began, as part of the transaction.
    ///
    /// # Errors
    /// [`Error::Database`] if the database refuses, as PostgreSQL does after a
    /// failed statement; the savepoint is then undone.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let mut transaction = orm.begin().await?;
    /// let mut part = transaction.savepoint().await?;
    /// User::delete_by_key(&mut part, 7).await?;
    /// part.commit().await?;
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// ```
    pub async fn commit(mut self) -> Result<()> {
        self.begin_end(SAVEPOINT).await?;
        let kept = DB::TransactionManager::commit(self.connection).await;
        self.book.answered(kept.as_ref().err());
        self.end = match &kept {
            Ok(()) => End::Kept,
            // It is there still.
            Err(error) if is_answer(error) => End::Open,
            Err(_) => End::Unconfirmed,
        };
        kept.map_err(Error::database(SAVEPOINT))
    }

    /// Undoes what was done since it began. Its keys will not be fenced.
    ///
    /// # Errors
    /// [`Error::Database`] if the connection is lost. On MySQL and MariaDB
    /// [`Error::HalfDone`] if a statement was cancelled: sqlx cannot use the
    /// connection further, and the transaction can only be rolled back.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let mut transaction = orm.begin().await?;
    /// let mut part = transaction.savepoint().await?;
    /// User::delete_by_key(&mut part, 7).await?;
    /// part.rollback().await?; // the row stays
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// ```
    pub async fn rollback(mut self) -> Result<()> {
        self.begin_end(ROLLBACK).await?;
        let undone = DB::TransactionManager::rollback(self.connection).await;
        self.book.answered(undone.as_ref().err());
        undone.map_err(Error::database(ROLLBACK))?;
        self.end = End::Undone;
        Ok(())
    }

    /// Before its end is sent: refuses where nothing can be sent, and where that
    /// would be the end of another.
    async fn begin_end(&mut self, operation: Operation) -> Result<()> {
        if let Some(operation) = self.book.useless() {
            return Err(Error::HalfDone { operation });
        }
        self.open().check_if_suspect(operation).await?;
        self.end = End::Unconfirmed;
        if !self.book.counts_as(self.connection) {
            return Err(Error::HalfDone { operation });
        }
        self.book.asked_to_end(operation);
        Ok(())
    }

    /// Makes it a part of this write, which is half done if it is dropped without an
    /// end.
    pub(crate) fn of_write(&mut self, operation: Operation) {
        self.write = Some(operation);
    }

    /// Begins a part that can be undone by itself.
    ///
    /// # Errors
    /// As [`Transaction::savepoint`](crate::Transaction::savepoint).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let mut transaction = orm.begin().await?;
    /// let mut outer = transaction.savepoint().await?;
    /// let mut inner = outer.savepoint().await?;
    /// User::delete_by_key(&mut inner, 7).await?;
    /// inner.commit().await?;
    /// outer.rollback().await?; // undoes both
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// ```
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_, DB>> {
        Savepoint::begin(self.open()).await
    }

    /// Locks a row that SQL of your own changes, and notes it, as
    /// [`Transaction::touch`](crate::Transaction::touch).
    ///
    /// # Errors
    /// As [`Transaction::touch`](crate::Transaction::touch).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let mut transaction = orm.begin().await?;
    /// let mut part = transaction.savepoint().await?;
    /// if part.touch::<User>(7).await? {
    ///     // … SQL on `&mut *part` that changes the row …
    /// }
    /// part.commit().await?;
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// ```
    pub async fn touch<T: Persist<DB>>(&mut self, key: T::Key) -> Result<bool> {
        crate::write::touch::<DB, T>(self.open(), &key).await
    }

    pub(crate) fn open(&mut self) -> Open<'_, DB> {
        Open { connection: self.connection, book: self.book }
    }
}

impl<DB: Backend> Deref for Savepoint<'_, DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        self.connection
    }
}

impl<DB: Backend> DerefMut for Savepoint<'_, DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.book.lend();
        self.connection
    }
}

impl<DB: Backend> fmt::Debug for Savepoint<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Savepoint").field("book", &self.book).finish_non_exhaustive()
    }
}

// sqlx's own transaction would send ROLLBACK TO after a RELEASE that nobody has
// waited for, and an older savepoint of the same name may be there.
impl<DB: Backend> Drop for Savepoint<'_, DB> {
    fn drop(&mut self) {
        match self.end {
            End::Kept => {}
            End::Undone => self.book.go_back(self.mark),
            End::Unconfirmed => self.book.lose(SAVEPOINT),
            End::Open if self.book.useless().is_some() => {}
            End::Open => {
                DB::TransactionManager::start_rollback(self.connection);
                self.book.go_back(self.mark);
                self.book.suspect();
                if let Some(write) = self.write {
                    self.book.half_done(write);
                }
            }
        }
        self.book.savepoint_over();
    }
}
