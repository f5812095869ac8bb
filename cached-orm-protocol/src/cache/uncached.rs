use super::{CacheStore, Cas, Deleted, Incarnation, Lookup, Over, Replaced, StoreFuture};
use crate::key::CacheKey;
use bytes::Bytes;
use std::{future::ready, time::Duration};

/// The store that holds nothing: every read goes to the database.
#[derive(Debug)]
pub struct UncachedStore;

const NOTHING: Cas = Cas { incarnation: Incarnation { process: 0, started: 0 }, token: 0 };

// Users choose it by a method of the builder.
#[doc(hidden)]
impl CacheStore for UncachedStore {
    fn holds_nothing(&self) -> bool {
        true
    }

    fn get(&self, _: &CacheKey, _: Option<Duration>) -> StoreFuture<'_, Lookup> {
        Box::pin(ready(Ok(Lookup::Miss)))
    }

    fn fence(&self, _: &CacheKey, _: Bytes, _: Duration, _: Over) -> StoreFuture<'_, Replaced> {
        Box::pin(ready(Ok(Replaced::Stored(NOTHING))))
    }

    fn replace(&self, _: &CacheKey, _: Bytes, _: Duration, _: Cas) -> StoreFuture<'_, Replaced> {
        Box::pin(ready(Ok(Replaced::NotFound)))
    }

    fn delete(&self, _: &CacheKey, _: Cas) -> StoreFuture<'_, Deleted> {
        Box::pin(ready(Ok(Deleted::NotFound)))
    }
}
