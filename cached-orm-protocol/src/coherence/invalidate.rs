use super::{COMMANDS_AT_ONCE, Coherence, fence::Fence};
use crate::{
    cache::{CacheError, CacheStore, Deleted, Lookup, Over, Replaced},
    key::CacheKey,
};
use futures_util::future::join_all;

/// How often an invalidation that others interfere with is tried again.
const ATTEMPTS: usize = 16;

impl Coherence {
    /// Takes away whatever lies under the key, a lease included: its holder may
    /// have loaded the row already. A fence keeps protecting the key; only its
    /// writer may no longer put its row in its place.
    pub async fn invalidate(&self, key: &CacheKey) -> Result<(), CacheError> {
        let invalidated = self.persist(key, || self.try_invalidate(key)).await;
        self.near.end(key);
        invalidated.map_err(|error| self.failed(error))
    }

    /// [`invalidate`](Self::invalidate) for many keys: all of them, even if one
    /// fails.
    pub async fn invalidate_all(
        &self,
        keys: impl IntoIterator<Item = CacheKey>,
    ) -> Result<(), CacheError> {
        let mut keys = keys.into_iter();
        let mut failure = None;
        loop {
            let chunk: Vec<_> = keys.by_ref().take(COMMANDS_AT_ONCE).collect();
            if chunk.is_empty() {
                return failure.map_or(Ok(()), Err);
            }
            let done = join_all(chunk.iter().map(|key| self.invalidate(key))).await;
            failure = failure.or(done.into_iter().find_map(Result::err));
        }
    }

    async fn try_invalidate(&self, key: &CacheKey) -> Result<(), CacheError> {
        if let Some(other) = self.for_writes.also(key) {
            self.invalidate_in(other, key).await?;
        }
        self.invalidate_in(&*self.for_writes, key).await
    }

    async fn invalidate_in(
        &self,
        store: &dyn CacheStore,
        key: &CacheKey,
    ) -> Result<(), CacheError> {
        for _ in 0..ATTEMPTS {
            let (value, cas) = match store.get(key, None).await? {
                Lookup::Miss => return Ok(()),
                Lookup::Lease(cas) | Lookup::Leased(cas) => (None, cas),
                Lookup::Item { value, cas, .. } => (Some(value), cas),
            };
            if let Some(marked) = value.as_deref().and_then(Fence::marked) {
                let ttl = self.times.fence_ttl;
                match store.fence(key, marked, ttl, Over::Version(cas)).await? {
                    Replaced::Stored(_) | Replaced::NotFound => return Ok(()),
                    Replaced::TooLarge => return Err(CacheError::NotStored),
                    Replaced::Exists | Replaced::OtherIncarnation => {}
                }
            } else {
                match store.delete(key, cas).await? {
                    Deleted::Deleted | Deleted::NotFound => return Ok(()),
                    Deleted::Exists | Deleted::OtherIncarnation => {}
                }
            }
        }
        Err(CacheError::NotStored)
    }
}
