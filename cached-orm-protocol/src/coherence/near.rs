//! Copies of rows in this process, which answer without the cache.
//!
//! A copy is used for a bounded time, counted from when the cache was asked for
//! it. So what another process writes is seen at most that much later. What this
//! process writes is seen at once: each key has a *generation*, which is raised
//! when the key's fence is confirmed, and again when it was released. A copy counts
//! only in the generation that was current before the cache was asked: what was
//! read before the fence is of no use after it, and who reads after it meets the
//! fence.

use super::{Content, Source};
use crate::key::CacheKey;
use bytes::Bytes;
use quick_cache::{
    Weighter,
    sync::{Cache, EntryAction, EntryResult},
};
use std::{
    any::Any,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Keys share generations; that one is raised for another's sake only refuses a
/// copy.
const GENERATIONS: usize = 1 << 14;

/// What a copy takes besides its key, its entry and the row's struct.
const COPY_OVERHEAD: usize = 160;
/// For how large an entry the map is laid out.
const USUAL_COPY: u64 = 512;

/// The copies, made when the first is asked for.
pub(super) struct Near {
    max_bytes: u64,
    copies: OnceLock<Copies>,
}

struct Copies {
    map: Cache<CacheKey, Copy, Weight>,
    generations: Box<[AtomicU64]>,
    /// Nobody can choose keys that share a generation.
    seed: u64,
}

#[derive(Clone)]
struct Copy {
    /// An `Option<Row>`, of which readers are given copies: that costs a fraction of
    /// decoding it again.
    row: Arc<dyn Any + Send + Sync>,
    weight: u64,
    ticket: Ticket,
}

/// What a copy is taken to need of the memory.
#[derive(Clone)]
struct Weight;

impl Weighter<CacheKey, Copy> for Weight {
    fn weight(&self, _: &CacheKey, copy: &Copy) -> u64 {
        copy.weight
    }
}

/// What was known before the cache was asked: what it answers may be kept as of
/// then.
#[derive(Debug, Clone, std::marker::Copy)]
pub(crate) struct Ticket {
    asked: Instant,
    ttl: Duration,
    generation: u64,
}

impl Ticket {
    fn is_over(&self) -> bool {
        self.asked.elapsed() >= self.ttl
    }
}

impl Near {
    /// Copies that take about `max_bytes` at most; none if that is 0.
    pub(super) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, copies: OnceLock::new() }
    }

    /// To be taken before the cache is asked for the key.
    pub(super) fn ticket(&self, key: &CacheKey, ttl: Option<Duration>) -> Option<Ticket> {
        let ttl = ttl.filter(|_| self.max_bytes > 0)?;
        let copies = self.copies.get_or_init(|| Copies::new(self.max_bytes));
        let generation = copies.generation(key.as_str()).load(Ordering::SeqCst);
        Some(Ticket { asked: Instant::now(), ttl, generation })
    }

    /// The row under the key, as the cache had it at most `ttl` ago; `None` within if
    /// there was none.
    pub(super) fn get<S: Source>(
        &self,
        key: &str,
        ttl: Option<Duration>,
    ) -> Option<Option<S::Row>> {
        let ttl = ttl?;
        let copies = self.copies.get()?;
        let Copy { row, ticket, .. } = copies.map.get(key)?;
        let is_current = copies.generation(key).load(Ordering::SeqCst) == ticket.generation;
        if !is_current || (Ticket { ttl, ..ticket }).is_over() {
            return None;
        }
        // If it is another, it is of another struct on the same table.
        match row.downcast_ref::<Option<S::Row>>()? {
            Some(row) => S::copy(row).map(Some),
            None => Some(None),
        }
    }

    /// Keeps what the cache has said; not over what it has said later.
    pub(super) fn keep<S: Source>(&self, source: &S, value: &Bytes, ticket: Option<Ticket>) {
        let (Some(copies), Some(ticket)) = (self.copies.get(), ticket) else { return };
        if ticket.is_over() {
            return;
        }
        let row = match source.decode(value) {
            Content::Row(row) => Some(row),
            Content::Absent => None,
            Content::Unreadable(_) => return,
        };
        let key = source.key();
        let size = key.as_bytes().len()
            + source.unpacked_len(value)
            + size_of::<Option<S::Row>>()
            + COPY_OVERHEAD;
        let copy = Copy { row: Arc::new(row), weight: size as u64, ticket };
        let entry = copies.map.entry(key, Some(Duration::ZERO), |_, known| {
            if known.ticket.asked > ticket.asked {
                EntryAction::Retain(())
            } else {
                EntryAction::ReplaceWithGuard
            }
        });
        if let EntryResult::Vacant(place) | EntryResult::Replaced(place, _) = entry {
            // Fails if something was kept meanwhile, which is as good.
            let _ = place.insert(copy);
        }
    }

    /// How old the copy is, and whether it counts still.
    pub(super) fn age(&self, key: &CacheKey) -> Option<(Duration, bool)> {
        let copies = self.copies.get()?;
        let Copy { ticket, .. } = copies.map.get(key)?;
        let is_current =
            copies.generation(key.as_str()).load(Ordering::SeqCst) == ticket.generation;
        Some((ticket.asked.elapsed(), is_current && !ticket.is_over()))
    }

    /// Ends what was kept of the key, and what is still to be kept by reads that
    /// have begun.
    pub(super) fn end(&self, key: &CacheKey) {
        if let Some(copies) = self.copies.get() {
            copies.generation(key.as_str()).fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Drops the copy: the cache has something else.
    pub(super) fn drop_copy(&self, key: &CacheKey) {
        if let Some(copies) = self.copies.get() {
            copies.map.remove(key);
        }
    }
}

impl Copies {
    fn new(max_bytes: u64) -> Self {
        let usual = usize::try_from(max_bytes / USUAL_COPY).unwrap_or(usize::MAX).max(1);
        let map = Cache::with_weighter(usual, max_bytes, Weight);
        let generations = (0..GENERATIONS).map(|_| AtomicU64::default()).collect();
        Self { map, generations, seed: rand::random() }
    }

    fn generation(&self, key: &str) -> &AtomicU64 {
        &self.generations[xxh3_64_with_seed(key.as_bytes(), self.seed) as usize % GENERATIONS]
    }
}

// Not derived: copies are the user's data.
impl fmt::Debug for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Near").field("max_bytes", &self.max_bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
