//! Rows that are loaded anew before they expire, so that no reader waits.

use super::{Coherence, Event, Source, fill::Over};
use crate::{cache::Cas, key::CacheKey};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The keys that this process is loading anew, or is asking for whether it may.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashSet<CacheKey>>);

impl Coherence {
    /// Has a row loaded anew in the background that was read as of the version
    /// `cas`, and that is going to live for `ttl`, if that is less than its entity
    /// wants. Of all processes one does it: the store lets one claim the row. If
    /// that one fails, the row expires as it would have.
    pub(super) fn refresh_early<S: Source>(
        self: &Arc<Self>,
        source: &S,
        cas: Cas,
        ttl: Option<Duration>,
        is_claimed: bool,
    ) {
        let Some(early) = source.early_refresh() else { return };
        let below = early + source.stale_for().unwrap_or_default();
        if is_claimed || ttl.is_none_or(|ttl| ttl >= below) {
            return;
        }
        let Some(attempt) = Attempt::begin(self, source.key()) else { return };
        let (coherence, source) = (Arc::clone(self), source.clone());
        tokio::spawn(async move {
            let _attempt = attempt;
            match coherence.store.claim(source.key(), below).await {
                // Nothing else has come to lie there since the row was read.
                Ok(Some(claimed)) if claimed == cas => {
                    coherence.count(&source, Event::EarlyRefresh);
                    // Errors are counted; the row is still there.
                    drop(coherence.fill(source, Over::Item(cas), None).await);
                }
                Ok(_) => {}
                Err(error) => drop(coherence.failed(error)),
            }
        });
    }
}

/// One key's place among those under way.
struct Attempt {
    coherence: Arc<Coherence>,
    key: CacheKey,
}

impl Attempt {
    fn begin(coherence: &Arc<Coherence>, key: &CacheKey) -> Option<Self> {
        let mut keys = coherence.early.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone())
            .then(|| Self { coherence: Arc::clone(coherence), key: key.clone() })
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut keys = self.coherence.early.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.key);
    }
}
