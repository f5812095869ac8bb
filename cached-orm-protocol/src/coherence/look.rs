//! Looks at what lies under a key, for people. Nothing is changed by it.

use super::{Coherence, shared_fence::SharedFence};
use crate::{
    cache::{CacheError, Cas, Lookup},
    key::CacheKey,
};
use bytes::Bytes;
use std::{iter, time::Duration};

/// What lies under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lying {
    /// Nothing.
    Nothing,
    /// A lease, of this version.
    Lease(Cas),
    /// A fence.
    Fence {
        /// Its version.
        cas: Cas,
        /// How many transactions have put it.
        writers: usize,
        /// How long it is going to live, if the store tells.
        ttl: Option<Duration>,
    },
    /// A value.
    Value(Value),
}

/// A value that is no fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// What was stored.
    pub bytes: Bytes,
    /// Its version.
    pub cas: Cas,
    /// Whether somebody marked it as out of date.
    pub stale: bool,
    /// How long it is going to live, if the store tells.
    pub ttl: Option<Duration>,
}

impl Lying {
    fn of(lookup: Lookup) -> Self {
        match lookup {
            Lookup::Miss => Self::Nothing,
            Lookup::Lease(cas) | Lookup::Leased(cas) => Self::Lease(cas),
            Lookup::Item { value, cas, stale, ttl, .. } => match SharedFence::parse(&value) {
                Some(fence) => Self::Fence { cas, writers: fence.tokens().len(), ttl },
                None => Self::Value(Value { bytes: value, cas, stale, ttl }),
            },
        }
    }

    /// The version of what lies there.
    pub fn cas(&self) -> Option<Cas> {
        match self {
            Self::Nothing => None,
            Self::Lease(cas) | Self::Fence { cas, .. } => Some(*cas),
            Self::Value(value) => Some(value.cas),
        }
    }
}

impl Coherence {
    /// What lies under the key.
    ///
    /// # Errors
    /// The store has not answered.
    pub async fn look(&self, key: &CacheKey) -> Result<Lying, CacheError> {
        self.store.get(key, None).await.map(Lying::of)
    }

    /// What lies under each of the keys.
    pub async fn look_at_many(&self, keys: &[CacheKey]) -> Vec<Result<Lying, CacheError>> {
        let found = self.store.get_many(keys, None).await.into_iter();
        // A store of the user's may give fewer answers.
        let found = found.chain(iter::repeat_with(|| Err(CacheError::NotStored)));
        found.take(keys.len()).map(|lookup| lookup.map(Lying::of)).collect()
    }

    /// How long a fence lives that was put just now.
    pub fn fence_ttl(&self) -> Duration {
        self.times.fence_ttl
    }

    /// How old this process's copy of the key is, and whether a read may still be
    /// answered by it.
    pub fn near_age(&self, key: &CacheKey) -> Option<(Duration, bool)> {
        self.near.age(key)
    }
}
