//! A memcached that is absent, dies, hangs or starts anew.

use super::Here;
use crate::{
    memcached::{OwnServer, wait_for_age},
    place::{COMMIT_WINDOW, HOLD_OFF},
    polling::until,
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _};
use std::time::Duration;
use tokio::time::Instant;

const TIMEOUT: Duration = Duration::from_millis(200);
/// What a busy machine may take on top.
const SLACK: Duration = Duration::from_millis(800);

async fn before(server: &OwnServer) -> Here {
    Here::built(&[PAGES], |builder| {
        builder.memcached([server.address()]).timeout(TIMEOUT).connect_timeout(TIMEOUT)
    })
    .await
}

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

/// The row, and how long it took.
async fn timed_read(here: &Here) -> (String, Duration) {
    let began = Instant::now();
    let row = Page::fetch_one(&here.orm, 1).await.unwrap();
    (row.body, began.elapsed())
}

/// Reads are the database's, and writes are refused and change nothing.
async fn assert_without_cache(here: &Here) {
    let (body, _) = timed_read(here).await;
    assert_eq!(body, "old");
    let (body, took) = timed_read(here).await;
    assert_eq!(body, "old");
    assert!(took < TIMEOUT + SLACK, "a read took {took:?}");

    let mut changed = page(1, "new");
    let refused = [
        changed.update(&here.orm).await.unwrap_err(),
        page(2, "new").insert(&here.orm).await.map(drop).unwrap_err(),
        page(1, "old").delete(&here.orm).await.map(drop).unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, Error::NotFenced { .. }), "{error}");
    }
    assert_eq!(changed, page(1, "new"));
    assert_eq!(Page::fetch_uncached(&here.orm, 1).await.unwrap(), Some(page(1, "old")));
    assert_eq!(Page::fetch_uncached(&here.orm, 2).await.unwrap(), None);

    let error = Page::get_cached_instance(&here.orm, 1).await.unwrap_err();
    assert!(matches!(error, Error::Cache { .. }), "{error}");
    let error = Page::delete_cached_instance(&here.orm, 1).await.unwrap_err();
    assert!(matches!(error, Error::Cache { .. }), "{error}");
}

async fn cached(here: &Here) -> Option<Page> {
    Page::get_cached_instance(&here.orm, 1).await.unwrap_or(None)
}

/// Waits until rows are cached again, without ever reading another than this.
async fn until_cached(here: &Here, body: &str) {
    until("rows are cached", async || {
        assert_eq!(timed_read(here).await.0, body);
        cached(here).await.is_some()
    })
    .await;
    assert_eq!(cached(here).await, Some(page(1, body)));
}

#[tokio::test]
async fn absent_at_the_start_it_delays_nothing_and_fails_no_read() {
    let mut server = OwnServer::absent();
    let began = Instant::now();
    let here = before(&server).await;
    // A database, a table and a pool are in it.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    here.run("INSERT INTO pages VALUES (1, 'old')").await;
    assert_without_cache(&here).await;

    server.start().await;
    until("writes go through again", async || page(1, "new").update(&here.orm).await.is_ok()).await;
    until_cached(&here, "new").await;
}

#[tokio::test]
async fn killed_it_leaves_reads_to_the_database_and_refuses_writes() {
    let mut server = OwnServer::started().await;
    let here = before(&server).await;
    here.run("INSERT INTO pages VALUES (1, 'old')").await;
    until_cached(&here, "old").await;
    server.kill();
    assert_without_cache(&here).await;

    // What is written behind the library's back meanwhile is read at once.
    here.run("UPDATE pages SET body = 'newer'").await;
    assert_eq!(timed_read(&here).await.0, "newer");
}

#[tokio::test]
async fn hung_it_costs_a_read_its_timeout_once() {
    let server = OwnServer::started().await;
    let here = before(&server).await;
    here.run("INSERT INTO pages VALUES (1, 'old')").await;
    until_cached(&here, "old").await;
    server.hang();
    assert_without_cache(&here).await;
    for _ in 0..20 {
        let (body, took) = timed_read(&here).await;
        assert_eq!(body, "old");
        assert!(took < TIMEOUT, "a read took {took:?} of a server known to hang");
    }
    server.go_on();
    until("writes go through again", async || page(1, "new").update(&here.orm).await.is_ok()).await;
    until_cached(&here, "new").await;
}

#[tokio::test]
async fn restarted_it_is_filled_again_when_the_hold_off_is_over_and_not_before() {
    // The library counts the age of a server from its whole seconds, with care.
    const HOLD_OFF_OF_THIS_TEST: Duration = Duration::from_secs(3);
    assert!(COMMIT_WINDOW < HOLD_OFF_OF_THIS_TEST && HOLD_OFF < HOLD_OFF_OF_THIS_TEST);
    let mut server = OwnServer::started().await;
    let here = Here::built(&[PAGES], |builder| {
        let builder = builder.memcached([server.address()]).timeout(TIMEOUT);
        builder.hold_off(HOLD_OFF_OF_THIS_TEST).commit_window(Duration::from_secs(1))
    })
    .await;
    here.run("INSERT INTO pages VALUES (1, 'old')").await;
    wait_for_age(&server.address(), HOLD_OFF_OF_THIS_TEST).await;
    until_cached(&here, "old").await;

    server.kill();
    let restarted = Instant::now();
    server.start().await;
    until("it is reached again", async || Page::get_cached_instance(&here.orm, 1).await.is_ok())
        .await;
    let fills = here.statistics().fills;
    while restarted.elapsed() < HOLD_OFF_OF_THIS_TEST - SLACK {
        assert_eq!(timed_read(&here).await.0, "old");
        assert_eq!(cached(&here).await, None);
        assert_eq!(here.statistics().fills, fills);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until_cached(&here, "old").await;
    assert!(restarted.elapsed() >= HOLD_OFF_OF_THIS_TEST - SLACK);
    let hits = here.statistics().hits;
    assert_eq!(timed_read(&here).await.0, "old");
    assert_eq!(here.statistics().hits, hits + 1);
}

#[tokio::test]
async fn writes_go_through_during_the_hold_off_and_are_seen_at_once() {
    let mut server = OwnServer::started().await;
    let here = before(&server).await;
    page(1, "0").insert(&here.orm).await.unwrap();
    server.kill();
    server.start().await;
    until("writes go through again", async || page(1, "1").update(&here.orm).await.is_ok()).await;
    for round in 2..30 {
        let body = round.to_string();
        page(1, &body).update(&here.orm).await.unwrap();
        assert_eq!(timed_read(&here).await.0, body);
    }
}
