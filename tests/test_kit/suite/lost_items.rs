//! A cache that forgets, or restarts.

use super::Here;
use crate::tables::people::{PAGES, Page};
use cached_orm::{
    Deleted, Lookup, MemcachedOrm as _,
    test_kit::{Step, TestKit},
};
use std::time::Duration;

async fn place(kit: &TestKit) -> Here {
    let here = Here::built(&[PAGES], |builder| builder.test_kit(kit)).await;
    here.run("INSERT INTO pages VALUES (1, 'one'), (2, 'two')").await;
    here
}

/// Reads page 1 on a task of its own.
fn reading(here: &Here) -> tokio::task::JoinHandle<String> {
    let orm = here.orm.clone();
    tokio::spawn(async move { Page::fetch_one(&orm, 1).await.unwrap().body })
}

#[tokio::test]
async fn what_is_evicted_is_loaded_anew() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let page = Page::fetch_one(&here.orm, 1).await.unwrap();
    let key = page.get_cache_key(&here.orm);
    assert!(kit.cache().evict(&key).await.unwrap());
    assert!(!kit.cache().evict(&key).await.unwrap());
    assert_eq!(Page::get_cached_instance(&here.orm, 1).await.unwrap(), None);
    kit.reset_counts();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page);
    assert_eq!(kit.counts().statements, 1);
}

#[tokio::test]
async fn who_has_lost_its_lease_fills_nothing() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let key = Page { id: 1, body: String::new() }.get_cache_key(&here.orm);
    let pause = kit.pause_at(Step::Loaded);
    let reading = reading(&here);
    pause.reached().await;
    assert!(kit.cache().evict(&key).await.unwrap(), "the lease lay there");
    pause.resume();
    assert_eq!(reading.await.unwrap(), "one");
    assert_eq!(here.statistics().fills_refused, 1);
    assert_eq!(Page::get_cached_instance(&here.orm, 1).await.unwrap(), None);
}

#[tokio::test]
async fn a_fence_that_is_evicted_leaves_nothing_old_after_the_write() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let key = Page { id: 1, body: String::new() }.get_cache_key(&here.orm);
    let pause = kit.pause_at(Step::Fenced);
    let orm = here.orm.clone();
    let mut page = Page { id: 1, body: "new".to_owned() };
    let writing = tokio::spawn(async move { page.update(&orm).await });
    pause.reached().await;
    assert!(kit.cache().evict(&key).await.unwrap(), "the fence lay there");
    // It is not committed, so this is what it says; and now it lies in the cache.
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "one");
    assert_eq!(here.statistics().fills, 1);
    pause.resume();
    writing.await.unwrap().unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "new");
}

#[tokio::test]
async fn a_restart_forgets_everything_and_counts_anew() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    Page::fetch_many(&here.orm, [1, 2]).await.unwrap();
    kit.cache().restart(Duration::ZERO).await.unwrap();
    for id in [1, 2] {
        assert_eq!(Page::get_cached_instance(&here.orm, id).await.unwrap(), None);
    }

    // A lease of before is of no use after it.
    let pause = kit.pause_at(Step::Loaded);
    let reading = reading(&here);
    pause.reached().await;
    kit.cache().restart(Duration::ZERO).await.unwrap();
    pause.resume();
    assert_eq!(reading.await.unwrap(), "one");
    assert_eq!(here.statistics().fills_refused, 1);

    // And so is a fence, in whose place the row does not get then.
    let pause = kit.pause_at(Step::Committed);
    let orm = here.orm.clone();
    let mut page = Page { id: 1, body: "new".to_owned() };
    let writing = tokio::spawn(async move { page.update(&orm).await });
    pause.reached().await;
    kit.cache().restart(Duration::ZERO).await.unwrap();
    pause.resume();
    writing.await.unwrap().unwrap();
    assert_eq!(here.statistics().write_throughs, 0);
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "new");
    let cached = Page::get_cached_instance(&here.orm, 1).await.unwrap();
    assert_eq!(cached.map(|page| page.body).as_deref(), Some("new"), "it is filled again");
}

#[tokio::test]
async fn a_version_of_before_a_restart_is_that_of_another_life() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let page = Page::fetch_one(&here.orm, 1).await.unwrap();
    let (store, key) = (here.orm.store(), page.get_cache_key(&here.orm));
    let version = async || match store.get(&key, None).await.unwrap() {
        Lookup::Item { cas, .. } => cas,
        other => panic!("{other:?}"),
    };
    let before = version().await;
    kit.cache().restart(Duration::ZERO).await.unwrap();
    Page::fetch_one(&here.orm, 1).await.unwrap();
    assert_eq!(store.delete(&key, before).await.unwrap(), Deleted::OtherIncarnation);
    let after = version().await;
    assert_ne!(before.incarnation, after.incarnation);
    assert_eq!(store.delete(&key, after).await.unwrap(), Deleted::Deleted);
}

#[tokio::test]
async fn nothing_is_filled_in_the_hold_off_after_a_restart() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    kit.cache().restart(Duration::from_secs(3600)).await.unwrap();
    for statements in 1..=3 {
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "one");
        assert_eq!(kit.counts().statements, statements);
    }
    assert_eq!(here.statistics().fills, 0);
    kit.cache().restart(Duration::ZERO).await.unwrap();
    Page::fetch_one(&here.orm, 1).await.unwrap();
    assert_eq!(here.statistics().fills, 1);
}
