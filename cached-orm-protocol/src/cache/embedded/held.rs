use crate::key::CacheKey;
use bytes::Bytes;
use std::collections::HashMap;
use tokio::time::Instant;

/// Below this many keys a shard is not swept.
const SWEEP_FROM: usize = 64;

/// A lease, or a fence.
pub(super) struct Held {
    /// `None` for a lease.
    pub(super) fence: Option<Bytes>,
    pub(super) token: u64,
    pub(super) expires: Instant,
}

/// The held keys of one shard. They go when they are released, or some time
/// after they have expired.
#[derive(Default)]
pub(super) struct Shard {
    keys: HashMap<CacheKey, Held>,
    /// How many keys to hold before the expired ones are looked for.
    sweep_at: usize,
}

impl Shard {
    pub(super) fn hold(&mut self, key: CacheKey, held: Held, now: Instant) {
        if self.keys.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.keys.retain(|_, held| held.expires > now);
            // Twice what is alive, so that each insertion pays for its share
            // of the next sweep.
            self.sweep_at = self.keys.len() * 2;
            self.keys.shrink_to(self.sweep_at.max(SWEEP_FROM));
        }
        self.keys.insert(key, held);
    }

    pub(super) fn live(&self, key: &CacheKey, now: Instant) -> Option<&Held> {
        self.keys.get(key).filter(|held| held.expires > now)
    }

    pub(super) fn release(&mut self, key: &CacheKey) {
        self.keys.remove(key);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}
