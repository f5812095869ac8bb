mod batches;
mod fake;
mod faults;
mod load;
mod options;
mod parse;
mod process;
mod protocol;
mod server;

pub(in crate::cache) use process::Memcached;

use super::{MemcachedOptions, MemcachedStore};
use crate::{
    cache::{CacheError, CacheStore, Lookup},
    key::{CacheKey, Namespace},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub(in crate::cache) const TTL: Duration = Duration::from_secs(60);

/// Options for one server, without hold-off, and patient: the test machine may
/// be busy.
pub(in crate::cache) fn options(address: String) -> MemcachedOptions {
    MemcachedOptions {
        servers: vec![address],
        timeout: Duration::from_millis(500),
        hold_off: Duration::ZERO,
        ..MemcachedOptions::default()
    }
}

fn key(name: &str) -> CacheKey {
    CacheKey::of_parts(&Namespace::default(), "t", &[name])
}

/// Asks until there is an answer.
async fn answered(store: &MemcachedStore, key: &CacheKey, within: Duration) -> Lookup {
    let deadline = Instant::now() + within;
    loop {
        match store.get(key, None).await {
            Ok(lookup) => return lookup,
            Err(error) => assert!(Instant::now() < deadline, "not back in time: {error}"),
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// Asks until the server counts as down, and returns why.
async fn known_to_be_down(store: &MemcachedStore, key: &CacheKey) -> String {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match store.get(key, None).await {
            Err(CacheError::Down { reason, .. }) => return reason.to_string(),
            other => assert!(Instant::now() < deadline, "not down in time: {other:?}"),
        }
        sleep(Duration::from_millis(1)).await;
    }
}
