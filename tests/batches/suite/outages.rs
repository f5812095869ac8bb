//! Batches while memcached is away, or a part of it.

use super::{Here, costs::insert_even_pages};
use crate::{
    memcached::{OwnServer, wait_for_age},
    place::HOLD_OFF,
    tables::people::{PAGES, Page},
};
use cached_orm::MemcachedOrm as _;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const KEYS: i64 = 200;

async fn fetch(here: &Here) {
    let rows = Page::fetch_many(&here.orm, 0..KEYS).await.unwrap();
    for (id, row) in (0..KEYS).zip(rows) {
        let body = (id % 2 == 0).then(|| format!("page {id}"));
        assert_eq!(row.map(|row| row.body), body, "page {id}");
    }
}

#[tokio::test]
async fn without_a_server_one_statement_answers() {
    let server = OwnServer::absent();
    let here = Here::built(&[PAGES], |builder| builder.memcached([server.address()])).await;
    insert_even_pages(&here, KEYS).await;
    for _ in 0..3 {
        let before = here.statistics();
        fetch(&here).await;
        let after = here.statistics();
        assert_eq!(after.batch_loads - before.batch_loads, 1);
        assert_eq!(after.loads - before.loads, KEYS as u64);
        assert_eq!(after.cache_errors - before.cache_errors, KEYS as u64);
    }
}

#[tokio::test]
async fn one_dead_server_of_two_costs_its_own_keys_only() {
    let (mut dying, living) = (OwnServer::started().await, OwnServer::started().await);
    let here = Here::built(&[PAGES], |builder| {
        let builder = builder.memcached([dying.address(), living.address()]);
        builder.timeout(Duration::from_millis(500))
    })
    .await;
    insert_even_pages(&here, KEYS).await;
    for server in [&dying, &living] {
        wait_for_age(&server.address(), HOLD_OFF).await;
    }
    fetch(&here).await;
    let before = here.statistics();
    fetch(&here).await;
    assert_eq!(here.statistics().hits - before.hits, KEYS as u64);

    // It keeps its connections and answers nothing.
    dying.hang();
    // Its threads go on until the first of them has run again.
    sleep(Duration::from_millis(300)).await;
    let before = here.statistics();
    let began = Instant::now();
    fetch(&here).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let after = here.statistics();
    let lost = after.loads - before.loads;
    assert!((50..150).contains(&lost), "{lost} keys of one server");
    assert_eq!(after.hits - before.hits, KEYS as u64 - lost);
    assert_eq!(after.batch_loads - before.batch_loads, 1);

    dying.go_on();
    dying.kill();
    for _ in 0..3 {
        let before = here.statistics();
        fetch(&here).await;
        let after = here.statistics();
        assert_eq!((after.loads - before.loads, after.fills - before.fills), (lost, 0));
    }
}
