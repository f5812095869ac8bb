//! Entries that are no rows, in the middle of a batch.

use super::Here;
use crate::{
    memcached::Wire,
    tables::people::{PEOPLE, Person, PersonName},
};
use cached_orm::MemcachedOrm as _;

const FENCE: &[u8] = b"\xF1CO\x1A0123456789abcdef\0";

async fn with_people() -> (Here, Vec<Person>, Vec<String>) {
    let here = Here::with(&[PEOPLE]).await;
    let (mut people, mut keys) = (Vec::new(), Vec::new());
    for n in 0..30 {
        let person = Person::named(&format!("n{n}")).insert(&here.orm).await.unwrap();
        Person::fetch(&here.orm, person.id).await.unwrap();
        keys.push(person.get_cache_key(&here.orm).to_string());
        people.push(person);
    }
    (here, people, keys)
}

async fn fetch(here: &Here, people: &[Person]) {
    let rows = Person::fetch_many(&here.orm, people.iter().map(|person| person.id)).await.unwrap();
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    assert_eq!(rows, people);
}

#[tokio::test]
async fn what_cannot_be_used_is_replaced_and_a_fence_is_not() {
    let (here, people, keys) = with_people().await;
    let entry = Wire::shared().get(&keys[0]).expect("an entry");
    let mut flipped = entry.clone();
    flipped[entry.len() - 1] ^= 1;
    Wire::shared().set(&keys[1], b"rubbish");
    Wire::shared().set(&keys[2], &Wire::shared().get(&keys[2]).unwrap()[..20]);
    Wire::shared().set(&keys[3], &entry);
    Wire::shared().set(&keys[4], &flipped);
    Wire::shared().mark_stale(&keys[5]);
    PersonName::fetch_one(&here.orm, people[6].id).await.unwrap();
    Wire::shared().set(&keys[7], FENCE);
    Wire::shared().set(&keys[8], &FENCE[..9]);

    let before = here.statistics();
    fetch(&here, &people).await;
    let after = here.statistics();
    assert_eq!(after.unreadable - before.unreadable, 6);
    assert_eq!(after.fenced - before.fenced, 2);
    assert_eq!((after.loads - before.loads, after.batch_loads - before.batch_loads), (8, 1));
    assert_eq!((after.hits - before.hits, after.fills - before.fills), (22, 6));

    fetch(&here, &people).await;
    let healed = here.statistics();
    assert_eq!((healed.hits - after.hits, healed.loads - after.loads), (28, 2));
    assert_eq!(Wire::shared().get(&keys[7]).as_deref(), Some(FENCE));
}

#[tokio::test]
async fn a_batch_of_nothing_but_rubbish() {
    let (here, people, keys) = with_people().await;
    for key in &keys {
        Wire::shared().set(key, b"\x80\x04\x95");
    }
    let before = here.statistics();
    fetch(&here, &people).await;
    let after = here.statistics();
    assert_eq!((after.loads - before.loads, after.batch_loads - before.batch_loads), (30, 1));
    fetch(&here, &people).await;
    assert_eq!(here.statistics().hits - after.hits, 30);
}
