use super::{
    COMMANDS_AT_ONCE, Coherence, Event, TARGET,
    fence::{Fence, Token},
    fencing::{Enlist, Fenced, Fencing, Touched},
    journal::Release,
};
use crate::{
    cache::{CacheError, CacheStore, Deleted, Lookup, Replaced},
    key::CacheKey,
};
use futures_util::future::join_all;

/// How often a release that others interfere with is tried again.
const ATTEMPTS: usize = 16;

impl Coherence {
    /// Takes the fences of a transaction that was committed away, or puts the
    /// rows it wrote in their places. A key where that cannot be confirmed is
    /// put into the outbox; returns how many could not even be put there.
    pub async fn release(&self, mut fencing: Fencing, mut outbox: impl Enlist) -> usize {
        let mut unconfirmed = Vec::new();
        for fenced in fencing.fenced.chunks(COMMANDS_AT_ONCE) {
            let releases = fenced.iter().map(async |fenced| {
                self.persist(&fenced.key, || self.release_one(&fencing, fenced)).await
            });
            for (fenced, released) in fenced.iter().zip(join_all(releases).await) {
                // Had the fence been lost, the old row could have been read.
                self.near.end(&fenced.key);
                if let Err(error) = released {
                    self.failed(error);
                    unconfirmed.push(fenced.key.clone());
                }
            }
        }
        for keys in fencing.doubted.chunks(COMMANDS_AT_ONCE) {
            let cleared = join_all(keys.iter().map(|key| self.clear(None, key))).await;
            for (key, cleared) in keys.iter().zip(cleared) {
                self.near.end(key);
                if let Err(error) = cleared {
                    self.failed(error);
                    unconfirmed.push(key.clone());
                }
            }
        }
        // Their rows of the outbox make sure of them; this is to be quick.
        self.clear_all(false, &fencing.own, &fencing.missed).await;
        if fencing.enlist(&unconfirmed, &mut outbox).await {
            return 0;
        }
        unconfirmed.retain(|key| !fencing.enlisted.contains(key));
        tracing::warn!(
            target: TARGET,
            keys = unconfirmed.len(),
            "fences could not be released; their keys are read from the database until they expire"
        );
        self.meter.count(Event::ReleaseUnconfirmed, unconfirmed.len() as u64);
        unconfirmed.len()
    }

    /// Takes away what lies under the keys of a transaction that is over, and
    /// whose rows are not put in the cache; its own fences if its rows were
    /// locked when they were put.
    pub(super) async fn clear_unreleased(
        &self,
        fencing: &Fencing,
        was_locked: bool,
    ) -> Vec<CacheError> {
        let fenced: Vec<_> = fencing.fenced_keys().collect();
        let mut errors = self.clear_all(was_locked, &fencing.own, &fenced).await;
        errors.extend(self.clear_all(false, &fencing.own, &fencing.missed).await);
        errors
    }

    /// Takes away what lies under keys, as far as the cache answers.
    ///
    /// Of fences only the transaction's own are taken away, and only if they were
    /// put while the rows were locked, for certain: a fence that came later may lie
    /// in the place of another writer's, who has not committed yet and is now
    /// protected by it. Such a fence ends by itself. From shared fences `tokens` are
    /// taken out in any case: they lie beside the others'.
    async fn clear_all(
        &self,
        was_locked: bool,
        tokens: &[Token],
        keys: &[Touched],
    ) -> Vec<CacheError> {
        let mut errors = Vec::new();
        for keys in keys.chunks(COMMANDS_AT_ONCE) {
            let clearing = keys.iter().map(async |Touched { key, fence, is_shared }| {
                if *is_shared {
                    self.leave_fence(key, tokens).await
                } else {
                    let own = was_locked.then_some(*fence);
                    self.persist(key, || self.clear(own, key)).await
                }
            });
            let cleared = join_all(clearing).await;
            keys.iter().for_each(|touched| self.near.end(&touched.key));
            let failed = cleared.into_iter().filter_map(Result::err);
            errors.extend(failed.map(|error| self.failed(error)));
        }
        errors
    }

    async fn release_one(&self, fencing: &Fencing, fenced: &Fenced) -> Result<(), CacheError> {
        let Fenced { key, release, cas, fence, others } = fenced;
        let store = &*self.for_writes;
        if release.is_shared() {
            return self.release_shared(key, &fencing.own, *cas, others.as_ref()).await;
        }
        if let Some(other) = store.also(key) {
            clear_in(other, Some(*fence), key).await?;
        }
        if let Release::Store(entry) = release {
            match store.replace(key, entry.value.clone(), entry.ttl, *cas).await? {
                Replaced::Stored(_) => {
                    self.meter.count(Event::WriteThrough, 1);
                    return Ok(());
                }
                Replaced::NotFound => return Ok(()),
                Replaced::TooLarge => self.meter.count(Event::TooLarge, 1),
                Replaced::Exists | Replaced::OtherIncarnation => {
                    return clear_in(store, Some(*fence), key).await;
                }
            }
        }
        match store.delete(key, *cas).await? {
            Deleted::Deleted | Deleted::NotFound => Ok(()),
            Deleted::Exists | Deleted::OtherIncarnation => clear_in(store, Some(*fence), key).await,
        }
    }

    async fn clear(&self, own: Option<Fence>, key: &CacheKey) -> Result<(), CacheError> {
        if let Some(other) = self.for_writes.also(key) {
            clear_in(other, own, key).await?;
        }
        clear_in(&*self.for_writes, own, key).await
    }
}

/// The fence is not as it was put: it was evicted, marked or lost in a restart.
/// Whatever a reader may have stored meanwhile is taken away; a later writer's
/// fence is left to that writer.
async fn clear_in(
    store: &dyn CacheStore,
    own: Option<Fence>,
    key: &CacheKey,
) -> Result<(), CacheError> {
    for _ in 0..ATTEMPTS {
        let cas = match store.get(key, None).await? {
            Lookup::Miss => return Ok(()),
            Lookup::Lease(cas) | Lookup::Leased(cas) => cas,
            Lookup::Item { value, cas, .. } => match Fence::parse(&value) {
                Some(fence) if !own.is_some_and(|own| own.same_writer(fence)) => return Ok(()),
                _ => cas,
            },
        };
        match store.delete(key, cas).await? {
            Deleted::Deleted | Deleted::NotFound => return Ok(()),
            Deleted::Exists | Deleted::OtherIncarnation => {}
        }
    }
    Err(CacheError::NotStored)
}
