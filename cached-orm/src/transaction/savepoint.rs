use super::{
    ROLLBACK,
    open::{Book, Open, State},
};
use crate::{Backend, Error, Operation, Persist, Result};
use sqlx::Connection as _;
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
    transaction: sqlx::Transaction<'t, DB>,
    mark: Mark<'t, DB>,
}

impl<'t, DB: Backend> Savepoint<'t, DB> {
    pub(super) async fn begin(
        connection: &'t mut DB::Connection,
        book: &'t mut Book<DB>,
    ) -> Result<Self> {
        book.usable()?;
        book.setting_savepoint(SAVEPOINT);
        let transaction = connection.begin().await.map_err(Error::database(SAVEPOINT))?;
        book.savepoint_set();
        Ok(Self { transaction, mark: Mark::new(book) })
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
    pub async fn commit(self) -> Result<()> {
        let Self { transaction, mut mark } = self;
        mark.begin_end(SAVEPOINT)?;
        let kept = transaction.commit().await;
        mark.book.answered();
        kept.map_err(Error::database(SAVEPOINT))?;
        mark.end = End::Kept;
        Ok(())
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
    pub async fn rollback(self) -> Result<()> {
        let Self { transaction, mut mark } = self;
        mark.begin_end(ROLLBACK)?;
        let undone = transaction.rollback().await;
        mark.book.answered();
        match undone {
            Ok(()) => {
                mark.end = End::Undone;
                Ok(())
            }
            Err(error) => {
                mark.book.lose(ROLLBACK);
                Err(Error::database(ROLLBACK)(error))
            }
        }
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
        Savepoint::begin(&mut *self.transaction, self.mark.book).await
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
        Open { connection: &mut self.transaction, book: self.mark.book }
    }
}

impl<DB: Backend> Deref for Savepoint<'_, DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.transaction
    }
}

impl<DB: Backend> DerefMut for Savepoint<'_, DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.mark.book.suspect();
        &mut self.transaction
    }
}

impl<DB: Backend> fmt::Debug for Savepoint<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Savepoint").field("book", &self.mark.book).finish_non_exhaustive()
    }
}

/// Where a savepoint began, to go back to unless it is kept.
struct Mark<'t, DB: Backend> {
    book: &'t mut Book<DB>,
    journal_length: usize,
    state: State,
    end: End,
}

/// How a savepoint ended.
enum End {
    /// Its rollback is only queued, and may fail.
    Dropped,
    Undone,
    Kept,
}

impl<'t, DB: Backend> Mark<'t, DB> {
    fn new(book: &'t mut Book<DB>) -> Self {
        Self { journal_length: book.journal().len(), state: book.state(), book, end: End::Dropped }
    }

    /// Before the savepoint's end is sent: refuses where nothing can be sent.
    fn begin_end(&mut self, operation: Operation) -> Result<()> {
        match self.book.broken_off() {
            Some(operation) => Err(Error::HalfDone { operation }),
            None => {
                self.book.asked(operation);
                Ok(())
            }
        }
    }
}

impl<DB: Backend> Drop for Mark<'_, DB> {
    fn drop(&mut self) {
        self.book.savepoint_over();
        match self.end {
            End::Kept => {}
            End::Undone => self.book.go_back(self.journal_length, self.state),
            End::Dropped => {
                self.book.go_back(self.journal_length, self.state);
                self.book.suspect();
            }
        }
    }
}
