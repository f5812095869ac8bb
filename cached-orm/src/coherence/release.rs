use super::{
    Coherence,
    commit::{Fenced, Release},
    fence::Fence,
};
use crate::cache::{CacheError, Deleted, Lookup, Replaced};
use futures_util::future::join_all;

/// How often a release that others interfere with is tried again.
const ATTEMPTS: usize = 16;

impl Coherence {
    /// Takes the fences away, at once; returns how many may still be there, or
    /// may have been replaced by an old row that is still there.
    pub(super) async fn release_all(&self, fence: Fence, fenced: Vec<Fenced>) -> usize {
        let outcomes = join_all(fenced.iter().map(|fenced| self.release(fence, fenced))).await;
        let mut unconfirmed = 0;
        for outcome in outcomes {
            if let Err(error) = outcome {
                let error = self.failed(error);
                tracing::warn!(%error, "a fence could not be released; its key is read from the database until it expires");
                self.counters.releases_unconfirmed.add_one();
                unconfirmed += 1;
            }
        }
        unconfirmed
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
                    return self.clear(fence, fenced).await;
                }
            }
        }
        match self.store.delete(&fenced.key, fenced.cas).await? {
            Deleted::Deleted | Deleted::NotFound => Ok(()),
            Deleted::Exists | Deleted::OtherIncarnation => self.clear(fence, fenced).await,
        }
    }

    /// The fence is not as it was put: it was evicted, marked or lost in a
    /// restart. Whatever a reader may have stored meanwhile is taken away; a
    /// later writer's fence is left to that writer.
    async fn clear(&self, fence: Fence, fenced: &Fenced) -> Result<(), CacheError> {
        for _ in 0..ATTEMPTS {
            let cas = match self.store.get(&fenced.key, None).await? {
                Lookup::Miss => return Ok(()),
                Lookup::Lease(cas) | Lookup::Leased(cas) => cas,
                Lookup::Item { value, cas, .. } => match Fence::parse(&value) {
                    Some(other) if !other.same_writer(fence) => return Ok(()),
                    _ => cas,
                },
            };
            match self.store.delete(&fenced.key, cas).await? {
                Deleted::Deleted | Deleted::NotFound => return Ok(()),
                Deleted::Exists | Deleted::OtherIncarnation => {}
            }
        }
        Err(CacheError::NotStored)
    }
}
