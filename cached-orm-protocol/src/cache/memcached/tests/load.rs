use super::{Memcached, TTL, key, options};
use crate::{
    cache::{
        CacheError, CacheStore, Lookup, Over, Replaced,
        memcached::{MemcachedOptions, MemcachedStore},
    },
    key::CacheKey,
};
use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{sync::Arc, time::Duration};
use tokio::{
    task::{JoinSet, yield_now},
    time::{Instant, sleep, timeout},
};

const TASKS: u64 = 64;
const KEYS: u32 = 300;

/// What may lie under a key, and under no other: short for most keys, and
/// longer than a read for some.
fn value_of(key: &CacheKey) -> Bytes {
    let last = key.as_bytes().iter().rev().nth(1).copied().unwrap_or_default();
    let times = if last == b'7' { 3000 } else { 10 };
    key.as_str().repeat(times).into()
}

/// One command, or two; panics if it was answered with another key's data.
async fn step(store: &MemcachedStore, rng: &mut StdRng) -> Result<(), CacheError> {
    let key = key(&rng.random_range(0..KEYS).to_string());
    let lease = rng.random_bool(0.7).then_some(TTL);
    let cas = match store.get(&key, lease).await? {
        Lookup::Miss | Lookup::Leased(_) => return Ok(()),
        Lookup::Lease(cas) => cas,
        Lookup::Item { value, cas, stale, .. } => {
            assert_eq!(value, value_of(&key));
            assert!(!stale);
            if rng.random_bool(0.5) {
                return Ok(());
            }
            cas
        }
    };
    match rng.random_range(0..10) {
        0 => drop(store.delete(&key, cas).await?),
        1 => drop(store.fence(&key, value_of(&key), TTL, Over::Anything).await?),
        _ => {
            let replaced = store.replace(&key, value_of(&key), TTL, cas).await?;
            assert_ne!(replaced, Replaced::TooLarge);
        }
    }
    Ok(())
}

async fn yields(count: u32) {
    for _ in 0..count {
        yield_now().await;
    }
}

/// How many steps were answered, and how many failed.
async fn load(store: &Arc<MemcachedStore>, time: Duration) -> (u64, u64) {
    let mut tasks = JoinSet::new();
    for seed in 0..TASKS {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            let mut rng = StdRng::seed_from_u64(seed);
            let (mut answered, mut failed) = (0, 0);
            let end = Instant::now() + time;
            while Instant::now() < end {
                let patience = rng.random_bool(0.5).then(|| rng.random_range(0..40));
                let give_up = async {
                    match patience {
                        Some(count) => yields(count).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    outcome = step(&store, &mut rng) => match outcome {
                        Ok(()) => answered += 1,
                        Err(_) => {
                            failed += 1;
                            sleep(Duration::from_millis(1)).await;
                        }
                    },
                    () = give_up => {}
                }
            }
            (answered, failed)
        });
    }
    let all = timeout(time + Duration::from_secs(5), tasks.join_all()).await;
    let all = all.expect("a caller is stuck");
    all.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

async fn works(store: &MemcachedStore) {
    for n in 0..KEYS {
        let key = key(&n.to_string());
        let stored = store.fence(&key, value_of(&key), TTL, Over::Anything).await.unwrap();
        let Replaced::Stored(cas) = stored else { panic!("{stored:?}") };
        let found = store.get(&key, None).await.unwrap();
        let is_it = matches!(
            &found,
            Lookup::Item { value: found, cas: version, stale: false, .. }
                if *found == value_of(&key) && *version == cas
        );
        assert!(is_it, "{found:?} after {cas:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_go_away_hurt_nobody() {
    let server = Memcached::start(&[]).settle();
    let store = Arc::new(MemcachedStore::new(&options(server.address())).unwrap());
    let (answered, failed) = load(&store, Duration::from_secs(3)).await;
    assert!(answered > 1000 && failed == 0, "{answered} answered, {failed} failed");
    works(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_and_stops_under_load_give_errors_and_nothing_wrong() {
    let mut server = Memcached::start(&[]);
    let impatient =
        MemcachedOptions { timeout: Duration::from_millis(50), ..options(server.address()) };
    let store = Arc::new(MemcachedStore::new(&impatient).unwrap());
    let loaded = Arc::clone(&store);
    let load = tokio::spawn(async move { load(&loaded, Duration::from_secs(5)).await });
    for _ in 0..3 {
        sleep(Duration::from_millis(400)).await;
        server.restart();
        sleep(Duration::from_millis(400)).await;
        server.stop();
        sleep(Duration::from_millis(200)).await;
        server.resume();
        sleep(Duration::from_millis(300)).await;
        server.kill();
        sleep(Duration::from_millis(100)).await;
        server.restart();
    }
    let (answered, failed) = load.await.unwrap();
    assert!(answered > 100 && failed > 0, "{answered} answered, {failed} failed");
    super::answered(&store, &key("0"), Duration::from_secs(3)).await;
    sleep(Duration::from_millis(1200)).await;
    works(&store).await;
}
