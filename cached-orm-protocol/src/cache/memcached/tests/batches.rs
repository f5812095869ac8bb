//! Many reads at once.

use super::{
    Memcached, TTL, answered,
    fake::{Act, start, value},
    key, known_to_be_down, options,
};
use crate::{
    cache::{CacheError, CacheStore, Lookup, Over, Replaced, memcached::MemcachedStore},
    key::CacheKey,
};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

fn keys(count: u32) -> Vec<CacheKey> {
    (0..count).map(|n| key(&n.to_string())).collect()
}

fn is_lease(found: &Result<Lookup, CacheError>) -> bool {
    matches!(found, Ok(Lookup::Lease(_)))
}

async fn writes_of(store: &MemcachedStore, keys: &[CacheKey], lease: Option<Duration>) -> u64 {
    let before = store.servers[0].peer().writes();
    for found in store.get_many(keys, lease).await {
        found.unwrap();
    }
    store.servers[0].peer().writes() - before
}

#[tokio::test]
async fn a_hundred_reads_are_one_write() {
    let server = Memcached::start(&[]).settle();
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    let keys = keys(1000);
    for key in &keys[..100] {
        let value = Bytes::from(vec![b'x'; 300]);
        assert!(matches!(
            store.fence(key, value, TTL, Over::Anything).await,
            Ok(Replaced::Stored(_))
        ));
    }
    assert_eq!(writes_of(&store, &keys[..100], Some(TTL)).await, 1);
    assert_eq!(writes_of(&store, &keys[..1], None).await, 1);
    assert_eq!(writes_of(&store, &[], None).await, 0);
    // A long batch is cut, so that none holds up a connection.
    assert_eq!(writes_of(&store, &keys, Some(TTL)).await, 8);
}

#[tokio::test]
async fn a_server_in_hold_off_gives_no_leases() {
    let server = Memcached::start(&[]).settle();
    let mut careful = options(server.address());
    careful.hold_off = Duration::from_secs(3600);
    let store = MemcachedStore::new(&careful).unwrap();
    for found in store.get_many(&keys(10), Some(TTL)).await {
        assert_eq!(found.unwrap(), Lookup::Miss);
    }
}

#[tokio::test]
async fn leases_of_a_caller_who_went_away_are_given_back() {
    let server = Memcached::start(&[]).settle();
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    answered(&store, &key("k"), Duration::from_secs(5)).await;
    let keys = keys(200);
    let mut given_back = 0;
    for wait in (0..100).map(|n| Duration::from_micros(n * 10)) {
        let asked = timeout(wait, store.get_many(&keys, Some(TTL))).await;
        given_back += u32::from(asked.is_err());
        if asked.is_ok() {
            break;
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let found = store.get_many(&keys, None).await;
            if found.iter().all(|found| matches!(found, Ok(Lookup::Miss))) {
                break;
            }
            assert!(Instant::now() < deadline, "{found:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(given_back > 0);
}

#[tokio::test]
async fn one_servers_death_is_not_the_others() {
    let (living, mut dying) = (Memcached::start(&[]).settle(), Memcached::start(&[]).settle());
    let mut two = options(living.address());
    two.servers.push(dying.address());
    let store = MemcachedStore::new(&two).unwrap();
    let keys = keys(200);
    assert!(store.get_many(&keys, Some(TTL)).await.iter().all(is_lease));
    dying.kill();
    let of_dying = keys.iter().find(|key| store.router.route(key.as_bytes()) == 1).unwrap();
    known_to_be_down(&store, of_dying).await;
    let mut failed = 0;
    for (key, found) in keys.iter().zip(store.get_many(&keys, Some(TTL)).await) {
        match store.router.route(key.as_bytes()) {
            0 => assert!(matches!(found, Ok(Lookup::Leased(_))), "{found:?}"),
            _ => {
                assert!(matches!(found, Err(CacheError::Down { .. })), "{found:?}");
                failed += 1;
            }
        }
    }
    assert!((20..180).contains(&failed), "{failed} keys");
}

#[tokio::test]
async fn a_queue_has_room_for_so_many_batches() {
    let server = Memcached::start(&[]);
    let mut few = options(server.address());
    (few.queue, few.connections) = (2, Some(1));
    let store = MemcachedStore::new(&few).unwrap();
    let found = store.get_many(&keys(1000), None).await;
    assert!(found[..256].iter().all(Result::is_ok), "two requests wait");
    let refused = |found: &Result<_, _>| matches!(found, Err(CacheError::Overloaded { .. }));
    assert!(found[256..].iter().all(refused), "and no more");
    let found = store.get_many(&keys(256), None).await;
    assert!(found.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let server = Memcached::start(&[]);
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    store.close().await;
    let found = store.get_many(&keys(200), None).await;
    assert!(found.iter().all(|found| matches!(found, Err(CacheError::Closed))));
}

#[tokio::test]
async fn an_error_for_one_key_leaves_its_neighbours_alone() {
    let store = start(|gets| match gets {
        [a, _, c] => Act::Say(a.answer() + "SERVER_ERROR busy\r\n" + &c.answer()),
        _ => Act::Wait,
    })
    .await;
    let keys = keys(3);
    let found = store.get_many(&keys, None).await;
    assert!(matches!(&found[1], Err(CacheError::Refused { .. })), "{found:?}");
    for n in [0, 2] {
        let Ok(Lookup::Item { value: found, .. }) = &found[n] else { panic!("{found:?}") };
        assert_eq!(*found, value(keys[n].as_str()));
    }
}

#[tokio::test]
async fn a_wrong_reply_costs_only_those_after_it() {
    let store = start(|gets| match gets {
        [a, b, c] => Act::Say(a.answer() + &c.answer() + &b.answer()),
        _ => Act::Wait,
    })
    .await;
    let keys = keys(3);
    let found = store.get_many(&keys, None).await;
    assert!(
        matches!(&found[0], Ok(Lookup::Item { value: v, .. }) if *v == value(keys[0].as_str()))
    );
    for found in &found[1..] {
        assert!(matches!(found, Err(CacheError::Protocol { .. })), "{found:?}");
    }
}

#[tokio::test]
async fn what_came_in_time_counts() {
    let store = start(|gets| match gets {
        [a, b, _] => Act::Say(a.answer() + &b.answer()),
        _ => Act::Wait,
    })
    .await;
    let found = store.get_many(&keys(3), None).await;
    assert!(found[..2].iter().all(Result::is_ok), "{found:?}");
    assert!(matches!(&found[2], Err(CacheError::TimedOut { .. })), "{found:?}");
}
