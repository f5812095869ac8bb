//! What every store does alike.

mod model;

pub use model::any_sequence_agrees_with_the_model;

use super::{CacheStore, Cas, Deleted, Incarnation, Lookup, Over, Replaced};
use crate::key::{CacheKey, Namespace};
use bytes::Bytes;
use std::time::Duration;
use tokio::{runtime::Runtime, time::sleep};

const TTL: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(1);
/// After it, what lived for `SHORT` has gone: whole seconds, and one more for a
/// fence.
const GONE: Duration = Duration::from_millis(3200);

fn key(name: &str) -> CacheKey {
    CacheKey::of_parts(&Namespace::default(), "conformance", &[name])
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

async fn get(store: &dyn CacheStore, key: &CacheKey) -> Lookup {
    timeless(store.get(key, None).await.unwrap())
}

/// What was found, without how long it will be there.
fn timeless(found: Lookup) -> Lookup {
    match found {
        Lookup::Item { value, cas, stale, claimed, .. } => {
            Lookup::Item { value, cas, stale, ttl: None, claimed }
        }
        found => found,
    }
}

async fn lease(store: &dyn CacheStore, key: &CacheKey, ttl: Duration) -> Cas {
    match store.get(key, Some(ttl)).await.unwrap() {
        Lookup::Lease(cas) => cas,
        other => panic!("no lease: {other:?}"),
    }
}

fn stored(replaced: Replaced) -> Cas {
    match replaced {
        Replaced::Stored(cas) => cas,
        other => panic!("not stored: {other:?}"),
    }
}

fn item(value: Bytes, cas: Cas) -> Lookup {
    Lookup::Item { value, cas, stale: false, ttl: None, claimed: false }
}

async fn fence(store: &dyn CacheStore, key: &CacheKey, over: Over) -> Replaced {
    store.fence(key, bytes("fence"), TTL, over).await.unwrap()
}

async fn replace(store: &dyn CacheStore, key: &CacheKey, cas: Cas) -> Replaced {
    store.replace(key, bytes("row"), TTL, cas).await.unwrap()
}

async fn a_lease_is_given_once(store: &dyn CacheStore) {
    let key = key("a_lease_is_given_once");
    assert_eq!(get(store, &key).await, Lookup::Miss);
    let cas = lease(store, &key, TTL).await;
    assert_eq!(store.get(&key, Some(TTL)).await.unwrap(), Lookup::Leased(cas));
    assert_eq!(get(store, &key).await, Lookup::Leased(cas));
    let row = stored(replace(store, &key, cas).await);
    assert_ne!(row, cas);
    assert_eq!(timeless(store.get(&key, Some(TTL)).await.unwrap()), item(bytes("row"), row));
    assert_eq!(replace(store, &key, cas).await, Replaced::Exists);
}

async fn a_row_is_replaced_by_its_own_version_only(store: &dyn CacheStore) {
    let key = key("a_row_is_replaced_by_its_own_version_only");
    let lease = lease(store, &key, TTL).await;
    let first = stored(replace(store, &key, lease).await);
    let second = stored(store.replace(&key, bytes("new"), TTL, first).await.unwrap());
    assert_eq!(replace(store, &key, first).await, Replaced::Exists);
    assert_eq!(store.delete(&key, first).await.unwrap(), Deleted::Exists);
    assert_eq!(get(store, &key).await, item(bytes("new"), second));
}

async fn a_fence_goes_over_everything(store: &dyn CacheStore) {
    let key = key("a_fence_goes_over_everything");
    let over_nothing = stored(fence(store, &key, Over::Anything).await);
    assert_eq!(get(store, &key).await, item(bytes("fence"), over_nothing));
    let over_fence = stored(fence(store, &key, Over::Anything).await);
    assert_ne!(over_fence, over_nothing);
    let row = stored(replace(store, &key, over_fence).await);
    stored(fence(store, &key, Over::Anything).await);
    assert_eq!(replace(store, &key, row).await, Replaced::Exists);
    let Lookup::Item { value, cas, .. } = store.get(&key, Some(TTL)).await.unwrap() else {
        panic!("the fence has gone")
    };
    assert_eq!(value, bytes("fence"));
    assert_eq!(store.delete(&key, cas).await.unwrap(), Deleted::Deleted);
    let lease = lease(store, &key, TTL).await;
    let over_lease = stored(fence(store, &key, Over::Anything).await);
    assert_eq!(replace(store, &key, lease).await, Replaced::Exists);
    assert_eq!(get(store, &key).await, item(bytes("fence"), over_lease));
}

async fn a_fence_over_a_version_needs_that_version(store: &dyn CacheStore) {
    let key = key("a_fence_over_a_version_needs_that_version");
    let old = stored(fence(store, &key, Over::Anything).await);
    let new = stored(fence(store, &key, Over::Version(old)).await);
    assert_eq!(fence(store, &key, Over::Version(old)).await, Replaced::Exists);
    assert_eq!(store.delete(&key, new).await.unwrap(), Deleted::Deleted);
    assert_eq!(fence(store, &key, Over::Version(new)).await, Replaced::NotFound);
    assert_eq!(get(store, &key).await, Lookup::Miss);
}

async fn a_fence_over_nothing_needs_nothing_there(store: &dyn CacheStore) {
    let key = key("a_fence_over_nothing_needs_nothing_there");
    let first = stored(fence(store, &key, Over::Nothing).await);
    assert_eq!(get(store, &key).await, item(bytes("fence"), first));
    assert_eq!(fence(store, &key, Over::Nothing).await, Replaced::Exists);
    let row = stored(replace(store, &key, first).await);
    assert_eq!(fence(store, &key, Over::Nothing).await, Replaced::Exists);
    assert_eq!(store.delete(&key, row).await.unwrap(), Deleted::Deleted);
    let lease = lease(store, &key, TTL).await;
    assert_eq!(fence(store, &key, Over::Nothing).await, Replaced::Exists);
    assert_eq!(get(store, &key).await, Lookup::Leased(lease));
    assert_eq!(store.delete(&key, lease).await.unwrap(), Deleted::Deleted);
    stored(fence(store, &key, Over::Nothing).await);
}

async fn a_deleted_item_is_not_there(store: &dyn CacheStore) {
    let key = key("a_deleted_item_is_not_there");
    let lease_cas = lease(store, &key, TTL).await;
    assert_eq!(store.delete(&key, lease_cas).await.unwrap(), Deleted::Deleted);
    assert_eq!(store.delete(&key, lease_cas).await.unwrap(), Deleted::NotFound);
    assert_eq!(replace(store, &key, lease_cas).await, Replaced::NotFound);
    let again = lease(store, &key, TTL).await;
    let row = stored(replace(store, &key, again).await);
    assert_eq!(store.delete(&key, row).await.unwrap(), Deleted::Deleted);
    assert_eq!(get(store, &key).await, Lookup::Miss);
}

async fn everything_expires(store: &dyn CacheStore) {
    let (leased, fenced, filled) = (key("expires 1"), key("expires 2"), key("expires 3"));
    let lease_cas = lease(store, &leased, SHORT).await;
    let fence_cas =
        stored(store.fence(&fenced, bytes("fence"), SHORT, Over::Anything).await.unwrap());
    let filler = lease(store, &filled, TTL).await;
    let row = store.replace(&filled, bytes("row"), SHORT, filler).await.unwrap();
    let row_cas = stored(row);
    sleep(Duration::from_millis(900)).await;
    // A fence must not end early.
    assert_eq!(get(store, &fenced).await, item(bytes("fence"), fence_cas));
    sleep(GONE).await;
    for (key, cas) in [(&leased, lease_cas), (&fenced, fence_cas), (&filled, row_cas)] {
        assert_eq!(get(store, key).await, Lookup::Miss, "{key}");
        assert_eq!(replace(store, key, cas).await, Replaced::NotFound, "{key}");
        assert_eq!(fence(store, key, Over::Version(cas)).await, Replaced::NotFound, "{key}");
        assert_eq!(store.delete(key, cas).await.unwrap(), Deleted::NotFound, "{key}");
        lease(store, key, TTL).await;
    }
}

async fn an_item_tells_how_long_it_lives_and_is_claimed_once(store: &dyn CacheStore) {
    let key = key("an_item_tells_how_long_it_lives_and_is_claimed_once");
    let second = Duration::from_secs(1);
    assert_eq!(store.claim(&key, TTL).await.unwrap(), None);
    let lease = lease(store, &key, TTL).await;
    assert_eq!(store.claim(&key, TTL + second).await.unwrap(), None, "a lease");
    let row = stored(store.replace(&key, bytes("row"), TTL, lease).await.unwrap());
    let life = async || match store.get(&key, None).await.unwrap() {
        Lookup::Item { cas, ttl: Some(ttl), claimed, .. } if cas == row => (ttl, claimed),
        other => panic!("{other:?}"),
    };
    let (ttl, claimed) = life().await;
    assert!(ttl <= TTL + second && ttl > TTL - 5 * second, "{ttl:?}");
    assert!(!claimed);
    assert_eq!(store.claim(&key, TTL / 2).await.unwrap(), None, "it lives longer");
    assert!(!life().await.1);
    assert_eq!(store.claim(&key, TTL + 2 * second).await.unwrap(), Some(row));
    assert_eq!(store.claim(&key, TTL + 2 * second).await.unwrap(), None, "it is claimed");
    assert!(life().await.1);
    let row = stored(replace(store, &key, row).await);
    assert_eq!(store.claim(&key, TTL + 2 * second).await.unwrap(), Some(row));
    stored(fence(store, &key, Over::Anything).await);
}

async fn an_oversized_value_changes_nothing(store: &dyn CacheStore) {
    let key = key("an_oversized_value_changes_nothing");
    let cas = stored(fence(store, &key, Over::Anything).await);
    let huge = Bytes::from(vec![1; 70 << 20]);
    assert_eq!(store.replace(&key, huge.clone(), TTL, cas).await.unwrap(), Replaced::TooLarge);
    assert_eq!(
        store.fence(&key, huge.clone(), TTL, Over::Version(cas)).await.unwrap(),
        Replaced::TooLarge
    );
    assert_eq!(store.fence(&key, huge, TTL, Over::Anything).await.unwrap(), Replaced::TooLarge);
    assert_eq!(get(store, &key).await, item(bytes("fence"), cas));
}

async fn keys_and_values_may_be_long_and_binary(store: &dyn CacheStore) {
    let key = key(&"k".repeat(1000));
    assert_eq!(key.as_bytes().len(), 250);
    let hostile = b"\r\nEND\r\nVA 5 c1 O1\r\nflush_all\r\n";
    for value in [
        (0..=255).collect::<Vec<u8>>(),
        hostile.to_vec(),
        hostile.repeat(5000),
        vec![0; 1],
        vec![b'\r'; 5000],
        vec![b'\n'; 300_000],
    ] {
        let value = Bytes::from(value);
        let cas = stored(store.fence(&key, value.clone(), TTL, Over::Anything).await.unwrap());
        assert_eq!(get(store, &key).await, item(value.clone(), cas));
        let cas = stored(store.replace(&key, value.clone(), TTL, cas).await.unwrap());
        assert_eq!(get(store, &key).await, item(value, cas));
    }
}

async fn another_incarnations_token_is_refused(store: &dyn CacheStore) {
    let key = key("another_incarnations_token_is_refused");
    let mine = stored(fence(store, &key, Over::Anything).await);
    let Incarnation { process, started } = mine.incarnation;
    for incarnation in [
        Incarnation { process, started: started.wrapping_add(1) },
        Incarnation { process: process.wrapping_add(1), started },
    ] {
        let foreign = Cas { incarnation, ..mine };
        assert_eq!(replace(store, &key, foreign).await, Replaced::OtherIncarnation);
        assert_eq!(fence(store, &key, Over::Version(foreign)).await, Replaced::OtherIncarnation);
        assert_eq!(store.delete(&key, foreign).await.unwrap(), Deleted::OtherIncarnation);
    }
    assert_eq!(get(store, &key).await, item(bytes("fence"), mine));
}

async fn a_batch_answers_each_key_as_if_it_were_alone(store: &dyn CacheStore) {
    let [row, fenced, leased] = ["batch row", "batch fence", "batch lease"].map(key);
    let row_cas = lease(store, &row, TTL).await;
    let row_cas = stored(replace(store, &row, row_cas).await);
    let fence_cas = stored(fence(store, &fenced, Over::Anything).await);
    let lease_cas = lease(store, &leased, TTL).await;
    let missing: Vec<_> = (0..300).map(|n| key(&format!("batch {n}"))).collect();
    let mut keys = missing.clone();
    keys.splice(150..150, [row.clone(), fenced, leased, row, missing[7].clone()]);

    let found = store.get_many(&keys, None).await.into_iter();
    let found: Vec<_> = found.map(|found| timeless(found.unwrap())).collect();
    let mut expected = vec![Lookup::Miss; 305];
    expected[150] = item(bytes("row"), row_cas);
    expected[151] = item(bytes("fence"), fence_cas);
    expected[152] = Lookup::Leased(lease_cas);
    expected[153] = expected[150].clone();
    assert_eq!(found, expected);

    let found: Vec<_> = store
        .get_many(&keys, Some(TTL))
        .await
        .into_iter()
        .map(|found| timeless(found.unwrap()))
        .collect();
    assert_eq!(found[150..154], expected[150..154]);
    // Of two that ask for one key, one wins.
    let mut winners = vec![&found[7], &found[154]];
    winners.sort_by_key(|found| matches!(found, Lookup::Leased(_)));
    let [Lookup::Lease(won), Lookup::Leased(lost)] = winners[..] else { panic!("{winners:?}") };
    assert_eq!(won, lost);
    let (before, after) = (&found[..150], &found[155..]);
    for (key, found) in missing.iter().zip(before.iter().chain(after)) {
        match found {
            Lookup::Lease(cas) | Lookup::Leased(cas) => {
                stored(replace(store, key, *cas).await);
            }
            other => panic!("{key}: {other:?}"),
        }
    }
    let found = store.get_many(&missing, Some(TTL)).await;
    assert!(found.iter().all(|found| matches!(found, Ok(Lookup::Item { .. }))), "{found:?}");
    assert!(store.get_many(&[], Some(TTL)).await.is_empty());
}

/// All of it; `cases` are how many sequences of commands are tried.
pub fn suite(runtime: &Runtime, store: &dyn CacheStore, cases: u32) {
    runtime.block_on(async {
        a_lease_is_given_once(store).await;
        a_row_is_replaced_by_its_own_version_only(store).await;
        a_fence_goes_over_everything(store).await;
        a_fence_over_a_version_needs_that_version(store).await;
        a_fence_over_nothing_needs_nothing_there(store).await;
        a_deleted_item_is_not_there(store).await;
        everything_expires(store).await;
        an_item_tells_how_long_it_lives_and_is_claimed_once(store).await;
        an_oversized_value_changes_nothing(store).await;
        keys_and_values_may_be_long_and_binary(store).await;
        another_incarnations_token_is_refused(store).await;
        a_batch_answers_each_key_as_if_it_were_alone(store).await;
    });
    any_sequence_agrees_with_the_model(runtime, store, cases);
}

#[cfg(test)]
mod tests;
