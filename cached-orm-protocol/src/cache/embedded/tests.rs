use super::EmbeddedStore;
use crate::{
    cache::{CacheError, CacheStore, Cas, Lookup, Over, Replaced},
    key::{CacheKey, Namespace},
};
use bytes::Bytes;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::advance;

const TTL: Duration = Duration::from_secs(60);

fn key(n: u64) -> CacheKey {
    CacheKey::of_parts(&Namespace::default(), "t", &[n.to_string()])
}

fn stored(replaced: Replaced) -> Cas {
    match replaced {
        Replaced::Stored(cas) => cas,
        other => panic!("not stored: {other:?}"),
    }
}

fn fence(store: &EmbeddedStore, key: &CacheKey) -> Cas {
    stored(store.fence_now(key, Bytes::from_static(b"fence"), TTL, Over::Anything))
}

#[tokio::test(start_paused = true)]
async fn lives_are_counted_on_tokios_clock() {
    let store = EmbeddedStore::new(1 << 20);
    let [row, held] = [key(1), key(2)];
    let cas = fence(&store, &row);
    stored(store.replace_now(&row, Bytes::from_static(b"row"), TTL, cas));
    fence(&store, &held);
    advance(TTL - Duration::from_millis(1)).await;
    assert!(matches!(store.get(&row, None).await.unwrap(), Lookup::Item { .. }));
    assert!(matches!(store.get(&held, Some(TTL)).await.unwrap(), Lookup::Item { .. }));
    advance(Duration::from_millis(1)).await;
    for key in [&row, &held] {
        assert_eq!(store.get(key, None).await.unwrap(), Lookup::Miss);
        assert!(matches!(store.get(key, Some(TTL)).await.unwrap(), Lookup::Lease(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn expired_leases_do_not_pile_up() {
    let store = EmbeddedStore::new(1 << 20);
    for n in 0..200_000 {
        assert!(matches!(store.get_now(&key(n), Some(TTL)), Lookup::Lease(_)));
        if n % 1000 == 0 {
            advance(TTL).await;
        }
    }
    let held: usize = store.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
    assert!(held < 10_000, "{held} keys are held");
}

#[test]
fn rows_are_dropped_and_fences_are_not() {
    let store = EmbeddedStore::new(1 << 20);
    let fenced: Vec<CacheKey> = (0..1000).map(key).collect();
    for key in &fenced {
        fence(&store, key);
    }
    for n in 1000..4000 {
        let key = key(n);
        let cas = fence(&store, &key);
        stored(store.replace_now(&key, vec![1; 4096].into(), TTL, cas));
    }
    store.rows.run_pending_tasks();
    assert!(store.rows.weighted_size() <= 1 << 20);
    assert!(store.rows.entry_count() > 200);
    // What came last is still there: no policy turned it away.
    assert!(matches!(store.get_now(&key(3999), None), Lookup::Item { .. }));
    for key in &fenced {
        let found = store.get_now(key, Some(TTL));
        assert!(matches!(&found, Lookup::Item { value, .. } if *value == "fence"), "{found:?}");
    }
}

#[test]
fn two_stores_do_not_take_each_others_tokens() {
    let [one, two] = [EmbeddedStore::new(1 << 20), EmbeddedStore::new(1 << 20)];
    let cas = fence(&one, &key(1));
    fence(&two, &key(1));
    let replaced = two.replace_now(&key(1), Bytes::from_static(b"row"), TTL, cas);
    assert_eq!(replaced, Replaced::OtherIncarnation);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let store = EmbeddedStore::new(1 << 20);
    store.close().await;
    assert!(matches!(store.get(&key(1), None).await, Err(CacheError::Closed)));
}

/// Ends the readers, also when a writer panics.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A database row, its cache, and the protocol between them, on real threads:
/// nobody reads less than what was acknowledged before.
#[test]
fn reads_without_the_lock_are_linearizable() {
    // So small that rows are dropped all the time.
    let store = Arc::new(EmbeddedStore::new(8 << 10));
    let [committed, acknowledged] = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
    let row_lock = Arc::new(Mutex::new(()));
    let is_over = Arc::new(AtomicBool::new(false));
    let number = |value: &Bytes| u64::from_be_bytes(value[..].try_into().unwrap());
    let row = |n: u64| Bytes::copy_from_slice(&n.to_be_bytes());
    let fence = Bytes::from_static(&[0xFF; 8]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let _over = Ending(&is_over);
                for _ in 0..30_000 {
                    let _locked = row_lock.lock().unwrap();
                    let cas = stored(store.fence_now(&key(0), fence.clone(), TTL, Over::Anything));
                    let new = committed.fetch_add(1, Ordering::SeqCst) + 1;
                    // Nobody but the fence's owner can take it away.
                    let found = store.get_now(&key(0), Some(TTL));
                    assert!(matches!(
 &found, Lookup::Item { value: found, cas: version, stale: false, .. }
 if *found == fence.clone() && *version == cas));
                    if new % 3 == 0 {
                        store.delete_now(&key(0), cas);
                    } else {
                        store.replace_now(&key(0), row(new), TTL, cas);
                    }
                    acknowledged.store(new, Ordering::SeqCst);
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let mut other = 0;
                while !is_over.load(Ordering::SeqCst) {
                    let floor = acknowledged.load(Ordering::SeqCst);
                    match store.get_now(&key(0), Some(TTL)) {
                        Lookup::Item { value, .. } if value != fence => {
                            assert!(number(&value) >= floor);
                        }
                        Lookup::Lease(cas) => {
                            let loaded = committed.load(Ordering::SeqCst);
                            store.replace_now(&key(0), row(loaded), TTL, cas);
                        }
                        _ => {}
                    }
                    other = other % 500 + 1;
                    if let Lookup::Lease(cas) = store.get_now(&key(other), Some(TTL)) {
                        store.replace_now(&key(other), row(0), TTL, cas);
                    }
                }
            });
        }
    });
}
