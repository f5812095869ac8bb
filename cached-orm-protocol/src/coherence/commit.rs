use super::{Coherence, Enlist, Fencing, Journal, fencing::Unfenced};
use crate::{CacheError, steps::Step};
use std::{future::Future, pin::pin, sync::Arc};
use tokio::time::timeout_at;

/// A database transaction that has changed rows, and holds their locks.
///
/// As an [`Enlist`] it puts keys into the outbox as part of itself.
pub trait OpenTransaction: Enlist + 'static {
    /// The database's error.
    type Error: Send;
    /// What is left when the transaction has been sent to its end.
    type Afterwards: Afterwards;

    /// Whether COMMIT can still succeed. To be asked before anything is
    /// fenced: a transaction that was aborted holds no locks.
    fn check(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Sends COMMIT at the first poll.
    fn commit(&mut self) -> impl Future<Output = Ended<Self::Error>> + Send;

    /// Undoes everything. Says whether the database confirms it: if not, the
    /// rows may have been unlocked long ago.
    fn rollback(&mut self) -> impl Future<Output = bool> + Send;

    /// What is left of it, when it has been sent to its end.
    fn afterwards(&mut self) -> Self::Afterwards;
}

/// The database after a transaction's COMMIT was sent.
///
/// As an [`Enlist`] it puts keys into the outbox in transactions of their own.
pub trait Afterwards: Enlist + 'static {
    /// Asks whether the transaction is over, whichever way it ended.
    fn is_over(&mut self) -> impl Future<Output = IsOver> + Send;
}

/// Whether a transaction is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsOver {
    /// It was committed, so its rows were locked when they were fenced.
    Committed,
    /// It was rolled back, who knows when, or it is not known how it ended.
    Ended,
    /// It goes on, or the database did not answer.
    NotYet,
    /// Nobody is left to ask.
    NeverKnown,
}

/// How COMMIT ended.
#[derive(Debug)]
pub enum Ended<E> {
    /// It was confirmed.
    Committed,
    /// Nothing was written, and the rows were locked until now.
    RolledBack(E),
    /// The connection was lost, or the like.
    Unknown(E),
}

/// Why a transaction was not committed, or may not have been.
#[derive(Debug)]
pub enum CommitFailure<E> {
    /// A key could be neither fenced nor put into the outbox; rolled back.
    NotFenced(CacheError),
    /// Rolled back by the database.
    RolledBack(E),
    /// Nobody knows.
    Unknown(E),
}

impl Coherence {
    /// Fences the journal's keys, commits, and releases the fences. Returns how
    /// many releases could not be confirmed, nor put into the outbox.
    ///
    /// To be run in a task of its own: what was begun must be ended, whatever
    /// becomes of the caller.
    pub async fn commit<T: OpenTransaction>(
        self: Arc<Self>,
        mut transaction: T,
        journal: Journal,
    ) -> Result<usize, CommitFailure<T::Error>> {
        if let Err(error) = transaction.check().await {
            transaction.rollback().await;
            return Err(CommitFailure::RolledBack(error));
        }
        self.steps.reach(Step::Checked).await;
        let mut fencing = match self.fence(journal, &mut transaction).await {
            Ok(fencing) => fencing,
            Err(Unfenced { fencing, error }) => {
                let was_open = transaction.rollback().await;
                self.clear_unreleased(&fencing, was_open).await;
                return Err(CommitFailure::NotFenced(error));
            }
        };
        self.steps.reach(Step::Fenced).await;
        match self.send_commit(&mut transaction, &mut fencing).await {
            Ended::Committed => {
                self.steps.reach(Step::Committed).await;
                let unconfirmed = self.release(fencing, transaction.afterwards()).await;
                self.steps.reach(Step::Released).await;
                Ok(unconfirmed)
            }
            Ended::RolledBack(error) => {
                transaction.rollback().await;
                self.clear_unreleased(&fencing, true).await;
                Err(CommitFailure::RolledBack(error))
            }
            Ended::Unknown(error) => {
                tokio::spawn(self.keep_fenced(fencing, transaction.afterwards()));
                Err(CommitFailure::Unknown(error))
            }
        }
    }

    /// Commits. While that takes long, the fences are set anew: so that none
    /// expires, and so that a server that has restarted has them before it gives
    /// leases again.
    async fn send_commit<T: OpenTransaction>(
        &self,
        transaction: &mut T,
        fencing: &mut Fencing,
    ) -> Ended<T::Error> {
        let mut committing = pin!(transaction.commit());
        loop {
            let renewal = fencing.since + self.times.renew_after;
            if let Ok(ended) = timeout_at(renewal, &mut committing).await {
                return ended;
            }
            // With its CAS token gone the fence is released by deletion.
            self.renew(fencing).await;
        }
    }
}
