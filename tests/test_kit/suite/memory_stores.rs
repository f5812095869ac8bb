//! A cache in memory whose time moves.

use super::{Database, Here};
use crate::tables::people::{LEAFLETS, Leaflet, PAGES, Page};
use cached_orm::{
    MemcachedOrm as _, OrmBuilder,
    test_kit::{MemoryStore, TestKit},
};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn a_row_lives_for_its_ttl_and_no_longer() {
    let cache = Arc::new(MemoryStore::new());
    let options = |builder: OrmBuilder<Database>| builder.store(cache.clone());
    let here = Here::built(&[LEAFLETS], options).await;
    here.run("INSERT INTO leaflets VALUES (1, 'old')").await;
    let text = async || Leaflet::fetch_one(&here.orm, 1).await.unwrap().text;
    assert_eq!(text().await, "old");
    // By SQL of which the library knows nothing.
    here.run("UPDATE leaflets SET text = 'new'").await;
    assert_eq!(text().await, "old");
    cache.advance(Duration::from_secs(1));
    assert_eq!(text().await, "new");
}

#[tokio::test]
async fn a_fence_that_is_left_behind_protects_until_its_time_is_over() {
    let cache = Arc::new(MemoryStore::new());
    let options = |builder: OrmBuilder<Database>| builder.store(cache.clone());
    let here = Here::built(&[PAGES], options).await;
    here.run("INSERT INTO pages VALUES (1, 'one')").await;
    let mut page = Page::fetch_one(&here.orm, 1).await.unwrap();
    page.body = "new".to_owned();
    let mut transaction = here.orm.pool().begin().await.unwrap();
    let pending = page.update_on(&here.orm, &mut transaction).await.unwrap();
    drop(pending.fence(&mut transaction).await.unwrap());
    transaction.commit().await.unwrap();
    for _ in 0..2 {
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "new");
    }
    assert_eq!(here.statistics().fenced, 2);
    cache.advance(Duration::from_secs(60));
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "new");
    assert_eq!((here.statistics().fenced, here.statistics().fills), (2, 2));
}

#[tokio::test]
async fn one_store_is_the_cache_of_several_processes() {
    let cache = Arc::new(MemoryStore::new());
    let kit = TestKit::new();
    let here = Here::built(&[PAGES], |builder| builder.store(cache.clone()).test_kit(&kit)).await;
    here.run("INSERT INTO pages VALUES (1, 'one')").await;
    let other = here.handle(|builder| builder.store(cache.clone())).await;
    assert_eq!(Page::fetch_one(&other, 1).await.unwrap().body, "one");
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "one");
    assert_eq!(kit.counts().statements, 0, "the other has filled it");
    Page { id: 1, body: "new".to_owned() }.update(&other).await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "new");
    other.close().await;
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "new");
}

#[tokio::test]
async fn what_is_too_large_for_memcached_is_too_large_here() {
    let here = Here::with(&[PAGES]).await;
    let body = "x".repeat(2 << 20);
    Page { id: 1, body: body.clone() }.insert(&here.orm).await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, body);
    assert!(here.statistics().too_large > 0);
    assert_eq!(Page::get_cached_instance(&here.orm, 1).await.unwrap(), None);
}
