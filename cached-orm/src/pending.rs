use crate::{
    Backend, Committed, Error, Operation, Orm, Result,
    coherence::{Enlist, Fencing, Journal, Unfenced},
    key::CacheKey,
    observe::Committing,
    outbox::{AfterCommit, enlist_in},
    pooled::check_open,
    sql::Witness,
    transaction::{Book, Judged, Summary},
};
use sqlx::Connection as _;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{runtime::Handle, time::sleep};

const FENCE: Operation = Operation::new("fence");

/// Rows written in a transaction that the caller has begun with sqlx, of which
/// the cache is still to be told.
///
/// [`fence`](Self::fence) before COMMIT, [`release`](Fenced::release) after it.
/// If the transaction is rolled back, drop it.
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>, mut ann: User, bob: User) -> Result<(), Box<dyn std::error::Error>> {
/// let mut transaction = orm.pool().begin().await?;
/// let renamed = ann.update_on(orm, &mut transaction).await?;
/// let (_, deleted) = bob.delete_on(orm, &mut transaction).await?;
/// let fenced = renamed.and(deleted).fence(&mut transaction).await?;
/// transaction.commit().await?;
/// fenced.release().await;
/// # Ok(()) }
/// ```
#[must_use = "call `fence` before COMMIT, or readers may keep the old row until its TTL"]
pub struct Pending<DB: Backend> {
    orm: Orm<DB>,
    journal: Journal,
    judged: Judged<DB>,
}

/// Rows of a transaction of the caller's that are fenced: until
/// [`release`](Self::release), readers get them from the database.
///
/// Dropped without it, after a rollback or because COMMIT failed, the fences
/// stay until they expire (`fence_ttl`, a minute by default).
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>, mut ann: User) -> Result<(), Box<dyn std::error::Error>> {
/// let mut transaction = orm.pool().begin().await?;
/// let pending = ann.update_on(orm, &mut transaction).await?;
/// let fenced = match pending.fence(&mut transaction).await {
///     Ok(fenced) => fenced,
///     Err(error) => {
///         transaction.rollback().await?;
///         return Err(error.into());
///     }
/// };
/// transaction.commit().await?;
/// let committed = fenced.release().await;
/// assert_eq!(committed.release_unconfirmed, 0);
/// # Ok(()) }
/// ```
#[must_use = "call `release` after COMMIT"]
pub struct Fenced<DB: Backend> {
    orm: Orm<DB>,
    fencing: Fencing,
    committing: Uncertain,
}

impl<DB: Backend> Pending<DB> {
    pub(crate) fn of(mut book: Book<DB>) -> Self {
        let Summary { journal, judged, .. } = book.close();
        Self { orm: book.orm().clone(), journal, judged }
    }

    /// Both: for several writes in one transaction.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, mut ann: User, mut bob: User) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = orm.pool().begin().await?;
    /// let both = ann.update_on(orm, &mut transaction).await?.and(bob.update_on(orm, &mut transaction).await?);
    /// let fenced = both.fence(&mut transaction).await?;
    /// transaction.commit().await?;
    /// fenced.release().await;
    /// # Ok(()) }
    /// ```
    pub fn and(mut self, other: Self) -> Self {
        self.journal.append(other.journal);
        self.judged.append(other.judged);
        self
    }

    /// Fences the rows. COMMIT must follow within the commit window (5 s by
    /// default), on this connection.
    ///
    /// If the cache does not answer, the keys are put into the outbox, as part of
    /// the transaction, where there is one.
    ///
    /// # Errors
    /// [`Error::NotFenced`]; [`Error::RolledBack`] if the database has aborted or
    /// ended the transaction, as PostgreSQL does after a failed statement, or if the
    /// answer of a statement is still to come whose future was dropped;
    /// [`Error::Configuration`] if the connection is in no transaction, or if a struct was
    /// used for the first time since whose cached rows the writes change, by triggers or
    /// foreign keys. After each of them, and if this future is dropped, the transaction
    /// must be rolled back.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, mut ann: User, mut bob: User) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = orm.pool().begin().await?;
    /// let pending = ann.update_on(orm, &mut transaction).await?;
    /// // … the rest of the transaction …
    /// let fenced = pending.fence(&mut transaction).await?; // the last thing before COMMIT
    /// transaction.commit().await?;
    /// fenced.release().await;
    /// # Ok(()) }
    /// ```
    pub async fn fence(self, connection: &mut DB::Connection) -> Result<Fenced<DB>> {
        let Self { orm, journal, judged } = self;
        if !connection.is_in_transaction() {
            return Err(no_transaction(FENCE));
        }
        let committing = judged.check(&orm)?;
        let cut_off = CutOff::of(&orm, journal.clone());
        // In one that was aborted the rows are locked no longer: a fence could lie in
        // the place of the next writer's. And sqlx reports its COMMIT as success.
        let checked = check_open::<DB>(connection).await;
        if let Err(source) = checked {
            cut_off.not();
            return Err(Error::RolledBack { operation: FENCE, source: source.into() });
        }
        let mut outbox = InTransaction { orm: &orm, connection };
        let fenced = orm.coherence().fence(journal, &mut outbox).await;
        cut_off.not();
        match fenced {
            Ok(fencing) => {
                let lasts = orm.coherence().fence_ttl();
                Ok(Fenced { orm, fencing, committing: Uncertain { committing, lasts } })
            }
            Err(Unfenced { error, .. }) => {
                // The fences that were put expire: nobody says here when the
                // transaction is over.
                Err(Error::NotFenced { operation: FENCE, source: error })
            }
        }
    }
}

impl<DB: Backend> Fenced<DB> {
    /// Takes the fences away, after a COMMIT that has succeeded.
    ///
    /// After one that failed, or a rollback, drop this instead: the rows may have
    /// been unlocked before they were fenced, and the fences lie in the places of
    /// the next writer's.
    ///
    /// # Guarantee
    /// When it returns, no read that starts later returns anything older than
    /// what was committed.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, mut ann: User, mut bob: User) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = orm.pool().begin().await?;
    /// let fenced = ann.update_on(orm, &mut transaction).await?.fence(&mut transaction).await?;
    /// match transaction.commit().await {
    ///     Ok(()) => println!("{:?}", fenced.release().await),
    ///     Err(error) => {
    ///         drop(fenced); // readers ask the database for a minute
    ///         return Err(error.into());
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn release(self) -> Committed {
        let Self { orm, fencing, committing } = self;
        let coherence = Arc::clone(orm.coherence());
        orm.outbox().filled().notify_one();
        let _committing = committing.over();
        let after = AfterCommit { orm, witness: Witness::default(), _committing };
        // In a task of its own: what was begun must be ended.
        let releasing = tokio::spawn(async move { coherence.release(fencing, after).await });
        match releasing.await {
            Ok(release_unconfirmed) => Committed { release_unconfirmed },
            Err(ended) => {
                crate::coherence::after_panic(ended, Committed { release_unconfirmed: 0 })
            }
        }
    }
}

/// A commit of the caller's. Dropped without [`over`](Self::over) nobody knows when it is
/// over, and it lasts as long as its fences.
struct Uncertain {
    committing: Option<Committing>,
    lasts: Duration,
}

impl Uncertain {
    /// It is over when what is given is dropped.
    fn over(mut self) -> Option<Committing> {
        self.committing.take()
    }
}

impl Drop for Uncertain {
    fn drop(&mut self) {
        let Some(committing) = self.committing.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let lasts = self.lasts;
        runtime.spawn(async move {
            sleep(lasts).await;
            drop(committing);
        });
    }
}

/// The error of a connection on which nobody has begun a transaction.
pub(crate) fn no_transaction(operation: Operation) -> Error {
    Error::Configuration(format!(
        "{operation}: the connection is in no transaction; begin one with sqlx"
    ))
}

/// The keys of a write, or of fences, whose future may be dropped. The transaction is
/// the caller's, who is told to roll it back, and may commit it nevertheless: the
/// keys are then fenced from outside, for as long as a fence lives.
pub(crate) struct CutOff<DB: Backend> {
    orm: Orm<DB>,
    journal: Option<Journal>,
}

impl<DB: Backend> CutOff<DB> {
    pub(crate) fn of(orm: &Orm<DB>, journal: Journal) -> Self {
        Self { orm: orm.clone(), journal: Some(journal) }
    }

    /// It was not cut off.
    pub(crate) fn not(mut self) {
        self.journal = None;
    }
}

impl<DB: Backend> Drop for CutOff<DB> {
    fn drop(&mut self) {
        let Some(journal) = self.journal.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let orm = self.orm.clone();
        runtime.spawn(async move {
            let (witness, _committing) = (Witness::default(), None);
            let mut outbox = AfterCommit { orm: orm.clone(), witness, _committing };
            // Nobody knows when the transaction is over, so they are left to expire.
            drop(orm.coherence().fence(journal, &mut outbox).await);
        });
    }
}

struct InTransaction<'t, DB: Backend> {
    orm: &'t Orm<DB>,
    connection: &'t mut DB::Connection,
}

impl<DB: Backend> Enlist for InTransaction<'_, DB> {
    async fn enlist(&mut self, keys: &[CacheKey]) -> bool {
        enlist_in(self.orm, self.connection, keys).await
    }
}

impl<DB: Backend> fmt::Debug for Pending<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("journal", &self.journal).finish_non_exhaustive()
    }
}

impl<DB: Backend> fmt::Debug for Fenced<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fenced").field("keys", &self.fencing.len()).finish_non_exhaustive()
    }
}
