use crate::{
    cache::{CacheStore, Cas, Deleted, Incarnation, Lookup, Over, Replaced, StoreFuture},
    key::CacheKey,
};
use bytes::Bytes;
use std::{
    collections::HashMap,
    future::ready,
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::Instant;

/// memcached as this crate uses it, and no more: it can be restarted, counts its
/// tokens from 1 again after that, and gives no leases while it is young.
///
/// It passes the same conformance test as memcached.
#[derive(Debug)]
pub(super) struct ReferenceStore {
    hold_off: Duration,
    knows_incarnations: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    items: HashMap<CacheKey, Item>,
    next_token: u64,
    incarnation: Incarnation,
    started: Instant,
}

#[derive(Debug)]
struct Item {
    /// `None` for a lease.
    value: Option<Bytes>,
    token: u64,
    expires: Instant,
}

impl ReferenceStore {
    /// A store that has been running for long enough.
    pub(super) fn new(hold_off: Duration) -> Self {
        Self {
            hold_off,
            knows_incarnations: true,
            state: Mutex::new(State {
                items: HashMap::new(),
                next_token: 1,
                incarnation: Incarnation { process: 1, started: 0 },
                started: Instant::now().checked_sub(hold_off).unwrap_or_else(Instant::now),
            }),
        }
    }

    /// Takes a token of an earlier life for one of its own.
    pub(super) fn confusing_incarnations(hold_off: Duration) -> Self {
        Self { knows_incarnations: false, ..Self::new(hold_off) }
    }

    pub(super) fn restart(&self) {
        let mut state = self.state();
        state.items.clear();
        state.next_token = 1;
        state.incarnation.started += 1;
        state.started = Instant::now();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect("no panic");
        let now = Instant::now();
        state.items.retain(|_, item| item.expires > now);
        state
    }

    /// Why a command over `cas` is not carried out, if it is not.
    fn refusal(&self, state: &State, key: &CacheKey, cas: Cas) -> Option<Replaced> {
        if self.knows_incarnations && cas.incarnation != state.incarnation {
            return Some(Replaced::OtherIncarnation);
        }
        match state.items.get(key) {
            Some(item) if item.token == cas.token => None,
            Some(_) => Some(Replaced::Exists),
            None => Some(Replaced::NotFound),
        }
    }

    fn set(&self, key: &CacheKey, value: Bytes, ttl: Duration, over: Over) -> Replaced {
        let mut state = self.state();
        let refusal = match over {
            Over::Anything => None,
            Over::Version(cas) => self.refusal(&state, key, cas),
            Over::Nothing => state.items.get(key).map(|_| Replaced::Exists),
        };
        if let Some(refusal) = refusal {
            return refusal;
        }
        Replaced::Stored(state.put(key, Some(value), ttl))
    }
}

impl State {
    fn put(&mut self, key: &CacheKey, value: Option<Bytes>, ttl: Duration) -> Cas {
        let token = self.next_token;
        self.next_token += 1;
        self.items.insert(key.clone(), Item { value, token, expires: Instant::now() + ttl });
        Cas { incarnation: self.incarnation, token }
    }
}

impl CacheStore for ReferenceStore {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        let mut state = self.state();
        let incarnation = state.incarnation;
        let is_young = state.started.elapsed() < self.hold_off;
        let found = match (state.items.get(key), lease) {
            (Some(item), _) => {
                let cas = Cas { incarnation, token: item.token };
                match &item.value {
                    Some(value) => Lookup::Item {
                        value: value.clone(),
                        cas,
                        stale: false,
                        ttl: None,
                        claimed: false,
                    },
                    None => Lookup::Leased(cas),
                }
            }
            (None, Some(ttl)) if !is_young => Lookup::Lease(state.put(key, None, ttl)),
            (None, _) => Lookup::Miss,
        };
        Box::pin(ready(Ok(found)))
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        Box::pin(ready(Ok(self.set(key, fence, ttl, over))))
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        Box::pin(ready(Ok(self.set(key, value, ttl, Over::Version(cas)))))
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        let mut state = self.state();
        Box::pin(ready(Ok(match self.refusal(&state, key, cas) {
            None => {
                state.items.remove(key);
                Deleted::Deleted
            }
            Some(Replaced::OtherIncarnation) => Deleted::OtherIncarnation,
            Some(Replaced::NotFound) => Deleted::NotFound,
            Some(_) => Deleted::Exists,
        })))
    }
}

#[test]
fn the_reference_store_conforms() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let store = ReferenceStore::new(Duration::ZERO);
    crate::cache::conformance::any_sequence_agrees_with_the_model(
        &runtime.expect("a runtime"),
        &store,
        500,
    );
}
