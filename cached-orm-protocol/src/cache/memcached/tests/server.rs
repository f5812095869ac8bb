use super::{Memcached, TTL, answered, key, options};
use crate::cache::{
    CacheError, CacheStore, Cas, Incarnation, Lookup, Over, Replaced, memcached::MemcachedStore,
};
use bytes::Bytes;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};
use tokio::time::sleep;

/// The largest value that the store sends is one that memcached takes, and the
/// next one leaves what lay there.
async fn takes_what_it_sends(server_options: &[&'static str], item_size_max: usize) {
    let server = Memcached::start(server_options).settle();
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    for name in ["k".to_owned(), "k".repeat(300)] {
        let key = key(&name);
        let largest = item_size_max - 128 - key.as_bytes().len();
        let value = Bytes::from(vec![7; largest]);
        let stored = store.fence(&key, value.clone(), TTL, Over::Anything).await.unwrap();
        let Replaced::Stored(cas) = stored else { panic!("{stored:?}") };
        let larger = Bytes::from(vec![8; largest + 1]);
        assert_eq!(
            store.replace(&key, larger.clone(), TTL, cas).await.unwrap(),
            Replaced::TooLarge
        );
        assert_eq!(
            store.fence(&key, larger, TTL, Over::Anything).await.unwrap(),
            Replaced::TooLarge
        );
        let found = store.get(&key, None).await.unwrap();
        assert!(matches!(
 &found, Lookup::Item { value: found, cas: version, stale: false, .. }
 if *found == value && *version == cas));
    }
}

#[tokio::test]
async fn the_item_limit_is_the_servers() {
    takes_what_it_sends(&[], 1 << 20).await;
    takes_what_it_sends(&["-I", "3m"], 3 << 20).await;
}

/// What this crate never does, but another client of the server may.
#[tokio::test]
async fn a_stale_mark_and_a_foreign_empty_value_are_items() {
    let server = Memcached::start(&[]).settle();
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    let mut raw = TcpStream::connect(server.address()).unwrap();
    let mut say = |line: &str| {
        raw.write_all(line.as_bytes()).unwrap();
        let mut reply = [0; 64];
        let read = raw.read(&mut reply).unwrap();
        assert!(reply[..read].starts_with(b"HD"), "{line}");
    };

    let marked = key("marked");
    let value = Bytes::from_static(b"old");
    store.fence(&marked, value.clone(), TTL, Over::Anything).await.unwrap();
    say(&format!("md {marked} I T30\r\n"));
    for lease in [None, Some(TTL)] {
        let found = store.get(&marked, lease).await.unwrap();
        assert!(matches!(found, Lookup::Item { value: v, stale: true, .. } if v == value));
    }

    let empty = key("empty");
    say(&format!("ms {empty} 0\r\n\r\n"));
    for lease in [None, Some(TTL)] {
        let found = store.get(&empty, lease).await.unwrap();
        assert!(
            matches!(&found, Lookup::Item { value, stale: false, .. } if value.is_empty()),
            "{found:?}"
        );
    }

    let placeholder = key("placeholder");
    assert!(matches!(store.get(&placeholder, Some(TTL)).await.unwrap(), Lookup::Lease(_)));
    say(&format!("md {placeholder} I T30\r\n"));
    for lease in [None, Some(TTL)] {
        let found = store.get(&placeholder, lease).await.unwrap();
        assert!(matches!(found, Lookup::Item { stale: true, .. }), "{found:?}");
    }
}

#[tokio::test]
async fn a_refused_command_leaves_its_neighbours_alone() {
    // No evictions, and little memory: it runs out.
    let server = Memcached::start(&["-M", "-m", "2"]).settle();
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    let value = Bytes::from(vec![b'\n'; 60_000]);
    let mut refused = 0;
    for n in 0..200 {
        let key = key(&n.to_string());
        let (stored, found) = tokio::join!(
            store.fence(&key, value.clone(), TTL, Over::Anything),
            store.get(&key, None)
        );
        let found = found.expect("a read beside a refused write");
        match stored {
            Ok(Replaced::Stored(cas)) => {
                assert!(matches!(
 &found, Lookup::Item { value: found, cas: version, stale: false, .. }
 if *found == value.clone() && *version == cas));
            }
            Err(CacheError::Refused { message, .. }) => {
                assert!(message.contains("out of memory"), "{message}");
                assert_eq!(found, Lookup::Miss);
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn a_server_without_cas_is_not_used() {
    let server = Memcached::start(&["-C"]);
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    let reason = super::known_to_be_down(&store, &key("k")).await;
    assert!(reason.contains("without CAS"), "{reason}");
}

async fn incarnation(store: &MemcachedStore, name: &str) -> Incarnation {
    let stored =
        store.fence(&key(name), Bytes::from_static(b"f"), TTL, Over::Anything).await.unwrap();
    let Replaced::Stored(Cas { incarnation, .. }) = stored else { panic!("{stored:?}") };
    incarnation
}

#[tokio::test]
async fn an_incarnation_is_one_for_all_connections_and_all_times() {
    let server = Memcached::start(&[]).settle();
    let first = MemcachedStore::new(&options(server.address())).unwrap();
    let seen = incarnation(&first, "a").await;
    for n in 0..8 {
        let store = MemcachedStore::new(&options(server.address())).unwrap();
        assert_eq!(incarnation(&store, &n.to_string()).await, seen);
        assert_eq!(incarnation(&first, &n.to_string()).await, seen);
        sleep(Duration::from_millis(237)).await;
    }
}

/// A second life could begin in the same second, with the same process id.
#[tokio::test]
async fn the_first_second_of_a_server_is_scoped_to_the_connection() {
    let server = Memcached::start(&[]);
    let one = MemcachedStore::new(&options(server.address())).unwrap();
    let two = MemcachedStore::new(&options(server.address())).unwrap();
    let young = incarnation(&one, "k").await;
    assert_ne!(incarnation(&two, "k").await, young);
    assert_eq!(incarnation(&one, "k").await, young);
    sleep(Duration::from_millis(2500)).await;
    let settled = incarnation(&one, "k").await;
    assert_ne!(settled, young);
    assert_eq!(incarnation(&two, "k").await, settled);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let server = Memcached::start(&[]);
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    answered(&store, &key("k"), Duration::from_secs(5)).await;
    store.close().await;
    store.close().await;
    assert!(matches!(store.get(&key("k"), None).await, Err(CacheError::Closed)));
    let large = Bytes::from(vec![0; 100_000]);
    assert!(matches!(
        store.fence(&key("k"), large, TTL, Over::Anything).await,
        Err(CacheError::Closed)
    ));
}

#[tokio::test]
async fn a_queue_has_an_end() {
    let server = Memcached::start(&[]);
    let mut few = options(server.address());
    few.queue = 10;
    let store = MemcachedStore::new(&few).unwrap();
    let key = key("k");
    let answers = futures_util::future::join_all((0..200).map(|_| store.get(&key, None))).await;
    let overloaded = |answer: &&_| matches!(answer, Err(CacheError::Overloaded { .. }));
    assert_eq!(answers.iter().filter(overloaded).count(), 190);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
}
