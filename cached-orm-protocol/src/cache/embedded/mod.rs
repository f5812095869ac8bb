//! The store inside the process.
//!
//! Rows lie in a bounded map that may drop any of them at any time. Leases and
//! fences must not be dropped, so they are *held* outside it, in shards that
//! are locked. Every change of a key happens under its shard's lock.
//!
//! Under the lock a key has a row, or is held, or neither; never both. A read
//! looks for a row without the lock, and that is linearizable:
//! - `fence` holds the key first and then removes the row, so it takes effect
//!   when the row is removed. A read that starts after `fence` has returned
//!   finds no row, takes the lock, and sees the fence.
//! - `replace` stores the row first and then lets go of the key, so it takes
//!   effect when the row is stored. A read that found no row before that waits
//!   for the lock, and looks again.
//! - A row that the map drops was there until then.

mod held;
mod row;
#[cfg(test)]
mod tests;

use self::{
    held::{Held, Shard},
    row::{Reaper, Row, size},
};
use super::{
    CacheError, CacheStore, Cas, Deleted, Incarnation, Lookup, Over, Replaced, ServerReports,
    ServerStatus, StoreBatch, StoreFuture,
};
use crate::key::CacheKey;
use bytes::Bytes;
use moka::{policy::EvictionPolicy, sync::Cache};
use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    pin::Pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{task::coop::consume_budget, time::Instant};

const SHARDS: usize = 64;
/// No entry may take more than this part of the whole.
const LARGEST_SHARE: u64 = 8;
/// Longer lives are cut, so that no date overflows.
const MAX_TTL: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// Keeps entries in the memory of this process.
pub struct EmbeddedStore {
    rows: Cache<CacheKey, Row>,
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    incarnation: Incarnation,
    next_token: AtomicU64,
    max_entry: usize,
    is_closed: AtomicBool,
}

impl EmbeddedStore {
    /// A store whose rows take about `max_bytes` at most.
    pub fn new(max_bytes: u64) -> Self {
        let rows = Cache::builder()
            .max_capacity(max_bytes)
            // The default policy turns new rows away when the map is full.
            .eviction_policy(EvictionPolicy::lru())
            .weigher(|key: &CacheKey, row: &Row| {
                let size = size(key, &row.value);
                u32::try_from(size).unwrap_or(u32::MAX)
            })
            .expire_after(Reaper)
            .build();
        let max_entry = (max_bytes / LARGEST_SHARE).min(u64::from(u32::MAX));
        Self {
            rows,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            // Two stores of a process must not take each other's tokens.
            incarnation: Incarnation {
                process: u64::from(std::process::id()),
                started: rand::random(),
            },
            next_token: AtomicU64::new(1),
            max_entry: usize::try_from(max_entry).unwrap_or(usize::MAX),
            is_closed: AtomicBool::new(false),
        }
    }

    fn shard(&self, key: &CacheKey) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(key) % SHARDS as u64;
        // A panic under the lock leaves at worst a key that is held, and that
        // expires.
        self.shards[hash as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cas(&self, token: u64) -> Cas {
        Cas { incarnation: self.incarnation, token }
    }

    fn new_token(&self) -> u64 {
        self.next_token.fetch_add(1, Ordering::Relaxed)
    }

    fn live_row(&self, key: &CacheKey, now: Instant) -> Option<Row> {
        self.rows.get(key).filter(|row| row.expires > now)
    }

    fn row_item(&self, row: Row) -> Lookup {
        Lookup::Item {
            value: row.value,
            cas: self.cas(row.token),
            stale: false,
            ttl: Some(row.expires.saturating_duration_since(Instant::now())),
            claimed: row.claimed,
        }
    }

    fn get_now(&self, key: &CacheKey, lease: Option<Duration>) -> Lookup {
        if let Some(row) = self.live_row(key, Instant::now()) {
            return self.row_item(row);
        }
        let mut shard = self.shard(key);
        // Read again: waiting for the lock takes time.
        let now = Instant::now();
        if let Some(held) = shard.live(key, now) {
            let cas = self.cas(held.token);
            return match &held.fence {
                Some(fence) => Lookup::Item {
                    value: fence.clone(),
                    cas,
                    stale: false,
                    ttl: Some(held.expires.saturating_duration_since(now)),
                    claimed: false,
                },
                None => Lookup::Leased(cas),
            };
        }
        if let Some(row) = self.live_row(key, now) {
            return self.row_item(row);
        }
        let Some(ttl) = lease else { return Lookup::Miss };
        let token = self.new_token();
        self.rows.invalidate(key);
        shard.hold(key.clone(), Held { fence: None, token, expires: expiry(now, ttl) }, now);
        Lookup::Lease(self.cas(token))
    }

    /// The item's version. To be asked under the lock.
    fn token(&self, shard: &Shard, key: &CacheKey, now: Instant) -> Option<u64> {
        let held = shard.live(key, now).map(|held| held.token);
        held.or_else(|| self.live_row(key, now).map(|row| row.token))
    }

    /// Why a command over `cas` is not carried out, if it is not.
    fn refusal(&self, shard: &Shard, key: &CacheKey, cas: Cas, now: Instant) -> Option<Replaced> {
        if cas.incarnation != self.incarnation {
            return Some(Replaced::OtherIncarnation);
        }
        match self.token(shard, key, now) {
            Some(token) if token == cas.token => None,
            Some(_) => Some(Replaced::Exists),
            None => Some(Replaced::NotFound),
        }
    }

    fn fence_now(&self, key: &CacheKey, fence: Bytes, ttl: Duration, over: Over) -> Replaced {
        if size(key, &fence) > self.max_entry {
            return Replaced::TooLarge;
        }
        let mut shard = self.shard(key);
        let now = Instant::now();
        let refusal = match over {
            Over::Anything => None,
            Over::Version(cas) => self.refusal(&shard, key, cas, now),
            Over::Nothing => self.token(&shard, key, now).map(|_| Replaced::Exists),
        };
        if let Some(refusal) = refusal {
            return refusal;
        }
        let token = self.new_token();
        let held = Held { fence: Some(fence), token, expires: expiry(now, ttl) };
        shard.hold(key.clone(), held, now);
        self.rows.invalidate(key);
        Replaced::Stored(self.cas(token))
    }

    fn replace_now(&self, key: &CacheKey, value: Bytes, ttl: Duration, cas: Cas) -> Replaced {
        if size(key, &value) > self.max_entry {
            return Replaced::TooLarge;
        }
        let mut shard = self.shard(key);
        let now = Instant::now();
        if let Some(refusal) = self.refusal(&shard, key, cas, now) {
            return refusal;
        }
        let token = self.new_token();
        self.rows
            .insert(key.clone(), Row { value, token, expires: expiry(now, ttl), claimed: false });
        shard.release(key);
        Replaced::Stored(self.cas(token))
    }

    fn claim_now(&self, key: &CacheKey, below: Duration) -> Option<Cas> {
        let shard = self.shard(key);
        let now = Instant::now();
        if shard.live(key, now).is_some() {
            return None;
        }
        let row = self.live_row(key, now)?;
        if row.claimed || row.expires.saturating_duration_since(now) >= below {
            return None;
        }
        let token = row.token;
        self.rows.insert(key.clone(), Row { claimed: true, ..row });
        Some(self.cas(token))
    }

    fn delete_now(&self, key: &CacheKey, cas: Cas) -> Deleted {
        let mut shard = self.shard(key);
        match self.refusal(&shard, key, cas, Instant::now()) {
            None => {
                shard.release(key);
                self.rows.invalidate(key);
                Deleted::Deleted
            }
            Some(Replaced::OtherIncarnation) => Deleted::OtherIncarnation,
            Some(Replaced::NotFound) => Deleted::NotFound,
            Some(_) => Deleted::Exists,
        }
    }

    async fn answer<T>(&self, work: impl FnOnce() -> T) -> Result<T, CacheError> {
        // Nothing here waits: a task that reads on and on would let no other run.
        consume_budget().await;
        if self.is_closed.load(Ordering::Acquire) { Err(CacheError::Closed) } else { Ok(work()) }
    }
}

// Users choose it by a method of the builder.
#[doc(hidden)]
impl CacheStore for EmbeddedStore {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        let key = key.clone();
        Box::pin(self.answer(move || self.get_now(&key, lease)))
    }

    fn get_many(&self, keys: &[CacheKey], lease: Option<Duration>) -> StoreBatch<'_> {
        let keys = keys.to_vec();
        Box::pin(async move {
            let found =
                self.answer(|| keys.iter().map(|key| Ok(self.get_now(key, lease))).collect());
            found.await.unwrap_or_else(|error| vec![Err(error); keys.len()])
        })
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        let key = key.clone();
        Box::pin(self.answer(move || self.fence_now(&key, fence, ttl, over)))
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        let key = key.clone();
        Box::pin(self.answer(move || self.replace_now(&key, value, ttl, cas)))
    }

    fn claim(&self, key: &CacheKey, below: Duration) -> StoreFuture<'_, Option<Cas>> {
        let key = key.clone();
        Box::pin(self.answer(move || self.claim_now(&key, below)))
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        let key = key.clone();
        Box::pin(self.answer(move || self.delete_now(&key, cas)))
    }

    fn servers(&self) -> ServerReports<'_> {
        Box::pin(async {
            let asked = Instant::now();
            let answered = self.answer(|| asked.elapsed()).await;
            let incarnation = Some(self.incarnation);
            vec![ServerStatus { incarnation, ..ServerStatus::new("embedded", answered) }]
        })
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            self.is_closed.store(true, Ordering::Release);
            self.rows.invalidate_all();
        })
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("rows", &self.rows.entry_count())
            .finish_non_exhaustive()
    }
}

fn expiry(now: Instant, ttl: Duration) -> Instant {
    now + ttl.min(MAX_TTL)
}
