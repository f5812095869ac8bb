use super::{
    COMMANDS_AT_ONCE, Coherence,
    commit::{Fenced, Release},
    fence::Fence,
};
use crate::{
    cache::{CacheError, Deleted, Lookup, Replaced},
    key::CacheKey,
};
use futures_util::future::join_all;

/// How often a release that others interfere with is tried again.
const ATTEMPTS: usize = 16;

impl Coherence {
    /// Takes the fences away, at once; returns how many may still be there, or
    /// may have been replaced by an old row that is still there.
    pub(super) async fn release_all(&self, fence: Fence, fenced: Vec<Fenced>) -> usize {
        let mut unconfirmed = 0;
        for fenced in fenced.chunks(COMMANDS_AT_ONCE) {
            let releases = fenced.iter().map(|fenced| self.release(fence, fenced));
            for error in join_all(releases).await.into_iter().filter_map(Result::err) {
                let error = self.failed(error);
                tracing::warn!(%error, "a fence could not be released; its key is read from the database until it expires");
                self.counters.releases_unconfirmed.add_one();
                unconfirmed += 1;
            }
        }
        unconfirmed
    }

    /// Takes away what lies under these keys, as far as the cache answers.
    pub(super) async fn clear_all(&self, fence: Fence, keys: &[(CacheKey, Release)]) {
        for keys in keys.chunks(COMMANDS_AT_ONCE) {
            let clearing = keys.iter().map(|(key, _)| self.clear(fence, key));
            for error in join_all(clearing).await.into_iter().filter_map(Result::err) {
                self.failed(error);
            }
        }
    }

    async fn release(&self, fence: Fence, fenced: &Fenced) -> Result<(), CacheError> {
        if let Release::Store(entry) = &fenced.release {
            let (value, ttl) = (entry.value.clone(), entry.ttl);
            match self.store.replace(&fenced.key, value, ttl, fenced.cas).await? {
                Replaced::Stored(_) => {
                    self.counters.write_throughs.add_one();
                    return Ok(());
                }
                Replaced::NotFound => return Ok(()),
                Replaced::TooLarge => self.counters.too_large.add_one(),
                Replaced::Exists | Replaced::OtherIncarnation => {
                    return self.clear(fence, &fenced.key).await;
                }
            }
        }
        match self.store.delete(&fenced.key, fenced.cas).await? {
            Deleted::Deleted | Deleted::NotFound => Ok(()),
            Deleted::Exists | Deleted::OtherIncarnation => self.clear(fence, &fenced.key).await,
        }
    }

    /// The fence is not as it was put: it was evicted, marked or lost in a
    /// restart. Whatever a reader may have stored meanwhile is taken away; a
    /// later writer's fence is left to that writer.
    async fn clear(&self, fence: Fence, key: &CacheKey) -> Result<(), CacheError> {
        for _ in 0..ATTEMPTS {
            let cas = match self.store.get(key, None).await? {
                Lookup::Miss => return Ok(()),
                Lookup::Lease(cas) | Lookup::Leased(cas) => cas,
                Lookup::Item { value, cas, .. } => match Fence::parse(&value) {
                    Some(other) if !other.same_writer(fence) => return Ok(()),
                    _ => cas,
                },
            };
            match self.store.delete(key, cas).await? {
                Deleted::Deleted | Deleted::NotFound => return Ok(()),
                Deleted::Exists | Deleted::OtherIncarnation => {}
            }
        }
        Err(CacheError::NotStored)
    }
}
