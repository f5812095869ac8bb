use super::{COMMANDS_AT_ONCE, Coherence, Entry, fence::Fence};
use crate::{
    cache::{CacheError, Cas, Replaced},
    key::CacheKey,
};
use futures_util::future::join_all;
use std::{fmt, future::Future, sync::Arc};
use tokio::time::Instant;

/// A database transaction that has changed rows, and holds their locks.
pub(crate) trait OpenTransaction: Send {
    /// The database's error.
    type Error: Send;

    /// Whether COMMIT can still succeed. To be asked before anything is
    /// fenced: a transaction that was aborted holds no locks.
    fn check(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Sends COMMIT at the first poll.
    fn commit(&mut self) -> impl Future<Output = Ended<Self::Error>> + Send;

    /// Undoes everything.
    fn rollback(&mut self) -> impl Future<Output = ()> + Send;
}

/// How COMMIT ended.
#[derive(Debug)]
pub(crate) enum Ended<E> {
    Committed,
    /// Nothing was written.
    RolledBack(E),
    /// The connection was lost, or the like.
    Unknown(E),
}

/// What becomes of a key's fence after COMMIT.
#[derive(Clone)]
pub(crate) enum Release {
    /// The entry goes away.
    Delete,
    /// The row that was written takes the fence's place. Only where it is what
    /// the database will show.
    Store(Entry),
}

/// The keys that a transaction has touched.
#[derive(Default)]
pub(crate) struct Journal {
    touched: Vec<(CacheKey, Release)>,
}

impl Journal {
    /// Notes a key whose row the transaction has locked.
    pub(crate) fn touch(&mut self, key: CacheKey) {
        self.touched.push((key, Release::Delete));
    }

    pub(crate) fn len(&self) -> usize {
        self.touched.len()
    }

    /// Forgets what was touched after the journal had this length.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.touched.truncate(length);
    }

    /// Lets `key`'s row take its fence's place, if it was touched.
    pub(crate) fn store(&mut self, key: &CacheKey, entry: Entry) {
        for (touched, release) in &mut self.touched {
            if touched == key {
                *release = Release::Store(entry.clone());
            }
        }
    }

    /// Each key once.
    fn into_keys(mut self) -> Vec<(CacheKey, Release)> {
        self.touched.sort_by(|(left, _), (right, _)| left.cmp(right));
        self.touched.dedup_by(|(later, _), (first, _)| later == first);
        self.touched
    }
}

// Not derived: keys and rows are the user's data.
impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("touched", &self.touched.len()).finish()
    }
}

/// Why a transaction was not committed, or may not have been.
#[derive(Debug)]
pub(crate) enum CommitFailure<E> {
    /// A key could not be fenced; rolled back.
    NotFenced(CacheError),
    /// Rolled back by the database.
    RolledBack(E),
    /// Nobody knows.
    Unknown(E),
}

/// A key with this transaction's fence on it.
pub(super) struct Fenced {
    pub(super) key: CacheKey,
    pub(super) release: Release,
    pub(super) cas: Cas,
}

/// How often COMMIT's window may be missed before the cache counts as too slow.
const FENCE_ATTEMPTS: usize = 3;

impl Coherence {
    /// Fences the journal's keys, commits, and releases the fences. Returns how
    /// many releases could not be confirmed.
    ///
    /// To be run in a task of its own: what was begun must be ended, whatever
    /// becomes of the caller.
    pub(crate) async fn commit<T: OpenTransaction>(
        self: Arc<Self>,
        transaction: &mut T,
        journal: Journal,
    ) -> Result<usize, CommitFailure<T::Error>> {
        if let Err(error) = transaction.check().await {
            transaction.rollback().await;
            return Err(CommitFailure::RolledBack(error));
        }
        let fence = Fence::new();
        let keys = journal.into_keys();
        let fenced = match self.fence_in_time(fence, &keys).await {
            Ok(fenced) => fenced,
            Err(error) => {
                transaction.rollback().await;
                // A fence without an answer may lie there as well.
                self.clear_all(fence, &keys).await;
                return Err(CommitFailure::NotFenced(error));
            }
        };
        match transaction.commit().await {
            Ended::Committed => Ok(self.release_all(fence, fenced).await),
            Ended::RolledBack(error) => {
                transaction.rollback().await;
                self.release_all(fence, deleting(fenced)).await;
                Err(CommitFailure::RolledBack(error))
            }
            // Readers ask the database until the fences expire. They are set
            // anew: the first may have expired while COMMIT was under way, and a
            // reader have stored the old row.
            Ended::Unknown(error) => {
                if let Err(error) = self.fence_all(fence.without_write_through(), &keys).await {
                    tracing::warn!(%error, "a key could not be fenced after a COMMIT of unknown outcome");
                }
                Err(CommitFailure::Unknown(error))
            }
        }
    }

    /// Fences every key, so that the oldest fence is younger than the commit
    /// window: a fence must not expire, nor a restarted server end its
    /// hold-off, before COMMIT is through.
    async fn fence_in_time(
        &self,
        fence: Fence,
        keys: &[(CacheKey, Release)],
    ) -> Result<Vec<Fenced>, CacheError> {
        let mut attempt = 1;
        loop {
            let began = Instant::now();
            let fenced = self.fence_all(fence, keys).await?;
            if began.elapsed() < self.times.commit_window {
                return Ok(fenced);
            }
            if attempt == FENCE_ATTEMPTS {
                return Err(CacheError::TooSlow { window: self.times.commit_window });
            }
            attempt += 1;
        }
    }

    async fn fence_all(
        &self,
        fence: Fence,
        keys: &[(CacheKey, Release)],
    ) -> Result<Vec<Fenced>, CacheError> {
        let value = fence.to_bytes();
        let ttl = self.times.fence_ttl;
        let mut fenced = Vec::with_capacity(keys.len());
        let mut failure = None;
        for keys in keys.chunks(COMMANDS_AT_ONCE) {
            let fences =
                keys.iter().map(|(key, _)| self.store.fence(key, value.clone(), ttl, None));
            for ((key, release), outcome) in keys.iter().zip(join_all(fences).await) {
                match outcome {
                    Ok(Replaced::Stored(cas)) => {
                        let (key, release) = (key.clone(), release.clone());
                        fenced.push(Fenced { key, release, cas });
                    }
                    Ok(_) => failure = Some(CacheError::NotStored),
                    Err(error) => failure = Some(self.failed(error)),
                }
            }
        }
        self.counters.fences.add(fenced.len() as u64);
        failure.map_or(Ok(fenced), Err)
    }
}

fn deleting(mut fenced: Vec<Fenced>) -> Vec<Fenced> {
    for fenced in &mut fenced {
        fenced.release = Release::Delete;
    }
    fenced
}
