use super::{Memcached, TTL, answered, key, known_to_be_down, options, process::free_port};
use crate::{
    cache::{
        CacheError, CacheStore, Deleted, Lookup, Over, Replaced,
        memcached::{MemcachedOptions, MemcachedStore},
    },
    key::CacheKey,
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

const VALUE: Bytes = Bytes::from_static(b"value");

fn impatient(address: String) -> MemcachedOptions {
    MemcachedOptions { timeout: Duration::from_millis(50), ..options(address) }
}

#[tokio::test]
async fn a_server_that_is_absent_at_start_is_down_and_delays_nothing() {
    let begun = Instant::now();
    let store = MemcachedStore::new(&impatient(format!("127.0.0.1:{}", free_port()))).unwrap();
    let answer = store.get(&key("k"), None).await;
    assert!(matches!(answer, Err(CacheError::Down { .. })), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_millis(200));
    let large = store.fence(&key("k"), Bytes::from(vec![0; 100_000]), TTL, Over::Anything).await;
    assert!(matches!(large, Err(CacheError::Down { .. })), "{large:?}");
}

/// Nobody answers at the address: dialling takes long, and callers don't.
#[tokio::test]
async fn a_dial_that_hangs_holds_nobody_longer_than_the_timeout() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let store =
        MemcachedStore::new(&impatient(listener.local_addr().unwrap().to_string())).unwrap();
    let begun = Instant::now();
    let answer = store.get(&key("k"), None).await;
    assert!(matches!(answer, Err(CacheError::TimedOut { .. })), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_millis(300), "{:?}", begun.elapsed());
    known_to_be_down(&store, &key("k")).await;
}

#[tokio::test]
async fn a_stopped_server_times_out_and_then_fails_fast() {
    let server = Memcached::start(&[]);
    let store = MemcachedStore::new(&impatient(server.address())).unwrap();
    let key = key("k");
    answered(&store, &key, Duration::from_secs(5)).await;
    server.stop();
    let begun = Instant::now();
    let answer = store.get(&key, None).await;
    assert!(matches!(answer, Err(CacheError::TimedOut { .. })), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_millis(300), "{:?}", begun.elapsed());
    let begun = Instant::now();
    for _ in 0..100 {
        let answer = store.get(&key, None).await;
        assert!(matches!(answer, Err(CacheError::Down { .. })), "{answer:?}");
    }
    assert!(begun.elapsed() < Duration::from_millis(300), "{:?}", begun.elapsed());
    server.resume();
    answered(&store, &key, Duration::from_secs(3)).await;
}

#[tokio::test]
async fn a_restarted_server_is_found_again_and_takes_no_old_token() {
    let mut server = Memcached::start(&[]).settle();
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    let key = key("k");
    let stored = store.fence(&key, VALUE, TTL, Over::Anything).await.unwrap();
    let Replaced::Stored(old) = stored else { panic!("{stored:?}") };

    server.kill();
    known_to_be_down(&store, &key).await;
    server.restart();
    assert_eq!(answered(&store, &key, Duration::from_secs(3)).await, Lookup::Miss);

    // The new life counts from 1 as well: its first token equals the old one.
    let stored = store.fence(&key, VALUE, TTL, Over::Anything).await.unwrap();
    let Replaced::Stored(new) = stored else { panic!("{stored:?}") };
    assert_eq!(new.token, old.token);
    assert_ne!(new.incarnation, old.incarnation);
    let replaced = store.replace(&key, VALUE, TTL, old).await.unwrap();
    assert_eq!(replaced, Replaced::OtherIncarnation);
    let fenced = store.fence(&key, VALUE, TTL, Over::Version(old)).await.unwrap();
    assert_eq!(fenced, Replaced::OtherIncarnation);
    assert_eq!(store.delete(&key, old).await.unwrap(), Deleted::OtherIncarnation);
    let found = store.get(&key, None).await.unwrap();
    assert!(matches!(
 &found, Lookup::Item { value: found, cas: version, stale: false, .. }
 if *found == VALUE && *version == new));
}

/// Lanes redial at times of their own; what one has reached, the others don't call down.
#[tokio::test]
async fn a_server_that_is_back_is_back_for_every_lane() {
    let mut server = Memcached::start(&[]);
    let lanes = MemcachedOptions { connections: Some(8), ..options(server.address()) };
    let store = Arc::new(MemcachedStore::new(&lanes).unwrap());
    answered(&store, &key("k"), Duration::from_secs(3)).await;
    server.kill();
    known_to_be_down(&store, &key("k")).await;
    // The pauses between two attempts have grown.
    sleep(Duration::from_secs(2)).await;
    server.restart();
    answered(&store, &key("k"), Duration::from_secs(3)).await;
    let tasks = (0..64).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.get(&key("k"), None).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap().unwrap(), Lookup::Miss);
    }
}

/// An idle lane notices the restart by itself: the first command is answered.
#[tokio::test]
async fn an_idle_connection_that_broke_gets_no_command() {
    let mut server = Memcached::start(&[]).settle();
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    answered(&store, &key("k"), Duration::from_secs(3)).await;
    server.restart();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(store.get(&key("k"), None).await.unwrap(), Lookup::Miss);
}

#[tokio::test]
async fn a_young_server_gives_no_leases() {
    let mut server = Memcached::start(&[]);
    let held_off =
        MemcachedOptions { hold_off: Duration::from_secs(2), ..options(server.address()) };
    let store = MemcachedStore::new(&held_off).unwrap();
    for life in ["first", "second"] {
        let started = Instant::now();
        let key = key(life);
        answered(&store, &key, Duration::from_secs(3)).await;
        loop {
            match store.get(&key, Some(TTL)).await.unwrap() {
                Lookup::Miss => sleep(Duration::from_millis(20)).await,
                Lookup::Lease(_) => break,
                other => panic!("{other:?}"),
            }
        }
        let age = started.elapsed();
        assert!(age >= Duration::from_secs(2), "a lease after {age:?}");
        assert!(age < Duration::from_secs(6), "no lease until {age:?}");
        server.restart();
    }
}

#[tokio::test]
async fn one_server_that_is_down_leaves_the_others_alone() {
    let server = Memcached::start(&[]);
    let mut two = options(server.address());
    two.servers.push(format!("127.0.0.1:{}", free_port()));
    let store = MemcachedStore::new(&two).unwrap();
    let (mut up, mut down) = (0, 0);
    for n in 0..100 {
        match store.get(&key(&n.to_string()), None).await {
            Ok(Lookup::Miss) => up += 1,
            Err(CacheError::Down { .. }) => down += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(up > 20 && down > 20, "{up} {down}");
}

/// The lanes of writes, for which commands may take so long.
fn for_writes(server: &Memcached, timeout: Duration) -> Arc<MemcachedStore> {
    Arc::new(MemcachedStore::new(&impatient(server.address()).for_writes(timeout)).unwrap())
}

/// Fences, and again if the connection breaks.
fn fence(
    store: &Arc<MemcachedStore>,
    key: CacheKey,
) -> JoinHandle<(Result<Replaced, CacheError>, Duration)> {
    let store = Arc::clone(store);
    tokio::spawn(async move {
        let begun = Instant::now();
        loop {
            match store.fence(&key, VALUE, TTL, Over::Anything).await {
                Err(CacheError::Disconnected { .. }) => {}
                fenced => return (fenced, begun.elapsed()),
            }
        }
    })
}

#[tokio::test]
async fn a_write_waits_for_a_server_that_restarts_quickly_and_for_no_other() {
    let patience = Duration::from_secs(2);
    let mut server = Memcached::start(&[]);
    let store = for_writes(&server, patience);
    answered(&store, &key("k"), Duration::from_secs(3)).await;
    server.kill();
    let fenced = fence(&store, key("k"));
    sleep(Duration::from_millis(300)).await;
    assert!(!fenced.is_finished());
    server.restart();
    let (fenced, _) = fenced.await.unwrap();
    assert!(matches!(fenced, Ok(Replaced::Stored(_))), "{fenced:?}");

    server.kill();
    let begun = Instant::now();
    while let (Err(CacheError::TimedOut { .. }), _) = fence(&store, key("k")).await.unwrap() {}
    let (fenced, took) = fence(&store, key("k")).await.unwrap();
    assert!(matches!(fenced, Err(CacheError::Down { .. })), "{fenced:?}");
    assert!(begun.elapsed() >= patience && took < patience / 2, "{took:?}");
}

#[tokio::test]
async fn a_hung_server_holds_up_a_write_once_and_for_its_time() {
    let timeout = Duration::from_millis(400);
    let server = Memcached::start(&[]);
    let store = for_writes(&server, timeout);
    answered(&store, &key("k"), Duration::from_secs(3)).await;
    server.stop();
    let (fenced, took) = fence(&store, key("k")).await.unwrap();
    assert!(matches!(fenced, Err(CacheError::TimedOut { .. })), "{fenced:?}");
    assert!((timeout..timeout * 2).contains(&took), "{took:?}");
    let (fenced, took) = fence(&store, key("k")).await.unwrap();
    assert!(matches!(fenced, Err(CacheError::Down { .. })), "{fenced:?}");
    assert!(took < timeout / 2, "{took:?}");
    server.resume();
    answered(&store, &key("k"), Duration::from_secs(3)).await;
}
