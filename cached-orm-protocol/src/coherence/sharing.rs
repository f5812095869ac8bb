//! Fences that several transactions hold at once.
//!
//! Nothing orders those transactions, so none may put its fence in the place of
//! another's. Each reads what lies there, and puts the same with its own token over
//! that version only. What comes late is refused, or leaves a token behind that
//! lies beside others; it can take nobody's fence away. So, other than the fence of
//! a row, a transaction's token may be taken out whenever the transaction is over,
//! however it ended and whatever of its commands was lost.
//!
//! A transaction puts another token each time it fences or renews, the last of
//! `own`: see [`Abandoned`](super::abandoned::Abandoned).

use super::{Coherence, fence::Token, shared_fence::SharedFence};
use crate::{
    cache::{CacheError, CacheStore, Cas, Deleted, Lookup, Over, Replaced},
    key::CacheKey,
};
use bytes::Bytes;

/// How often others may come first. Each time one of them has got on.
const ATTEMPTS: usize = 32;

impl Coherence {
    /// Adds the last token of `own` to the key's fence wherever readers may look for
    /// the key, or puts one; takes the earlier ones out. Returns the others' part.
    pub(super) async fn join_fence(
        &self,
        key: &CacheKey,
        own: &[Token],
    ) -> Result<(Cas, Option<SharedFence>), CacheError> {
        self.persist(key, || self.try_to_join(key, own)).await
    }

    async fn try_to_join(
        &self,
        key: &CacheKey,
        own: &[Token],
    ) -> Result<(Cas, Option<SharedFence>), CacheError> {
        if let Some(other) = self.for_writes.also(key) {
            self.join_fence_in(other, key, own).await?;
        }
        self.join_fence_in(&*self.for_writes, key, own).await
    }

    async fn join_fence_in(
        &self,
        store: &dyn CacheStore,
        key: &CacheKey,
        own: &[Token],
    ) -> Result<(Cas, Option<SharedFence>), CacheError> {
        let ttl = self.times.fence_ttl;
        let Some(token) = own.last().copied() else { return Err(CacheError::NotStored) };
        for _ in 0..ATTEMPTS {
            let (found, over) = match store.get(key, None).await? {
                Lookup::Miss => (None, Over::Nothing),
                Lookup::Lease(cas) | Lookup::Leased(cas) => (None, Over::Version(cas)),
                Lookup::Item { value, cas, .. } => {
                    let found = SharedFence::parse(&value);
                    if found.is_none() && is_doubtful(store, key, &value, cas).await? {
                        continue;
                    }
                    (found, Over::Version(cas))
                }
            };
            let fence = match self.others(key, found, own) {
                Some(others) => others.with(token),
                None => SharedFence::of(token),
            };
            match store.fence(key, fence.to_bytes(), ttl, over).await? {
                Replaced::Stored(cas) => return Ok((cas, fence.without(own))),
                Replaced::TooLarge => return Err(CacheError::NotStored),
                Replaced::Exists | Replaced::NotFound | Replaced::OtherIncarnation => {}
            }
        }
        let fence = SharedFence::over_anything(token);
        match store.fence(key, fence.to_bytes(), ttl, Over::Anything).await? {
            Replaced::Stored(cas) => Ok((cas, fence.without(own))),
            _ => Err(CacheError::NotStored),
        }
    }

    /// Takes the tokens out of a fence that is as it was put, with `others` in it
    /// beside; the transaction is over.
    pub(super) async fn release_shared(
        &self,
        key: &CacheKey,
        own: &[Token],
        cas: Cas,
        others: Option<&SharedFence>,
    ) -> Result<(), CacheError> {
        if let Some(other) = self.for_writes.also(key) {
            self.leave_fence_in(other, key, own).await?;
        }
        if self.put_or_delete(&*self.for_writes, key, cas, others).await? {
            return Ok(());
        }
        self.leave_fence_in(&*self.for_writes, key, own).await
    }

    /// Takes the tokens out of whatever fence lies under the key. A value or a lease
    /// is taken away: the fence was lost before it came. The transaction is over.
    pub(super) async fn leave_fence(
        &self,
        key: &CacheKey,
        own: &[Token],
    ) -> Result<(), CacheError> {
        self.persist(key, || self.try_to_leave(key, own)).await
    }

    async fn try_to_leave(&self, key: &CacheKey, own: &[Token]) -> Result<(), CacheError> {
        if let Some(other) = self.for_writes.also(key) {
            self.leave_fence_in(other, key, own).await?;
        }
        self.leave_fence_in(&*self.for_writes, key, own).await
    }

    async fn leave_fence_in(
        &self,
        store: &dyn CacheStore,
        key: &CacheKey,
        own: &[Token],
    ) -> Result<(), CacheError> {
        let mut is_fenced = false;
        for _ in 0..ATTEMPTS {
            let (found, cas) = match store.get(key, None).await? {
                Lookup::Miss => return Ok(()),
                Lookup::Lease(cas) | Lookup::Leased(cas) => (None, cas),
                Lookup::Item { value, cas, .. } => {
                    let found = SharedFence::parse(&value);
                    if found.is_none() && is_doubtful(store, key, &value, cas).await? {
                        continue;
                    }
                    (found, cas)
                }
            };
            is_fenced |= found.is_some();
            if found.as_ref().is_some_and(|fence| !fence.has_any(own)) {
                return Ok(());
            }
            let others = self.others(key, found, own);
            if self.put_or_delete(store, key, cas, others.as_ref()).await? {
                return Ok(());
            }
        }
        // A fence has kept the key from being filled, so that nothing old is left;
        // the token stays until it expires.
        if is_fenced { Ok(()) } else { Err(CacheError::NotStored) }
    }

    /// What of a fence is others', who may still need it.
    fn others(
        &self,
        key: &CacheKey,
        found: Option<SharedFence>,
        own: &[Token],
    ) -> Option<SharedFence> {
        let others = found?.without(own)?;
        self.abandoned.leave_out(key, others, self.times.fence_ttl)
    }

    /// Says whether nothing has come between.
    async fn put_or_delete(
        &self,
        store: &dyn CacheStore,
        key: &CacheKey,
        cas: Cas,
        fence: Option<&SharedFence>,
    ) -> Result<bool, CacheError> {
        let Some(fence) = fence else {
            let deleted = store.delete(key, cas).await?;
            return Ok(matches!(deleted, Deleted::Deleted | Deleted::NotFound));
        };
        let (value, ttl) = (fence.to_bytes(), self.times.fence_ttl);
        match store.fence(key, value, ttl, Over::Version(cas)).await? {
            Replaced::Stored(_) | Replaced::NotFound => Ok(true),
            Replaced::TooLarge => Err(CacheError::NotStored),
            Replaced::Exists | Replaced::OtherIncarnation => Ok(false),
        }
    }
}

/// A value that begins like nothing of ours may be a fence that was damaged on
/// its way. It is taken for somebody's rubbish only if a second look shows the same.
async fn is_doubtful(
    store: &dyn CacheStore,
    key: &CacheKey,
    seen: &Bytes,
    seen_cas: Cas,
) -> Result<bool, CacheError> {
    if super::is_entry(seen) {
        return Ok(false);
    }
    Ok(match store.get(key, None).await? {
        Lookup::Item { value, cas, .. } => value != *seen || cas != seen_cas,
        Lookup::Miss | Lookup::Lease(_) | Lookup::Leased(_) => true,
    })
}
