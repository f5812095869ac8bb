//! A memcached that is too slow for a read, or whose connections break.

use super::Here;
use crate::{
    cache_proxy::CacheProxy,
    memcached::{OwnServer, wait_for_age},
    polling::until,
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _};
use std::time::Duration;
use tokio::time::Instant;

const TIMEOUT: Duration = Duration::from_millis(50);
const WRITE_TIMEOUT: Duration = Duration::from_millis(1500);
const COMMIT_WINDOW: Duration = Duration::from_secs(2);
const HOLD_OFF: Duration = Duration::from_secs(4);

async fn behind(proxy: &CacheProxy) -> Here {
    let here = Here::built(&[PAGES], |builder| {
        let builder = builder.memcached([proxy.address()]).connect_timeout(Duration::from_secs(5));
        let builder = builder.commit_window(COMMIT_WINDOW).hold_off(HOLD_OFF);
        builder.timeout(TIMEOUT).write_timeout(WRITE_TIMEOUT)
    })
    .await;
    here.run("INSERT INTO pages VALUES (1, 'old')").await;
    here
}

fn page(body: &str) -> Page {
    Page { id: 1, body: body.into() }
}

async fn body(here: &Here) -> String {
    Page::fetch_one(&here.orm, 1).await.unwrap().body
}

async fn until_cached(here: &Here) {
    until("the row is cached", async || {
        body(here).await;
        matches!(Page::get_cached_instance(&here.orm, 1).await, Ok(Some(_)))
    })
    .await;
}

/// As on a machine that is busy: reads go to the database, and writes go through.
#[tokio::test]
async fn it_fails_no_write_while_reads_do_without_it() {
    let server = OwnServer::started().await;
    let proxy = CacheProxy::to(server.address()).await;
    let here = behind(&proxy).await;
    wait_for_age(&server.address(), HOLD_OFF).await;
    until_cached(&here).await;

    proxy.delay(TIMEOUT * 3);
    let before = here.statistics();
    for round in 0..8 {
        let written = round.to_string();
        page(&written).update(&here.orm).await.unwrap();
        assert_eq!(body(&here).await, written);
    }
    let now = here.statistics();
    assert_eq!(now.hits, before.hits);
    assert!(now.loads >= before.loads + 8);
    assert_eq!(now.releases_unconfirmed, before.releases_unconfirmed);

    proxy.delay(Duration::ZERO);
    until_cached(&here).await;
    assert_eq!(body(&here).await, "7");
}

#[tokio::test]
async fn one_that_hangs_holds_a_write_up_for_its_time_and_no_longer() {
    let server = OwnServer::started().await;
    let proxy = CacheProxy::to(server.address()).await;
    let here = behind(&proxy).await;
    page("new").update(&here.orm).await.unwrap();
    proxy.delay(Duration::from_secs(3600));
    let began = Instant::now();
    let refused = page("newer").update(&here.orm).await.unwrap_err();
    let took = began.elapsed();
    assert!(matches!(refused, Error::NotFenced { .. }), "{refused}");
    // To take the fence away again is not waited for so long: it is known to hang.
    assert!((WRITE_TIMEOUT..WRITE_TIMEOUT * 2).contains(&took), "{took:?}");
    assert_eq!(body(&here).await, "new");
}

#[tokio::test]
async fn connections_that_break_fail_no_write() {
    let server = OwnServer::started().await;
    let proxy = CacheProxy::to(server.address()).await;
    let here = behind(&proxy).await;
    wait_for_age(&server.address(), HOLD_OFF).await;
    until_cached(&here).await;

    // Questions and answers in turn. Dialling takes two, and a release whose fence may
    // be gone six more: so many must get through at a time.
    proxy.cut_one_in(11);
    for round in 0..40 {
        let written = round.to_string();
        page(&written).update(&here.orm).await.unwrap();
        assert_eq!(body(&here).await, written);
    }
    assert!(proxy.cuts() > 3, "{}", proxy.cuts());
    proxy.cut_one_in(0);
    // A fence that may have come late is left to expire.
    assert_eq!(body(&here).await, "39");
    assert_eq!(here.statistics().releases_unconfirmed, 0);
}
