use super::{
    COMMANDS_AT_ONCE, Coherence, Event, Journal,
    fence::{Fence, Token},
    journal::Release,
    shared_fence::SharedFence,
};
use crate::{
    cache::{CacheError, CacheStore, Cas, Lookup, Over, Replaced},
    key::CacheKey,
    steps::Step,
};
use futures_util::future::join_all;
use std::{collections::HashSet, future::Future};
use tokio::time::Instant;

/// Where keys are put that the cache could not be told of, until it can: the
/// outbox.
pub trait Enlist: Send {
    /// Puts keys in; `false` if that failed, or there is no outbox.
    fn enlist(&mut self, keys: &[CacheKey]) -> impl Future<Output = bool> + Send;
}

/// A transaction's fences.
pub struct Fencing {
    /// What was put under its rows' keys first.
    fence: Fence,
    /// When the oldest was put, or set anew.
    pub(super) since: Instant,
    /// Its part of the fences that others may have put too: the last one, and
    /// those that it has put before.
    pub(super) own: Vec<Token>,
    pub(super) fenced: Vec<Fenced>,
    /// Keys whose fence was not confirmed. It may be there all the same.
    pub(super) missed: Vec<Touched>,
    /// Keys whose rows may have been changed, and were not locked.
    pub(super) doubted: Vec<CacheKey>,
    /// Keys that are in the outbox.
    pub(super) enlisted: HashSet<CacheKey>,
}

/// A key with this transaction's fence on it.
pub(super) struct Fenced {
    pub(super) key: CacheKey,
    pub(super) release: Release,
    pub(super) cas: Cas,
    pub(super) fence: Fence,
    /// What of the fence is not this transaction's.
    pub(super) others: Option<SharedFence>,
}

/// A key that a fence was sent to.
#[derive(Clone)]
pub(super) struct Touched {
    pub(super) key: CacheKey,
    /// The one that was confirmed, if one was.
    pub(super) fence: Fence,
    /// Whether others may fence it at the same time.
    pub(super) is_shared: bool,
}

/// What was done before a key could be neither fenced nor enlisted.
pub struct Unfenced {
    /// The fences that were put.
    pub fencing: Fencing,
    /// Why there are no more.
    pub error: CacheError,
}

/// How often COMMIT's window may be missed before the cache counts as too slow.
const FENCE_ATTEMPTS: usize = 3;

impl Coherence {
    /// Fences every key, or enlists it, so that the oldest fence is younger
    /// than the commit window: a fence must not expire, nor a restarted server
    /// end its hold-off, before COMMIT is through.
    ///
    /// The caller holds the locks of the journal's rows.
    pub async fn fence(
        &self,
        mut journal: Journal,
        outbox: &mut impl Enlist,
    ) -> Result<Fencing, Unfenced> {
        let doubted = journal.take_doubted();
        let keys = journal.into_keys();
        let mut fencing = Fencing {
            fence: Fence::new(),
            since: Instant::now(),
            own: Vec::new(),
            fenced: Vec::new(),
            missed: Vec::new(),
            doubted,
            enlisted: HashSet::new(),
        };
        let mut failure = None;
        if self.enlists_every_key {
            let names: Vec<_> = keys.iter().map(|(key, _)| key.clone()).collect();
            if !names.is_empty() && !fencing.enlist(&names, outbox).await {
                return Err(Unfenced { fencing, error: CacheError::NotEnlisted });
            }
        }
        for _ in 0..FENCE_ATTEMPTS {
            fencing.since = Instant::now();
            // One of an earlier attempt may come when the rows are not locked any
            // more; this one may be taken away then, and that one not. Tokens
            // can be taken out whenever they have come.
            fencing.fence = Fence::new();
            let error = self.fence_all(&keys, &mut fencing).await;
            self.steps.reach(Step::Fencing).await;
            if let Some(error) = error {
                let missed: Vec<_> =
                    fencing.missed.iter().map(|missed| missed.key.clone()).collect();
                if !fencing.enlist(&missed, outbox).await {
                    return Err(Unfenced { fencing, error });
                }
            }
            if fencing.since.elapsed() < self.times.commit_window {
                return Ok(fencing);
            }
            failure = Some(CacheError::TooSlow { window: self.times.commit_window });
        }
        let fenced: Vec<_> = fencing.fenced.iter().map(|fenced| fenced.key.clone()).collect();
        match failure {
            Some(error) if !fencing.enlist(&fenced, outbox).await => {
                Err(Unfenced { fencing, error })
            }
            _ => Ok(fencing),
        }
    }

    /// Fences every key, anew if it is fenced already. Returns what went wrong.
    async fn fence_all(
        &self,
        keys: &[(CacheKey, Release)],
        fencing: &mut Fencing,
    ) -> Option<CacheError> {
        fencing.fenced.clear();
        fencing.missed.clear();
        fencing.own.push(Token::new());
        let mut failure = None;
        for keys in keys.chunks(COMMANDS_AT_ONCE) {
            let fences = keys.iter().map(async |(key, release)| {
                if release.is_shared() {
                    let (cas, others) = self.join_fence(key, &fencing.own).await?;
                    Ok((cas, fencing.fence, others))
                } else {
                    let (cas, fence) = self.put_fence(key, fencing.fence).await?;
                    Ok((cas, fence, None))
                }
            });
            let outcomes = join_all(fences).await;
            for ((key, release), outcome) in keys.iter().zip(outcomes) {
                // Who reads from now on meets the fence.
                self.near.end(key);
                let key = key.clone();
                match outcome {
                    Ok((cas, fence, others)) => {
                        let release = release.clone();
                        fencing.fenced.push(Fenced { key, release, cas, fence, others });
                    }
                    Err(error) => {
                        let (fence, is_shared) = (fencing.fence, release.is_shared());
                        fencing.missed.push(Touched { key, fence, is_shared });
                        failure = Some(self.failed(error));
                    }
                }
            }
        }
        self.meter.count(Event::Fence, fencing.fenced.len() as u64);
        failure
    }

    /// Sets fences anew. The rows may not be locked any more.
    pub(super) async fn renew(&self, fencing: &mut Fencing) -> Vec<CacheError> {
        let since = Instant::now();
        fencing.own.push(Token::new());
        let own = &fencing.own;
        let mut errors = Vec::new();
        let touched = fencing.touched();
        for keys in touched.chunks(COMMANDS_AT_ONCE) {
            let renewals = keys.iter().map(async |Touched { key, fence, is_shared }| {
                if *is_shared {
                    self.join_fence(key, own).await.map(|_| ())
                } else {
                    self.persist(key, || self.renew_one(key, *fence)).await
                }
            });
            let renewals = join_all(renewals).await;
            keys.iter().for_each(|touched| self.near.end(&touched.key));
            errors.extend(renewals.into_iter().filter_map(Result::err));
        }
        fencing.since = since;
        errors
    }

    async fn renew_one(&self, key: &CacheKey, fence: Fence) -> Result<(), CacheError> {
        if let Some(other) = self.for_writes.also(key) {
            self.renew_in(other, key, fence).await?;
        }
        self.renew_in(&*self.for_writes, key, fence).await
    }

    /// Sets the fence over itself. If it is not there, another takes its place
    /// that nobody takes away: what it lies over may be a later writer's.
    async fn renew_in(
        &self,
        store: &dyn CacheStore,
        key: &CacheKey,
        fence: Fence,
    ) -> Result<(), CacheError> {
        let ttl = self.times.fence_ttl;
        if let Lookup::Item { value, cas, .. } = store.get(key, None).await?
            && Fence::parse(&value).is_some_and(|found| found.same_writer(fence))
            && let Replaced::Stored(_) =
                store.fence(key, fence.to_bytes(), ttl, Over::Version(cas)).await?
        {
            return Ok(());
        }
        let left = Fence::new().without_write_through();
        store.fence(key, left.to_bytes(), ttl, Over::Anything).await?;
        Ok(())
    }

    /// Puts a fence wherever readers may look for the key: this one, or another if
    /// it has to be put again.
    async fn put_fence(&self, key: &CacheKey, first: Fence) -> Result<(Cas, Fence), CacheError> {
        let mut first = Some(first);
        self.persist(key, || {
            let fence = first.take().unwrap_or_else(Fence::new);
            async move { Ok((self.put_one_fence(key, fence).await?, fence)) }
        })
        .await
    }

    async fn put_one_fence(&self, key: &CacheKey, fence: Fence) -> Result<Cas, CacheError> {
        let (value, ttl) = (fence.to_bytes(), self.times.fence_ttl);
        if let Some(other) = self.for_writes.also(key) {
            other.fence(key, value.clone(), ttl, Over::Anything).await?;
        }
        match self.for_writes.fence(key, value, ttl, Over::Anything).await? {
            Replaced::Stored(cas) => Ok(cas),
            _ => Err(CacheError::NotStored),
        }
    }
}

impl Fencing {
    /// Puts those keys into the outbox that are not there yet.
    pub(super) async fn enlist(&mut self, keys: &[CacheKey], outbox: &mut impl Enlist) -> bool {
        let new: Vec<_> =
            keys.iter().filter(|key| !self.enlisted.contains(*key)).cloned().collect();
        if new.is_empty() {
            return true;
        }
        let enlisted = outbox.enlist(&new).await;
        if enlisted {
            self.enlisted.extend(new);
        }
        enlisted
    }

    /// How many keys there are.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.fenced.len() + self.missed.len()
    }

    /// Every key that a fence was sent to.
    pub(super) fn touched(&self) -> Vec<Touched> {
        self.fenced_keys().chain(self.missed.iter().cloned()).collect()
    }

    /// Those whose fence was confirmed.
    pub(super) fn fenced_keys(&self) -> impl Iterator<Item = Touched> + '_ {
        self.fenced.iter().map(|Fenced { key, release, fence, .. }| {
            let (key, is_shared) = (key.clone(), release.is_shared());
            Touched { key, fence: *fence, is_shared }
        })
    }

    /// From now on the rows must not take the fences' places: they may not be locked
    /// any more.
    pub(super) fn forbid_write_through(&mut self) {
        let fenced = self.fenced.iter_mut().map(|fenced| &mut fenced.fence);
        let missed = self.missed.iter_mut().map(|missed| &mut missed.fence);
        for fence in fenced.chain(missed) {
            *fence = fence.without_write_through();
        }
    }
}
