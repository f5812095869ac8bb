mod held_rows;
mod judged;
mod open;
mod savepoint;

pub(crate) use judged::Judged;
pub(crate) use open::{Book, Open, Summary};
pub use savepoint::Savepoint;

use crate::{
    Backend, CacheKey, Error, Isolation, Operation, Orm, Persist, Result,
    coherence::{CommitFailure, Ended, Enlist, OpenTransaction, after_panic},
    observe::{Committing, Watch},
    outbox::{AfterCommit, enlist_in},
    pooled::{Cut, Pooled, check_open},
    sql::Witness,
    steps::Step,
};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use sqlx_core::transaction::TransactionManager as _;
use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};
use tracing::Instrument as _;

const BEGIN: Operation = Operation::new("begin");
const COMMIT: Operation = Operation::new("commit");
const ROLLBACK: Operation = Operation::new("rollback");

/// What [`Transaction::commit`] returns: the transaction is committed.
///
/// ```no_run
/// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
/// let transaction = orm.begin().await?;
/// // …
/// let committed = transaction.commit().await?;
/// if committed.release_unconfirmed > 0 {
///     eprintln!("committed; some rows are not cached for a minute");
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// How many keys' fences may still lie in the cache, since the cache did
    /// not answer after COMMIT, and neither did the outbox take the keys. Such a
    /// key is read from the database until its fence expires. Only if the cache
    /// had lost the fence *and* a reader had stored the old row meanwhile can
    /// that row be read, until its TTL.
    pub release_unconfirmed: usize,
}

/// A database transaction that notes which rows it changes.
///
/// Dereferences to sqlx's connection, for SQL of your own. Nothing goes to the
/// cache before [`commit`](Self::commit). Dropping it rolls back.
///
/// Raw `COMMIT`, `ROLLBACK` and `ROLLBACK TO` on the connection are not noticed
/// and break the promises: use the methods.
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>) -> Result<(), Box<dyn std::error::Error>> {
/// let mut transaction = orm.begin().await?;
/// let user = User::fetch_one(&mut transaction, 7).await?;
/// user.delete(&mut transaction).await?;
/// cached_orm::sqlx::query("INSERT INTO log (line) VALUES ('7 is gone')").execute(&mut *transaction).await?;
/// transaction.commit().await?;
/// # Ok(()) }
/// ```
pub struct Transaction<DB: Backend> {
    connection: Pooled<DB>,
    /// Whether the database is still to be told of the end.
    is_open: bool,
    book: Book<DB>,
}

impl<DB: Backend> Transaction<DB> {
    pub(crate) async fn begin(orm: &Orm<DB>, isolation: Option<Isolation>) -> Result<Self> {
        Self::begin_by(orm, DB::begin(isolation).map(SqlSafeStr::into_sql_str)).await
    }

    /// The transaction of one write, which tells the cache of this key: triggers
    /// need not.
    pub(crate) async fn begin_with_own_key(orm: &Orm<DB>, text: &str) -> Result<Self> {
        let own_key = format!("{}:{text}", orm.namespace().name());
        match DB::begin_with_own_key(&own_key) {
            // Made of plain names and hexadecimal digits.
            Some(begin) => Self::begin_by(orm, Some(AssertSqlSafe(begin).into_sql_str())).await,
            None => Self::begin(orm, None).await,
        }
    }

    async fn begin_by(orm: &Orm<DB>, statement: Option<SqlStr>) -> Result<Self> {
        let connection = orm.acquire(orm.pool(), BEGIN).await?;
        let book = Book::inside(orm, connection.depth());
        let mut transaction = Self { connection, is_open: false, book };
        transaction.book.asked(BEGIN);
        let statement = statement.filter(|_| !orm.probe().rolls_back());
        // If this fails halfway the transaction may be open and sqlx not know it, so
        // that is no answer.
        let begun = DB::TransactionManager::begin(&mut transaction.connection, statement).await;
        begun.map_err(Error::database(BEGIN))?;
        transaction.book.answered(None);
        transaction.is_open = true;
        Ok(transaction)
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
        let watch = Watch::write(self.book.orm().meters(), COMMIT);
        watch.over(self.commit_as(COMMIT)).await
    }

    pub(crate) async fn commit_as(mut self, operation: Operation) -> Result<Committed> {
        let committing = match self.book.can_commit(operation) {
            Ok(committing) => committing,
            Err(error) => {
                self.rollback().await?;
                return Err(error);
            }
        };
        let coherence = Arc::clone(self.book.orm().coherence());
        let steps = coherence.steps().clone();
        let orm = self.book.orm().clone();
        let Summary { journal, witness, is_suspect, .. } = self.book.close();
        let transaction = Some(self);
        let closing =
            Closing { transaction, orm, witness, committing, is_suspect, enlisted: false };
        let task = tokio::spawn(coherence.commit(closing, journal).in_current_span());
        let ended = task.await;
        steps.reach(Step::Acknowledged).await;
        match ended {
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
        self.send_rollback().await.map_err(Error::database(ROLLBACK))
    }

    async fn send_commit(mut self) -> sqlx::Result<()> {
        self.book.asked_to_end(COMMIT);
        let committed = DB::TransactionManager::commit(&mut self.connection).await;
        self.book.answered(committed.as_ref().err());
        // After an error it is rolled back, in case it is open still.
        self.is_open = committed.is_err();
        committed
    }

    async fn send_rollback(mut self) -> sqlx::Result<()> {
        if let Some(cut) = self.cut() {
            if let Some(cutting_off) = self.connection.cut_off(cut) {
                // Its task goes on without this one.
                let _ = cutting_off.await;
            }
            return Ok(());
        }
        self.book.asked_to_end(ROLLBACK);
        let rolled_back = DB::TransactionManager::rollback(&mut self.connection).await;
        self.book.answered(rolled_back.as_ref().err());
        self.is_open = rolled_back.is_err();
        rolled_back
    }

    /// Why the connection must not be given back after a ROLLBACK, if it must not.
    fn cut(&self) -> Option<Cut> {
        if !self.connection.is_there() {
            return None;
        }
        let out_of_step = || self.book.may_be_out_of_step().then_some(Cut::Lent);
        let leaked = || (!self.book.counts_as(&self.connection)).then_some(Cut::Statement);
        let of_open = || out_of_step().or_else(leaked).filter(|_| self.is_open);
        self.book.cut().or_else(of_open)
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
        Savepoint::begin(self.open()).await
    }

    /// Locks the row with this primary key, and notes that it is changed by SQL of
    /// your own in this transaction: at its end the row is fenced like one that
    /// this crate has written. Says whether there is such a row. What is then read of it
    /// in this transaction is the row that is locked, and no older one.
    ///
    /// Call it before the statement, so that nobody else changes the row in
    /// between. Call it again after the statement if that may have changed a column
    /// of an index or the key; for a row that it inserts, only after it. A row that
    /// was not there is not noted.
    ///
    /// # Errors
    /// [`Error::Database`] if the database refuses, [`Error::Column`] if the row
    /// cannot be read, [`Error::HalfDone`] if the transaction can only be rolled
    /// back.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = orm.begin().await?;
    /// if transaction.touch::<User>(7).await? {
    ///     cached_orm::sqlx::query("UPDATE users SET name = upper(name) WHERE id = 7")
    ///         .execute(&mut *transaction)
    ///         .await?;
    /// }
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// ```
    pub async fn touch<T: Persist<DB>>(&mut self, key: T::Key) -> Result<bool> {
        let operation = Operation::on::<T>("touch");
        let watch = Watch::write(self.book.orm().meters(), operation);
        watch.over(crate::write::touch::<DB, T>(self.open(), &key)).await
    }

    pub(crate) fn open(&mut self) -> Open<'_, DB> {
        Open { connection: &mut self.connection, book: &mut self.book }
    }
}

impl<DB: Backend> Deref for Transaction<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.connection
    }
}

impl<DB: Backend> DerefMut for Transaction<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.book.lend();
        &mut self.connection
    }
}

impl<DB: Backend> fmt::Debug for Transaction<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("book", &self.book).finish_non_exhaustive()
    }
}

// sqlx's own transaction would give a connection back to the pool on which an
// answer is half read, or a BEGIN under way.
impl<DB: Backend> Drop for Transaction<DB> {
    fn drop(&mut self) {
        if let Some(cut) = self.cut() {
            self.connection.cut_off(cut);
        } else if self.is_open && self.connection.is_there() {
            DB::TransactionManager::start_rollback(&mut self.connection);
        }
    }
}

fn over() -> sqlx::Error {
    sqlx::Error::Protocol("the transaction is over".to_owned())
}

/// A transaction at its end, as the protocol sees it.
struct Closing<DB: Backend> {
    /// `None` once COMMIT or ROLLBACK was sent.
    transaction: Option<Transaction<DB>>,
    orm: Orm<DB>,
    witness: Witness<DB>,
    committing: Option<Committing>,
    is_suspect: bool,
    /// Whether it has put keys into the outbox.
    enlisted: bool,
}

impl<DB: Backend> Enlist for Closing<DB> {
    async fn enlist(&mut self, keys: &[CacheKey]) -> bool {
        let Some(transaction) = &mut self.transaction else { return false };
        transaction.book.asked(COMMIT);
        let enlisted = enlist_in(&self.orm, &mut transaction.connection, keys).await;
        transaction.book.answered(None);
        self.enlisted |= enlisted;
        enlisted
    }
}

impl<DB: Backend> OpenTransaction for Closing<DB> {
    type Error = sqlx::Error;
    type Afterwards = AfterCommit<DB>;

    async fn check(&mut self) -> sqlx::Result<()> {
        let Some(transaction) = &mut self.transaction else { return Err(over()) };
        if self.is_suspect {
            transaction.book.asked(COMMIT);
            let checked = check_open::<DB>(&mut transaction.connection).await;
            transaction.book.answered(checked.as_ref().err());
            checked?;
            transaction.book.in_step();
        }
        // sqlx answers a COMMIT outside a transaction with success, and releases no
        // more than a savepoint if there is one.
        if transaction.book.counts_as(&transaction.connection) { Ok(()) } else { Err(over()) }
    }

    async fn commit(&mut self) -> Ended<sqlx::Error> {
        let Some(transaction) = self.transaction.take() else { return Ended::RolledBack(over()) };
        match transaction.send_commit().await {
            Ok(()) => {
                if self.enlisted {
                    self.orm.outbox().filled().notify_one();
                }
                Ended::Committed
            }
            Err(error) if DB::commit_refused(&error) => Ended::RolledBack(error),
            Err(error) => Ended::Unknown(error),
        }
    }

    async fn rollback(&mut self) -> bool {
        let Some(transaction) = self.transaction.take() else { return false };
        let is_asked = transaction.cut().is_none();
        match transaction.send_rollback().await {
            Ok(()) => is_asked,
            Err(error) => {
                // The connection is lost, and the database rolls back by itself.
                tracing::debug!(%error, "a rollback failed");
                false
            }
        }
    }

    fn afterwards(&mut self) -> AfterCommit<DB> {
        AfterCommit {
            orm: self.orm.clone(),
            witness: std::mem::take(&mut self.witness),
            _committing: self.committing.take(),
        }
    }
}
