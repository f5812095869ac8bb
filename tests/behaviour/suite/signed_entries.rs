//! Entries that are signed, beside who has no key, or another.

use super::{Database, Here};
use crate::{
    memcached::Wire,
    tables::people::{PEOPLE, Person},
};
use cached_orm::{MemcachedOrm as _, Orm};

const OURS: [u8; 32] = [1; 32];
const NEXT: [u8; 32] = [2; 32];

async fn place() -> (Here, Person) {
    let here = Here::built(&[PEOPLE], |builder| builder.sign_entries([OURS])).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    (here, ann)
}

/// Puts an entry into the cache that says `eve` where the database says otherwise:
/// `forger` caches it while the database says so too.
async fn forge(here: &Here, forger: &Orm<Database>, ann: &Person) {
    here.run(&format!("UPDATE people SET name = 'Eve' WHERE id = {}", ann.id)).await;
    Person::delete_cached_instance(forger, ann.id).await.unwrap();
    assert_eq!(Person::fetch_one(forger, ann.id).await.unwrap().name, "Eve");
    here.run(&format!("UPDATE people SET name = 'Ann' WHERE id = {}", ann.id)).await;
    assert_eq!(Person::fetch_one(forger, ann.id).await.unwrap().name, "Eve");
}

/// Reads a row that must come from the database, and then from the cache.
async fn replaces(orm: &Orm<Database>, ann: &Person) {
    let before = orm.statistics();
    assert_eq!(Person::fetch(orm, ann.id).await.unwrap().as_ref(), Some(ann));
    let loaded = orm.statistics();
    assert_eq!((loaded.loads, loaded.unreadable), (before.loads + 1, before.unreadable + 1));
    hits(orm, ann).await;
}

/// Reads a row from the cache.
async fn hits(orm: &Orm<Database>, ann: &Person) {
    let before = orm.statistics();
    assert_eq!(Person::fetch(orm, ann.id).await.unwrap().as_ref(), Some(ann));
    let after = orm.statistics();
    assert_eq!((after.hits, after.loads), (before.hits + 1, before.loads));
}

#[tokio::test]
async fn a_row_that_somebody_has_made_up_is_replaced() {
    let (here, ann) = place().await;
    let without_key = here.handle(|builder| builder).await;
    let with_another = here.handle(|builder| builder.sign_entries([NEXT])).await;
    for forger in [without_key, with_another] {
        forge(&here, &forger, &ann).await;
        replaces(&here.orm, &ann).await;
    }
}

#[tokio::test]
async fn a_row_that_somebody_denies_is_found() {
    let (here, ann) = place().await;
    let forger = here.handle(|builder| builder).await;
    let id = ann.id + 1;
    assert_eq!(Person::fetch(&forger, id).await.unwrap(), None);
    here.run("INSERT INTO people (email, name) VALUES ('b', 'Bob')").await;
    assert_eq!(Person::fetch(&forger, id).await.unwrap(), None);
    let bob = Person::fetch(&here.orm, id).await.unwrap();
    assert_eq!(bob.map(|bob| bob.name).as_deref(), Some("Bob"));
}

#[tokio::test]
async fn an_absence_is_signed_too() {
    let (here, ann) = place().await;
    let other = here.handle(|builder| builder.sign_entries([OURS])).await;
    assert_eq!(Person::fetch(&here.orm, ann.id + 1).await.unwrap(), None);
    assert_eq!(Person::fetch(&other, ann.id + 1).await.unwrap(), None);
    assert_eq!((other.statistics().hits, other.statistics().loads), (1, 0));
}

#[tokio::test]
async fn an_entry_that_was_moved_is_replaced() {
    let (here, ann) = place().await;
    let bob = Person::named("Bob").insert(&here.orm).await.unwrap();
    for person in [&ann, &bob] {
        Person::fetch(&here.orm, person.id).await.unwrap();
    }
    let [ann_key, bob_key] = [&ann, &bob].map(|person| person.get_cache_key(&here.orm));
    let bobs = Wire::shared().get(bob_key.as_str()).expect("an entry");
    Wire::shared().set(ann_key.as_str(), &bobs);
    replaces(&here.orm, &ann).await;

    // With the right key in it.
    let at = bobs.windows(bob_key.as_bytes().len()).position(|part| part == bob_key.as_bytes());
    let mut moved = bobs.clone();
    moved[at.expect("its key")..][..ann_key.as_bytes().len()].copy_from_slice(ann_key.as_bytes());
    Wire::shared().set(ann_key.as_str(), &moved);
    replaces(&here.orm, &ann).await;
}

#[tokio::test]
async fn what_a_write_leaves_is_signed() {
    let (here, mut ann) = place().await;
    let other = here.handle(|builder| builder.sign_entries([OURS])).await;
    ann.name = "Anna".into();
    ann.update(&here.orm).await.unwrap();
    hits(&other, &ann).await;
}

#[tokio::test]
async fn programs_with_and_without_a_key_read_each_others_rows_and_the_signed_one_stays() {
    let (here, mut ann) = place().await;
    let without = here.handle(|builder| builder).await;
    Person::delete_cached_instance(&here.orm, ann.id).await.unwrap();
    Person::fetch(&without, ann.id).await.unwrap();
    hits(&without, &ann).await;
    replaces(&here.orm, &ann).await;
    for _ in 0..3 {
        hits(&without, &ann).await;
        hits(&here.orm, &ann).await;
    }
    // Neither is shown what was before the other's write.
    for (round, orm) in [&without, &here.orm, &without, &here.orm].into_iter().enumerate() {
        ann.name = format!("Ann {round}");
        ann.update(orm).await.unwrap();
        for orm in [&here.orm, &without] {
            assert_eq!(Person::fetch_one(orm, ann.id).await.unwrap(), ann);
        }
    }
}

#[tokio::test]
async fn a_key_is_exchanged_in_three_steps_without_a_load() {
    let (here, mut ann) = place().await;
    let knows_next = here.handle(|builder| builder.sign_entries([OURS, NEXT])).await;
    let signs_next = here.handle(|builder| builder.sign_entries([NEXT, OURS])).await;
    let knows_no_other = here.handle(|builder| builder.sign_entries([NEXT])).await;
    // Whoever runs beside another has written, and each has read.
    for [writer, reader] in [
        [&here.orm, &knows_next],
        [&knows_next, &here.orm],
        [&knows_next, &signs_next],
        [&signs_next, &knows_next],
        [&signs_next, &knows_no_other],
        [&knows_no_other, &signs_next],
    ] {
        ann.update(writer).await.unwrap();
        hits(reader, &ann).await;
    }
    // The old key is worth nothing any more.
    ann.update(&here.orm).await.unwrap();
    replaces(&knows_no_other, &ann).await;
}
