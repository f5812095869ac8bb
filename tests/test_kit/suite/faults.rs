//! A cache that fails, as the service sees it.

use super::Here;
use crate::tables::people::{PAGES, Page};
use cached_orm::{
    CacheError, Error, MemcachedOrm as _,
    test_kit::{Command, Fault, TestKit},
};
use std::time::{Duration, Instant};

async fn place(kit: &TestKit) -> Here {
    let here = Here::built(&[PAGES], |builder| builder.test_kit(kit)).await;
    here.run("INSERT INTO pages VALUES (1, 'one'), (2, 'two')").await;
    here
}

async fn body(here: &Here, id: i64) -> String {
    Page::fetch_one(&here.orm, id).await.unwrap().body
}

async fn write(here: &Here, id: i64, body: &str) -> Result<(), Error> {
    Page { id, body: body.to_owned() }.update(&here.orm).await
}

#[tokio::test]
async fn reads_go_on_while_the_cache_is_down_and_writes_do_not() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    assert_eq!(body(&here, 1).await, "one");
    kit.cache().go_down();
    kit.reset_counts();
    assert_eq!(body(&here, 1).await, "one");
    assert_eq!(kit.counts().statements, 1, "the database was asked");
    assert_eq!(kit.counts().gets, 1, "and the cache, in vain");
    let error = write(&here, 1, "new").await.unwrap_err();
    let Error::NotFenced { source: CacheError::Down { .. }, .. } = error else {
        panic!("{error}")
    };
    let error = Page::get_cached_instance(&here.orm, 1).await.unwrap_err();
    assert!(error.to_string().contains("test-kit is down"), "{error}");

    kit.cache().come_back();
    kit.reset_counts();
    assert_eq!(body(&here, 1).await, "one", "nothing was written");
    assert_eq!(kit.counts().statements, 0, "the row is still there");
    write(&here, 1, "new").await.unwrap();
    assert_eq!(body(&here, 1).await, "new");
}

#[tokio::test]
async fn with_an_outbox_writes_go_on_while_the_cache_is_down() {
    let kit = TestKit::new();
    let options = |builder: cached_orm::OrmBuilder<_>| builder.test_kit(&kit).drainer(false);
    let here = Here::built(&[PAGES], options).await;
    here.run("INSERT INTO pages VALUES (1, 'one')").await;
    here.orm.install_outbox().await.unwrap();
    assert_eq!(body(&here, 1).await, "one");
    kit.cache().go_down();
    write(&here, 1, "new").await.unwrap();
    assert_eq!(body(&here, 1).await, "new");
    assert_eq!(here.orm.drain_outbox().await.unwrap().remaining, 1);

    kit.cache().come_back();
    let drained = here.orm.drain_outbox().await.unwrap();
    assert_eq!((drained.drained, drained.remaining), (1, 0));
    assert_eq!(body(&here, 1).await, "new");
}

#[tokio::test]
async fn a_cache_that_hangs_costs_a_timeout() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    assert_eq!(body(&here, 1).await, "one");
    kit.cache().hang();
    let began = Instant::now();
    assert_eq!(body(&here, 1).await, "one");
    assert!(began.elapsed() >= Duration::from_millis(50));
    assert!(matches!(write(&here, 1, "new").await, Err(Error::NotFenced { .. })));
    kit.cache().come_back();
    kit.reset_counts();
    assert_eq!(body(&here, 1).await, "one");
    assert_eq!(kit.counts().statements, 0, "the row is still there");
}

#[tokio::test]
async fn a_fault_happens_as_often_as_it_is_to_and_where() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let second = Page { id: 2, body: String::new() }.get_cache_key(&here.orm);
    kit.cache().inject(Fault::fail(Command::Fence).on(second).times(1));
    write(&here, 1, "new").await.unwrap();
    assert!(matches!(write(&here, 2, "new").await, Err(Error::NotFenced { .. })));
    assert_eq!(body(&here, 2).await, "two");
    write(&here, 2, "new").await.unwrap();

    kit.cache().inject(Fault::fail(Command::Fence));
    for _ in 0..2 {
        assert!(matches!(write(&here, 1, "newer").await, Err(Error::NotFenced { .. })));
    }
    kit.cache().heal();
    write(&here, 1, "newer").await.unwrap();
    assert_eq!(body(&here, 1).await, "newer");
}

#[tokio::test]
async fn a_lost_answer_is_of_a_command_that_was_carried_out() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    kit.cache().inject(Fault::lose_answer(Command::Replace).times(1));
    assert_eq!(body(&here, 1).await, "one");
    assert_eq!(here.statistics().fills, 0, "who filled was not told");
    kit.reset_counts();
    assert_eq!(body(&here, 1).await, "one");
    assert_eq!(kit.counts().statements, 0, "the row is there all the same");

    // Not known to be fenced, so not written.
    kit.cache().inject(Fault::lose_answer(Command::Fence).times(1));
    assert!(matches!(write(&here, 1, "new").await, Err(Error::NotFenced { .. })));
    assert_eq!(body(&here, 1).await, "one");
    write(&here, 1, "new").await.unwrap();
    assert_eq!(body(&here, 1).await, "new");
}

#[tokio::test]
async fn a_delay_is_kept() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let delay = Duration::from_millis(80);
    kit.cache().inject(Fault::delay(Command::Get, delay).times(1));
    let began = Instant::now();
    assert_eq!(body(&here, 1).await, "one");
    assert!(began.elapsed() >= delay);
    assert_eq!(here.statistics().fills, 1, "it was late, and that is all");
}

#[tokio::test]
async fn faults_meet_the_keys_of_a_batch_one_by_one() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let first = Page { id: 1, body: String::new() }.get_cache_key(&here.orm);
    Page::fetch_many(&here.orm, [1, 2]).await.unwrap();
    kit.cache().inject(Fault::fail(Command::Get).on(first));
    kit.reset_counts();
    let pages = Page::fetch_many(&here.orm, [1, 2]).await.unwrap();
    assert!(pages.iter().all(Option::is_some));
    let statistics = here.statistics();
    assert_eq!((statistics.hits, statistics.cache_errors), (1, 1));
    assert_eq!((kit.counts().gets, kit.counts().statements), (2, 1));
}

#[tokio::test]
async fn the_status_tells_a_cache_that_is_down() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let servers = here.orm.status().await.servers;
    assert!(!servers.is_empty() && servers.iter().all(|server| server.is_up()), "{servers:?}");
    kit.cache().go_down();
    let servers = here.orm.status().await.servers;
    assert!(!servers.is_empty() && servers.iter().all(|server| !server.is_up()), "{servers:?}");
    kit.cache().come_back();
    assert!(here.orm.status().await.servers.iter().all(|server| server.is_up()));
}
