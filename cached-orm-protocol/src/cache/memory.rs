use super::{
    CacheStore, Cas, Deleted, Incarnation, Lookup, Over, Replaced, ServerReports, ServerStatus,
    StoreFuture,
};
use crate::key::CacheKey;
use bytes::Bytes;
use std::{
    collections::HashMap,
    fmt,
    future::ready,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// memcached's own limit, so that what is too large there is too large here.
const MAX_VALUE: usize = 1 << 20;
/// Longer lives are cut, so that no date overflows.
const MAX_TTL: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// A cache in memory, for tests: it drops nothing that is not to be dropped, and its
/// time can be moved.
///
/// It answers at once and needs no server, no hold-off and no feature besides
/// `test-kit`. Like memcached it takes values up to 1 MiB. It grows without bound, so
/// it is for tests only; for services there is the feature `embedded`. One that is
/// given to several builders is a cache that several processes share; the end of one
/// of them (`Orm::close`) is not that of the store.
///
/// ```
/// # mod cached_orm { pub use cached_orm_protocol::cache as test_kit; }
/// use cached_orm::test_kit::MemoryStore;
/// use std::{sync::Arc, time::Duration};
///
/// let cache = Arc::new(MemoryStore::new());
/// // … an `Orm::builder(pool).store(cache.clone())`, and what fills it …
/// cache.advance(Duration::from_secs(12 * 60)); // a TTL of ten minutes is over
/// ```
pub struct MemoryStore {
    inside: Mutex<Inside>,
    incarnation: Incarnation,
}

#[derive(Default)]
struct Inside {
    items: HashMap<CacheKey, Item>,
    /// How far its time is ahead of tokio's clock.
    ahead: Duration,
    last_token: u64,
}

struct Item {
    /// `None` for a lease.
    value: Option<Bytes>,
    token: u64,
    expires: Instant,
    claimed: bool,
}

impl MemoryStore {
    /// An empty store.
    ///
    /// ```
    /// # mod cached_orm { pub use cached_orm_protocol::cache as test_kit; }
    /// use cached_orm::test_kit::MemoryStore;
    ///
    /// let cache = MemoryStore::new();
    /// # drop(cache);
    /// ```
    pub fn new() -> Self {
        // Two stores of a process must not take each other's tokens.
        let incarnation =
            Incarnation { process: u64::from(std::process::id()), started: rand::random() };
        Self { inside: Mutex::default(), incarnation }
    }

    /// Lets time go by: what would have expired by then has expired.
    ///
    /// Only the store's time moves. Copies in the process (`near_ttl`) and timeouts go
    /// by tokio's clock, which the store goes by too: where a test pauses that and
    /// moves it (`tokio::time::advance`), this is not needed.
    ///
    /// ```
    /// # mod cached_orm { pub use cached_orm_protocol::cache as test_kit; }
    /// use cached_orm::test_kit::MemoryStore;
    /// use std::time::Duration;
    ///
    /// MemoryStore::new().advance(Duration::from_secs(600));
    /// ```
    pub fn advance(&self, by: Duration) {
        let mut inside = self.inside();
        inside.ahead = inside.ahead.saturating_add(by).min(MAX_TTL);
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cas(&self, token: u64) -> Cas {
        Cas { incarnation: self.incarnation, token }
    }

    fn look_up(&self, key: &CacheKey, lease: Option<Duration>) -> Lookup {
        let mut inside = self.inside();
        let now = inside.now();
        if let Some(item) = inside.live(key) {
            let cas = self.cas(item.token);
            return match &item.value {
                None => Lookup::Leased(cas),
                Some(value) => Lookup::Item {
                    value: value.clone(),
                    cas,
                    stale: false,
                    ttl: Some(item.expires.saturating_duration_since(now)),
                    claimed: item.claimed,
                },
            };
        }
        match lease {
            Some(ttl) => Lookup::Lease(self.cas(inside.put(key, None, ttl))),
            None => Lookup::Miss,
        }
    }

    /// Why a command over `over` is not carried out, if it is not.
    fn refusal(&self, inside: &Inside, key: &CacheKey, over: Over) -> Option<Replaced> {
        let found = inside.live(key).map(|item| item.token);
        match (over, found) {
            (Over::Anything, _) | (Over::Nothing, None) => None,
            (Over::Nothing, Some(_)) => Some(Replaced::Exists),
            (Over::Version(cas), _) if cas.incarnation != self.incarnation => {
                Some(Replaced::OtherIncarnation)
            }
            (Over::Version(_), None) => Some(Replaced::NotFound),
            (Over::Version(cas), Some(token)) => (cas.token != token).then_some(Replaced::Exists),
        }
    }

    fn store(&self, key: &CacheKey, value: Bytes, ttl: Duration, over: Over) -> Replaced {
        if value.len() > MAX_VALUE {
            return Replaced::TooLarge;
        }
        let mut inside = self.inside();
        match self.refusal(&inside, key, over) {
            Some(refusal) => refusal,
            None => Replaced::Stored(self.cas(inside.put(key, Some(value), ttl))),
        }
    }

    fn take_claim(&self, key: &CacheKey, below: Duration) -> Option<Cas> {
        let mut inside = self.inside();
        let now = inside.now();
        let item = inside.items.get_mut(key).filter(|item| item.expires > now)?;
        let is_due = item.expires.saturating_duration_since(now) < below;
        if item.value.is_none() || item.claimed || !is_due {
            return None;
        }
        item.claimed = true;
        Some(self.cas(item.token))
    }

    fn remove(&self, key: &CacheKey, cas: Cas) -> Deleted {
        let mut inside = self.inside();
        match self.refusal(&inside, key, Over::Version(cas)) {
            None => {
                inside.items.remove(key);
                Deleted::Deleted
            }
            Some(Replaced::OtherIncarnation) => Deleted::OtherIncarnation,
            Some(Replaced::NotFound) => Deleted::NotFound,
            Some(_) => Deleted::Exists,
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Inside {
    fn now(&self) -> Instant {
        Instant::now() + self.ahead
    }

    fn live(&self, key: &CacheKey) -> Option<&Item> {
        let now = self.now();
        self.items.get(key).filter(|item| item.expires > now)
    }

    /// Returns the new item's token.
    fn put(&mut self, key: &CacheKey, value: Option<Bytes>, ttl: Duration) -> u64 {
        self.last_token += 1;
        let (token, expires) = (self.last_token, self.now() + ttl.min(MAX_TTL));
        self.items.insert(key.clone(), Item { value, token, expires, claimed: false });
        token
    }
}

impl CacheStore for MemoryStore {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        let key = key.clone();
        Box::pin(async move { Ok(self.look_up(&key, lease)) })
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        let key = key.clone();
        Box::pin(async move { Ok(self.store(&key, fence, ttl, over)) })
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        let key = key.clone();
        Box::pin(async move { Ok(self.store(&key, value, ttl, Over::Version(cas))) })
    }

    fn claim(&self, key: &CacheKey, below: Duration) -> StoreFuture<'_, Option<Cas>> {
        let key = key.clone();
        Box::pin(async move { Ok(self.take_claim(&key, below)) })
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        let key = key.clone();
        Box::pin(async move { Ok(self.remove(&key, cas)) })
    }

    fn servers(&self) -> ServerReports<'_> {
        let server = ServerStatus::new("memory", Ok(Duration::ZERO));
        Box::pin(ready(vec![server]))
    }
}

// Not derived: items are the user's data.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("items", &self.inside().items.len())
            .finish_non_exhaustive()
    }
}
