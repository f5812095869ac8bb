//! Stores that misbehave.

use super::*;
use crate::{
    cache::{Cas, Deleted, Lookup, Over, Replaced, StoreFuture},
    coherence::fence::Fence,
};
use std::sync::atomic::AtomicBool;

/// A store that marks every fence as soon as it is there, as an outbox's
/// drainer would.
#[derive(Debug)]
pub(super) struct Marking {
    pub(super) inner: EmbeddedStore,
    pub(super) key: CacheKey,
}

impl CacheStore for Marking {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        self.inner.get(key, lease)
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        let first = self.inner.fence(key, fence.clone(), ttl, over);
        Box::pin(async move {
            let Replaced::Stored(cas) = first.await? else { panic!("not stored") };
            let marked = Fence::parse(&fence).expect("a fence").without_write_through().to_bytes();
            self.inner.fence(&self.key, marked, ttl, Over::Version(cas)).await?;
            Ok(Replaced::Stored(cas))
        })
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        self.inner.replace(key, value, ttl, cas)
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        self.inner.delete(key, cas)
    }
}

/// A store that answers until it is switched off.
pub(super) fn failing() -> (Arc<Failing>, Arc<Coherence>) {
    let store = Arc::new(Failing { inner: EmbeddedStore::new(1 << 20), fails: false.into() });
    (Arc::clone(&store), over(store))
}

/// A store that can be switched off.
#[derive(Debug)]
pub(super) struct Failing {
    pub(super) inner: EmbeddedStore,
    pub(super) fails: AtomicBool,
}

impl Failing {
    fn or_fail<'s, T: Send + 's>(&self, future: StoreFuture<'s, T>) -> StoreFuture<'s, T> {
        if self.fails.load(Ordering::SeqCst) {
            Box::pin(std::future::ready(Err(CacheError::Closed)))
        } else {
            future
        }
    }
}

impl CacheStore for Failing {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        self.or_fail(self.inner.get(key, lease))
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        self.or_fail(self.inner.fence(key, fence, ttl, over))
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        self.or_fail(self.inner.replace(key, value, ttl, cas))
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        self.or_fail(self.inner.delete(key, cas))
    }
}

/// A store whose connection breaks under fences.
#[derive(Debug)]
pub(super) struct Breaking {
    pub(super) inner: EmbeddedStore,
    /// How many fences are not answered.
    left: AtomicUsize,
    /// Those that were not; nobody knows whether they come.
    pub(super) on_their_way: Mutex<Vec<Bytes>>,
}

impl Breaking {
    pub(super) fn under(fences: usize) -> Self {
        let inner = EmbeddedStore::new(1 << 20);
        Self { inner, left: fences.into(), on_their_way: Mutex::default() }
    }
}

impl CacheStore for Breaking {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        self.inner.get(key, lease)
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        let left = |left: usize| left.checked_sub(1);
        if self.left.try_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok() {
            self.on_their_way.lock().expect("no panic").push(fence);
            let source = Arc::new(std::io::ErrorKind::ConnectionReset.into());
            let broken = CacheError::Disconnected { server: "breaking".into(), source };
            return Box::pin(std::future::ready(Err(broken)));
        }
        self.inner.fence(key, fence, ttl, over)
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        self.inner.replace(key, value, ttl, cas)
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        self.inner.delete(key, cas)
    }
}

/// A store that takes its time for a fence.
#[derive(Debug)]
pub(super) struct Slow {
    pub(super) inner: EmbeddedStore,
    pub(super) by: Duration,
}

impl CacheStore for Slow {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        self.inner.get(key, lease)
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        let key = key.clone();
        Box::pin(async move {
            tokio::time::sleep(self.by).await;
            self.inner.fence(&key, fence, ttl, over).await
        })
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        self.inner.replace(key, value, ttl, cas)
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        self.inner.delete(key, cas)
    }
}

/// A store in which something happens to what was just looked at.
#[derive(Debug)]
pub(super) struct Altering {
    inner: EmbeddedStore,
    happening: Happening,
    /// How often.
    left: AtomicUsize,
}

#[derive(Debug)]
enum Happening {
    /// Somebody puts the same over it.
    Renewed,
    /// Nothing, but the answer has other bytes.
    Damaged,
}

impl Altering {
    /// Whoever looks finds that somebody was there before he acts.
    pub(super) fn always() -> Self {
        let inner = EmbeddedStore::new(1 << 20);
        Self { inner, happening: Happening::Renewed, left: usize::MAX.into() }
    }

    /// Answers to so many looks are damaged on their way.
    pub(super) fn damaging(times: usize) -> Self {
        Self { happening: Happening::Damaged, left: times.into(), ..Self::always() }
    }
}

impl CacheStore for Altering {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        let (looking, key) = (self.inner.get(key, lease), key.clone());
        Box::pin(async move {
            let found = looking.await?;
            let Lookup::Item { value, cas, stale, ttl, claimed } = found else { return Ok(found) };
            let left = |left: usize| left.checked_sub(1);
            let value = match self.left.try_update(Ordering::SeqCst, Ordering::SeqCst, left) {
                Ok(_) => match self.happening {
                    Happening::Renewed => {
                        let ttl = Duration::from_secs(60);
                        self.inner.fence(&key, value.clone(), ttl, Over::Version(cas)).await?;
                        value
                    }
                    Happening::Damaged => value.iter().map(|byte| byte ^ 1).collect(),
                },
                Err(_) => value,
            };
            Ok(Lookup::Item { value, cas, stale, ttl, claimed })
        })
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        self.inner.fence(key, fence, ttl, over)
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        self.inner.replace(key, value, ttl, cas)
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        self.inner.delete(key, cas)
    }
}

/// A store that notes the commands it is given.
#[derive(Debug)]
pub(super) struct Noting {
    inner: EmbeddedStore,
    commands: Mutex<Vec<&'static str>>,
}

impl Noting {
    pub(super) fn new() -> Self {
        Self { inner: EmbeddedStore::new(1 << 20), commands: Mutex::default() }
    }

    fn note(&self, command: &'static str) {
        self.commands.lock().expect("no panic").push(command);
    }

    /// Those since the last time that it was asked.
    pub(super) fn commands(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.commands.lock().expect("no panic"))
    }
}

impl CacheStore for Noting {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        self.note("get");
        self.inner.get(key, lease)
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        self.note("fence");
        self.inner.fence(key, fence, ttl, over)
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        self.note("replace");
        self.inner.replace(key, value, ttl, cas)
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        self.note("delete");
        self.inner.delete(key, cas)
    }
}
