//! What others put in the cache, or what becomes of an entry there.

use super::Here;
use crate::{
    memcached::Wire,
    tables::people::{PEOPLE, Person, PersonName},
};
use cached_orm::MemcachedOrm as _;

async fn with_ann() -> (Here, Person, String) {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();
    let key = ann.get_cache_key(&here.orm).to_string();
    (here, ann, key)
}

/// A bad entry is no error, and what replaces it is the row.
async fn assert_heals(here: &Here, ann: &Person, what: &str) {
    assert_eq!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap(), None, "{what}");
    let before = here.statistics();
    let read = Person::fetch(&here.orm, ann.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(ann), "{what}");
    let between = here.statistics();
    assert_eq!(between.loads, before.loads + 1, "{what}");
    let read = Person::fetch(&here.orm, ann.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(ann), "{what}");
    let after = here.statistics();
    assert_eq!((after.hits, after.loads), (between.hits + 1, between.loads), "{what}");
}

#[tokio::test]
async fn rubbish_is_replaced_by_the_row() {
    let (here, ann, key) = with_ann().await;
    let rubbish: [&[u8]; 7] = [
        b"0",
        b"{\"id\":1}",
        b"\0",
        b"\r\nEND\r\n",
        &[0xFF; 1000],
        // Another program's pickle, and the magic with nothing behind it.
        b"\x80\x04\x95\x0b\x00\x00\x00",
        b"\x0EcoE",
    ];
    for value in rubbish {
        Wire::shared().set(&key, value);
        assert_heals(&here, &ann, &format!("{value:?}")).await;
    }
}

#[tokio::test]
async fn an_entry_cut_short_anywhere_is_replaced_by_the_row() {
    let (here, ann, key) = with_ann().await;
    let entry = Wire::shared().get(&key).expect("an entry");
    for length in (1..entry.len()).step_by(3) {
        Wire::shared().set(&key, &entry[..length]);
        assert_heals(&here, &ann, &format!("{length} of {} bytes", entry.len())).await;
    }
}

#[tokio::test]
async fn an_entry_with_a_flipped_bit_never_becomes_a_row() {
    let (here, ann, key) = with_ann().await;
    let entry = Wire::shared().get(&key).expect("an entry");
    for at in 0..entry.len() {
        let mut flipped = entry.clone();
        flipped[at] ^= 1 << (at % 8);
        Wire::shared().set(&key, &flipped);
        let cached = Person::get_cached_instance(&here.orm, ann.id).await.unwrap();
        assert_eq!(cached, None, "a bit of byte {at}");
        let read = Person::fetch(&here.orm, ann.id).await.unwrap();
        assert_eq!(read.as_ref(), Some(&ann), "a bit of byte {at}");
    }
}

#[tokio::test]
async fn an_entry_copied_from_another_key_is_replaced_by_the_row() {
    let (here, ann, key) = with_ann().await;
    let bob = Person::named("Bob").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, bob.id).await.unwrap();
    let others = Wire::shared().get(bob.get_cache_key(&here.orm).as_str()).expect("an entry");
    Wire::shared().set(&key, &others);
    assert_heals(&here, &ann, "another row's entry").await;

    assert_eq!(Person::fetch(&here.orm, 99).await.unwrap(), None);
    let absent = Person { id: 99, ..ann.clone() }.get_cache_key(&here.orm);
    let absent = Wire::shared().get(absent.as_str()).expect("an entry");
    Wire::shared().set(&key, &absent);
    assert_heals(&here, &ann, "another key's absence").await;
}

#[tokio::test]
async fn an_entry_of_another_struct_is_replaced_by_the_row() {
    let (here, ann, _) = with_ann().await;
    let name = PersonName::fetch_one(&here.orm, ann.id).await.unwrap();
    assert_eq!(name.name, ann.name);
    assert_heals(&here, &ann, "an entry of PersonName").await;

    // A write through either is seen by the other at once.
    let mut name = PersonName::fetch_one(&here.orm, ann.id).await.unwrap();
    name.name = "Anna".into();
    name.update(&here.orm).await.unwrap();
    assert_eq!(Person::fetch_one(&here.orm, ann.id).await.unwrap().name, "Anna");
}

#[tokio::test]
async fn an_item_marked_as_stale_is_replaced_by_the_row() {
    let (here, ann, key) = with_ann().await;
    Wire::shared().mark_stale(&key);
    assert_heals(&here, &ann, "a stale item").await;
}

#[tokio::test]
async fn an_empty_value_is_nobodys_row() {
    let (here, ann, key) = with_ann().await;
    // To the library it is somebody's lease, so it is not replaced before it ends.
    Wire::shared().set(&key, b"");
    for _ in 0..2 {
        assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap().as_ref(), Some(&ann));
    }
    Person::delete_cached_instance(&here.orm, ann.id).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();
    let cached = Person::get_cached_instance(&here.orm, ann.id).await.unwrap();
    assert_eq!(cached, Some(ann));
}

#[tokio::test]
async fn a_fence_is_respected_by_readers_and_replaced_by_the_next_writer() {
    let (here, mut ann, key) = with_ann().await;
    let mut fence = b"\xF1CO\x1A".to_vec();
    fence.extend_from_slice(&[7; 16]);
    fence.push(0);
    Wire::shared().set(&key, &fence);

    for round in 1..=3 {
        assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap().as_ref(), Some(&ann));
        ann.refresh(&here.orm).await.unwrap();
        assert_eq!(Wire::shared().get(&key).as_deref(), Some(&*fence), "round {round}");
    }
    assert_eq!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap(), None);
    assert!(here.statistics().fenced >= 3);

    ann.name = "Anna".into();
    ann.update(&here.orm).await.unwrap();
    assert_eq!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap(), Some(ann));
}

#[tokio::test]
async fn a_write_over_rubbish_leaves_the_row() {
    let (here, mut ann, key) = with_ann().await;
    Wire::shared().set(&key, b"rubbish");
    ann.name = "Anna".into();
    ann.update(&here.orm).await.unwrap();
    let cached = Person::get_cached_instance(&here.orm, ann.id).await.unwrap();
    assert_eq!(cached, Some(ann.clone()));

    Wire::shared().set(&key, b"rubbish");
    assert!(ann.delete(&here.orm).await.unwrap());
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), None);
}
