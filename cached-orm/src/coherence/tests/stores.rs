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
