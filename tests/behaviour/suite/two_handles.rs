//! Two handles on one memcached, as two processes have them.

use super::{
    Here,
    concurrent::{
        Acknowledged, assert_agreed, disturb, read, update, update_in_transactions, with_counters,
    },
};
use crate::tables::people::{PEOPLE, Person};
use cached_orm::MemcachedOrm as _;
use futures_util::future::join_all;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_through_one_sees_what_was_acknowledged_through_the_other() {
    let here = with_counters().await;
    let other = here.other_handle().await;
    let known = Arc::new(Acknowledged::default());
    let mut tasks = Vec::new();
    for (orm, writer) in [(here.orm.clone(), 1), (other.clone(), 2)] {
        for _ in 0..3 {
            tasks.push(tokio::spawn(read(orm.clone(), Arc::clone(&known))));
        }
        tasks.push(tokio::spawn(update(orm.clone(), Arc::clone(&known), writer)));
        let transactions = update_in_transactions(orm.clone(), Arc::clone(&known), writer + 10);
        tasks.push(tokio::spawn(transactions));
        tasks.push(tokio::spawn(disturb(orm, Arc::clone(&known))));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    known.stop();
    for task in tasks {
        task.await.unwrap();
    }
    assert_agreed(&here, &here.orm).await;
    assert_agreed(&here, &other).await;
    let writes = known.writes.load(Ordering::Relaxed);
    assert!(writes > 10, "{writes} writes show nothing");
}

#[tokio::test]
async fn what_one_has_loaded_is_a_hit_for_the_other() {
    let here = Here::with(&[PEOPLE]).await;
    let other = here.other_handle().await;
    let mut ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::delete_cached_instance(&here.orm, ann.id).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();
    assert_eq!(Person::fetch(&other, ann.id).await.unwrap().as_ref(), Some(&ann));
    assert_eq!((other.statistics().hits, other.statistics().loads), (1, 0));

    ann.name = "Anna".into();
    ann.update(&other).await.unwrap();
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap().as_ref(), Some(&ann));
    assert!(ann.delete(&here.orm).await.unwrap());
    assert_eq!(Person::fetch(&other, ann.id).await.unwrap(), None);
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), None);
    let again = Person::named("Ann").insert(&other).await.unwrap();
    assert_eq!(Person::fetch(&here.orm, again.id).await.unwrap(), Some(again));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_of_both_share_one_load_by_a_lease() {
    let here = Here::with(&[PEOPLE]).await;
    let other = here.other_handle().await;
    // Both are connected before it counts.
    for orm in [&here.orm, &other] {
        Person::fetch(orm, 99).await.unwrap();
    }
    here.run("INSERT INTO people (email, name) VALUES ('ann@example.org', 'Ann')").await;
    let before = here.statistics().loads + other.statistics().loads;
    let readers = (0..64).map(|reader| {
        let orm = if reader % 2 == 0 { here.orm.clone() } else { other.clone() };
        tokio::spawn(async move { Person::fetch_one(&orm, 1).await.unwrap().name })
    });
    for name in join_all(readers).await {
        assert_eq!(name.unwrap(), "Ann");
    }
    let loads = here.statistics().loads + other.statistics().loads - before;
    // A reader waits some time for another process's lease, and then loads.
    assert!((1..=3).contains(&loads), "{loads} loads");
}
