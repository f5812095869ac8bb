mod open;
mod savepoint;

pub(crate) use open::Open;
pub use savepoint::Savepoint;

use crate::{
    Backend, Error, Operation, Orm, Result,
    coherence::{CommitFailure, Ended, OpenTransaction, after_panic},
};
use open::Book;
use sqlx::Connection as _;
use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

const BEGIN: Operation = Operation::new("begin");
const COMMIT: Operation = Operation::new("commit");
const ROLLBACK: Operation = Operation::new("rollback");

/// How far a transaction sees the writes of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// Every statement sees what was committed before it.
    ReadCommitted,
    /// All statements see what was committed before the first.
    RepeatableRead,
    /// As if transactions ran one after another.
    Serializable,
}

/// What [`Transaction::commit`] returns: the transaction is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// How many keys' fences may still lie in the cache, since the cache did
    /// not answer after COMMIT. Such a key is read from the database until its
    /// fence expires. Only if the cache had lost the fence *and* a reader had
    /// stored the old row meanwhile can that row be read, until its TTL.
    pub release_unconfirmed: usize,
}

/// A database transaction that notes which rows it changes.
///
/// Dereferences to sqlx's connection, for SQL of your own. Nothing goes to the
/// cache before [`commit`](Self::commit). Dropping it rolls back.
///
/// Raw `COMMIT`, `ROLLBACK` and `ROLLBACK TO` on the connection are not noticed
/// and break the promises: use the methods.
pub struct Transaction<DB: Backend> {
    transaction: sqlx::Transaction<'static, DB>,
    book: Book<DB>,
}

impl<DB: Backend> Transaction<DB> {
    pub(crate) async fn begin(orm: &Orm<DB>, isolation: Option<Isolation>) -> Result<Self> {
        let begun = match DB::begin(isolation) {
            Some(statement) => orm.pool().begin_with(statement).await,
            None => orm.pool().begin().await,
        };
        Ok(Self { transaction: begun.map_err(Error::database(BEGIN))?, book: Book::new(orm) })
    }

    /// Commits: fences every touched key, sends COMMIT, releases the fences.
    ///
    /// When it returns, no read that starts later returns anything older than
    /// what was committed. The work goes on in a task of its own if this future
    /// is dropped; it is then not known how it ended.
    ///
    /// # Errors
    /// [`Error::NotFenced`], [`Error::RolledBack`] and [`Error::HalfDone`]:
    /// nothing was written. [`Error::CommitUnknown`] and
    /// [`Error::ShuttingDown`]: the outcome is not known; readers get whatever
    /// the database says.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, mut ann: User, mut bob: User) -> Result<()> {
    /// let mut transaction = orm.begin().await?;
    /// std::mem::swap(&mut ann.name, &mut bob.name);
    /// ann.update(&mut transaction).await?;
    /// bob.update(&mut transaction).await?;
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// ```
    pub async fn commit(self) -> Result<Committed> {
        self.commit_as(COMMIT).await
    }

    pub(crate) async fn commit_as(self, operation: Operation) -> Result<Committed> {
        let Self { transaction, book } = self;
        if let Err(error) = book.can_commit(operation) {
            transaction.rollback().await.map_err(Error::database(ROLLBACK))?;
            return Err(error);
        }
        let coherence = Arc::clone(book.orm().coherence());
        let (journal, suspect) = book.close();
        let mut closing = Closing { transaction: Some(transaction), suspect };
        let task = tokio::spawn(async move { coherence.commit(&mut closing, journal).await });
        match task.await {
            Ok(Ok(release_unconfirmed)) => Ok(Committed { release_unconfirmed }),
            Ok(Err(CommitFailure::NotFenced(source))) => {
                Err(Error::NotFenced { operation, source })
            }
            Ok(Err(CommitFailure::RolledBack(source))) => {
                Err(Error::RolledBack { operation, source: source.into() })
            }
            Ok(Err(CommitFailure::Unknown(source))) => {
                Err(Error::CommitUnknown { operation, source: source.into() })
            }
            Err(ended) => Err(after_panic(ended, Error::ShuttingDown { operation })),
        }
    }

    /// Undoes everything. The cache was not told anything, so there is nothing
    /// to undo there.
    ///
    /// # Errors
    /// [`Error::Database`] if the connection is lost; the database then rolls
    /// back by itself.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, ann: User) -> Result<()> {
    /// let mut transaction = orm.begin().await?;
    /// ann.delete(&mut transaction).await?;
    /// transaction.rollback().await
    /// # }
    /// ```
    pub async fn rollback(self) -> Result<()> {
        self.transaction.rollback().await.map_err(Error::database(ROLLBACK))
    }

    /// Begins a part that can be undone by itself.
    ///
    /// # Errors
    /// [`Error::Database`] if the database refuses, [`Error::HalfDone`] if the
    /// transaction can only be rolled back.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, ann: User, mut bob: User) -> Result<()> {
    /// let mut transaction = orm.begin().await?;
    /// let mut savepoint = transaction.savepoint().await?;
    /// ann.delete(&mut savepoint).await?;
    /// savepoint.rollback().await?; // Ann stays,
    /// bob.update(&mut transaction).await?;
    /// transaction.commit().await?; // and Bob is written.
    /// # Ok(()) }
    /// ```
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_, DB>> {
        Savepoint::begin(&mut *self.transaction, &mut self.book).await
    }

    pub(crate) fn open(&mut self) -> Open<'_, DB> {
        Open { connection: &mut self.transaction, book: &mut self.book }
    }
}

impl<DB: Backend> Deref for Transaction<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.transaction
    }
}

impl<DB: Backend> DerefMut for Transaction<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.book.suspect();
        &mut self.transaction
    }
}

impl<DB: Backend> fmt::Debug for Transaction<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("book", &self.book).finish_non_exhaustive()
    }
}

fn over() -> sqlx::Error {
    sqlx::Error::Protocol("the transaction is over".to_owned())
}

/// A transaction at its end, as the protocol sees it.
struct Closing<DB: Backend> {
    /// `None` once COMMIT or ROLLBACK was sent.
    transaction: Option<sqlx::Transaction<'static, DB>>,
    suspect: bool,
}

impl<DB: Backend> OpenTransaction for Closing<DB> {
    type Error = sqlx::Error;

    async fn check(&mut self) -> sqlx::Result<()> {
        match &mut self.transaction {
            // sqlx answers a COMMIT outside a transaction with success.
            Some(transaction) if !transaction.is_in_transaction() => Err(over()),
            Some(transaction) if self.suspect => DB::check_open(transaction).await,
            Some(_) => Ok(()),
            None => Err(over()),
        }
    }

    async fn commit(&mut self) -> Ended<sqlx::Error> {
        // On an error sqlx sends ROLLBACK, in case the transaction is open still.
        let Some(transaction) = self.transaction.take() else { return Ended::RolledBack(over()) };
        match transaction.commit().await {
            Ok(()) => Ended::Committed,
            Err(error) if DB::commit_refused(&error) => Ended::RolledBack(error),
            Err(error) => Ended::Unknown(error),
        }
    }

    async fn rollback(&mut self) {
        if let Some(transaction) = self.transaction.take()
            && let Err(error) = transaction.rollback().await
        {
            // The connection is lost, and the database rolls back by itself.
            tracing::debug!(%error, "a rollback failed");
        }
    }
}
