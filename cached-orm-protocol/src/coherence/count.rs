use std::fmt;
use tokio::time::Instant;

/// Something that the protocol counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The cache answered a read.
    Hit,
    /// A copy in this process answered a read.
    NearHit,
    /// The cache did not answer a read.
    Miss,
    /// A read met a fence.
    Fenced,
    /// A read took the result of another's load.
    Coalesced,
    /// A row was asked of the database for a read.
    Load,
    /// Some keys are read at once.
    Batch,
    /// The rows of a batch were asked of the database.
    BatchLoad,
    /// A load failed.
    LoadError,
    /// A row is loaded anew before it expires.
    EarlyRefresh,
    /// A loaded row was stored.
    Fill,
    /// A loaded row was not stored: a write or another reader came between.
    FillRefused,
    /// A row was not stored: it is larger than the cache takes.
    TooLarge,
    /// An entry cannot be used.
    Unreadable,
    /// A key was fenced for a COMMIT.
    Fence,
    /// A written row took its fence's place.
    WriteThrough,
    /// A fence may still be there.
    ReleaseUnconfirmed,
    /// A cache command has no answer.
    CacheError,
}

/// Who is told of what is counted and measured: for all, or for one operation.
pub trait Meter: fmt::Debug + Send + Sync + 'static {
    /// Counts what has happened so often.
    fn count(&self, event: Event, times: u64);

    /// The time, if it is to be taken.
    fn start(&self) -> Option<Instant> {
        None
    }

    /// Notes how long the database took for a load that was started then.
    fn loaded(&self, _started: Option<Instant>) {}

    /// Notes of how many keys a batch is.
    fn batch_of(&self, _keys: usize) {}
}

/// Counts nothing.
impl Meter for () {
    fn count(&self, _: Event, _: u64) {}
}
