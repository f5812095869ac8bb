//! The protocol that keeps cache and database agreed, and nothing else: it
//! knows neither SQL nor MessagePack, only keys, bytes, and the two traits
//! [`Source`] and [`OpenTransaction`] through which a database appears.
//!
//! Why it holds: a writer's row lock orders the fences of concurrent writers
//! like their commits; a value is stored only by the CAS token of something
//! read before the load, or of the writer's own fence; so if no fence came
//! between, no writer committed between, and what is stored is the latest
//! commit. A later commit would have replaced it by a fence first. The only
//! unconditional command is "set a fence", which is safe even if it is late.
//! Writers of different rows on one list have no lock in common: they hold one
//! fence together (`sharing`), so that there is one for as long as any needs it.

mod abandoned;
mod commit;
mod count;
mod early;
mod fence;
mod fencing;
mod fill;
mod invalidate;
mod journal;
mod look;
mod near;
mod read;
mod read_many;
mod release;
mod retry;
mod shared_fence;
mod shared_load;
mod sharing;
mod unknown;

pub use commit::{Afterwards, CommitFailure, Ended, IsOver, OpenTransaction};
pub use count::{Event, Meter};
pub use fencing::{Enlist, Fencing, Unfenced};
pub use journal::Journal;
pub use look::{Lying, Value};
pub use read::is_over;
pub use read_many::{Found, Origin};

use crate::{
    cache::{CacheError, CacheStore},
    key::CacheKey,
    steps::Steps,
};
use bytes::Bytes;
use std::{fmt, future::Future, panic::resume_unwind, sync::Arc, time::Duration};
use tokio::task::JoinError;

/// The times of the protocol. All processes that share a cache must agree on them.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// How long the right to fill a key lasts.
    pub lease_ttl: Duration,
    /// How long a fence stays that its writer does not release.
    pub fence_ttl: Duration,
    /// COMMIT is sent at most this long after the oldest fence was.
    pub commit_window: Duration,
    /// How old fences are when they are set anew, since COMMIT takes long.
    pub renew_after: Duration,
    /// How long each step of a write may wait for the cache.
    pub write_timeout: Duration,
    /// How long a reader waits for another process's fill.
    pub lease_wait: Duration,
    /// How long it waits before it asks again.
    pub lease_poll: Duration,
}

/// Of events: by the crate that users name, and filter by.
const TARGET: &str = "cached_orm::coherence";

/// How many commands one transaction has under way at once: a large one must
/// not fill the queues, in which others wait.
const COMMANDS_AT_ONCE: usize = 256;

/// The protocol over one cache store.
pub struct Coherence {
    /// For reads and what they fill.
    store: Arc<dyn CacheStore>,
    /// The same for writes, whose commands may take longer.
    for_writes: Arc<dyn CacheStore>,
    times: Times,
    /// Whether keys are put into the outbox even if nothing fails.
    enlists_every_key: bool,
    meter: Arc<dyn Meter>,
    shared_loads: shared_load::SharedLoads,
    fills: fill::Fills,
    abandoned: abandoned::Abandoned,
    near: near::Near,
    early: early::UnderWay,
    steps: Steps,
}

impl Coherence {
    /// The protocol over `store`. `near_capacity` is how many bytes the copies in this
    /// process may take, none if it is 0; `meter` is told what no source counts itself.
    pub fn new(
        store: Arc<dyn CacheStore>,
        times: Times,
        enlists_every_key: bool,
        near_capacity: u64,
        meter: Arc<dyn Meter>,
    ) -> Self {
        Self {
            for_writes: Arc::clone(&store),
            store,
            times,
            enlists_every_key,
            meter,
            shared_loads: shared_load::SharedLoads::default(),
            fills: fill::Fills::default(),
            abandoned: abandoned::Abandoned::default(),
            near: near::Near::new(near_capacity),
            early: early::UnderWay::default(),
            steps: Steps::default(),
        }
    }

    /// Lets writes reach the cache by ways of their own.
    pub fn with_writes_by(self, for_writes: Arc<dyn CacheStore>) -> Self {
        Self { for_writes, ..self }
    }

    /// Lets a test hold it up at its steps.
    pub fn with_steps(self, steps: Steps) -> Self {
        Self { steps, ..self }
    }

    /// Where it tells of the steps that it takes.
    pub fn steps(&self) -> &Steps {
        &self.steps
    }

    /// The store that reads ask.
    #[inline]
    pub fn store(&self) -> &dyn CacheStore {
        &*self.store
    }

    /// Ends the cache's connections and tasks.
    pub async fn close(&self) {
        self.for_writes.close().await;
        self.store.close().await;
    }

    /// Counts what is done for a source.
    #[inline]
    fn count<S: Source>(&self, source: &S, event: Event) {
        self.count_some(source, event, 1);
    }

    #[inline]
    fn count_some<S: Source>(&self, source: &S, event: Event, times: u64) {
        match source.meter() {
            Some(meter) => meter.count(event, times),
            None => self.meter.count(event, times),
        }
    }

    /// Notes a cache error, and hands it on.
    fn failed(&self, error: CacheError) -> CacheError {
        self.meter.count(Event::CacheError, 1);
        tracing::debug!(target: TARGET, %error, "a cache command failed");
        error
    }
}

// Not derived: fills under way hold rows and keys.
impl fmt::Debug for Coherence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coherence")
            .field("store", &self.store)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// Goes on with the panic of a task, or gives the error of one that the runtime
/// has ended.
pub fn after_panic<E>(ended: JoinError, error: E) -> E {
    match ended.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => error,
    }
}

/// The error of what was read for `source`, if the task that did it has ended early.
fn ended_early<S: Source>(ended: &JoinError, source: &S) -> S::Error {
    if ended.is_panic() { source.panicked() } else { source.abandoned() }
}

/// What lies under one key, as the protocol needs to know it.
pub trait Source: Clone + Send + Sync + 'static {
    /// A row, as a read gives it.
    type Row: Send + Sync + 'static;
    /// A row, as the database gave it: with what decides whether it may be stored.
    type Loaded: Send + Sync + 'static;
    /// Why a load failed.
    type Error: Clone + Send + Sync + 'static;
    /// Where the operation is counted that asks for the key.
    type Meter: Meter;

    /// The key.
    fn key(&self) -> &CacheKey;

    /// Whether what is loaded from now on may be stored. If not, a commit is under way
    /// that may change it, and whose writer cannot know that it is read.
    fn may_store(&self) -> bool {
        true
    }

    /// Reads the row from the database, committed and as of now or later.
    fn load(&self) -> impl Future<Output = Result<Option<Self::Loaded>, Self::Error>> + Send;

    /// Reads the rows of some sources that are all different, in their order, as
    /// [`load`](Self::load) does.
    fn load_many(
        sources: &[Self],
    ) -> impl Future<Output = Result<Vec<Option<Self::Loaded>>, Self::Error>> + Send {
        async move {
            let mut rows = Vec::with_capacity(sources.len());
            for source in sources {
                rows.push(source.load().await?);
            }
            Ok(rows)
        }
    }

    /// What a read gives of it.
    fn row(loaded: Self::Loaded) -> Self::Row;

    /// What `value`, which is not a fence, says.
    fn decode(&self, value: &Bytes) -> Content<Self::Row>;

    /// The entry that says `row`, or that there is none, and how long it may
    /// stay; `None` if it is not to be cached.
    fn encode(&self, row: Option<&Self::Loaded>) -> Option<Entry>;

    /// How long a copy in this process may answer, if at all.
    fn near_ttl(&self) -> Option<Duration> {
        None
    }

    /// How long the entry is when it is not compressed: about what its row takes.
    fn unpacked_len(&self, value: &Bytes) -> usize {
        value.len()
    }

    /// The row once more, for a reader who is given a copy in this process; `None` if
    /// its type has no copies.
    fn copy(_row: &Self::Row) -> Option<Self::Row> {
        None
    }

    /// How long before its end a row is loaded anew, if at all.
    fn early_refresh(&self) -> Option<Duration> {
        None
    }

    /// How long an entry lies in the store after its row has expired, if at all.
    fn stale_for(&self) -> Option<Duration> {
        None
    }

    /// Where the operation is counted that asks for the key, if it is told from others.
    fn meter(&self) -> Option<&Self::Meter> {
        None
    }

    /// The error of a load whose task was ended by the runtime.
    fn abandoned(&self) -> Self::Error;

    /// The error of a load that panicked.
    fn panicked(&self) -> Self::Error;
}

/// A value to be stored.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What is stored.
    pub value: Bytes,
    /// For how long.
    pub ttl: Duration,
}

/// What every entry begins with, of whatever version; no fence does.
pub const ENTRY_MAGIC: [u8; 4] = *b"\x0EcoE";

/// Whether `value` begins like an entry, of whatever version.
pub fn is_entry(value: &[u8]) -> bool {
    value.starts_with(&ENTRY_MAGIC)
}

/// What an entry says.
#[derive(Debug)]
pub enum Content<R> {
    /// The row.
    Row(R),
    /// There is no such row.
    Absent,
    /// Nothing that this program can use; to be loaded and replaced.
    Unreadable(Unreadable),
}

/// Why an entry cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not an entry of this crate.
    #[error("it is not an entry of this crate")]
    Foreign,
    /// Written by a newer version of this crate.
    #[error("it was written by a newer version of this crate")]
    Format,
    /// Of a struct of another shape.
    #[error("it is of a struct of another shape")]
    Shape,
    /// Its checksum or its length is wrong.
    #[error("its checksum or its length is wrong")]
    Checksum,
    /// It is not signed, or by none of the keys.
    #[error("it is not signed, or by none of the keys")]
    Signature,
    /// It belongs to another key.
    #[error("it belongs to another key")]
    Key,
    /// Its body cannot be decoded.
    #[error("its body cannot be decoded")]
    Body,
    /// Marked as out of date by somebody.
    #[error("somebody has marked it as out of date")]
    Stale,
    /// Its time is over; it lies there in case the database fails.
    #[error("its time is over")]
    Expired,
}

/// Reads a fence from any bytes. Whatever is made of one is one.
#[cfg(any(fuzzing, test, feature = "testing"))]
#[doc(hidden)]
pub fn fuzz_fences(value: &[u8]) {
    use {fence::Fence, shared_fence::SharedFence};

    let (fence, shared) = (Fence::parse(value), SharedFence::parse(value));
    let marked = Fence::marked(value);
    assert_eq!((shared.is_some(), marked.is_some()), (fence.is_some(), fence.is_some()));
    let (Some(fence), Some(marked), Some(shared)) = (fence, marked, shared) else { return };
    let again = Fence::parse(&marked).expect("a marked fence is a fence");
    // Of the same writer, if the writer can be told.
    let is_plain = value.len() == fence.to_bytes().len();
    assert!(!is_plain || again.same_writer(fence));
    assert_eq!(SharedFence::parse(&shared.to_bytes()), Some(shared));
}

#[cfg(all(test, feature = "embedded"))]
mod tests;
