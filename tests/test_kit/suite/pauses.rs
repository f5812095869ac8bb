//! Orders of events, without a sleep.

use super::Here;
use crate::tables::people::{PAGES, Page};
use cached_orm::{
    Error, MemcachedOrm as _,
    test_kit::{Step, TestKit},
};
use tokio::task::JoinHandle;

async fn place(kit: &TestKit) -> Here {
    let here = Here::built(&[PAGES], |builder| builder.test_kit(kit)).await;
    here.run("INSERT INTO pages VALUES (1, 'one'), (2, 'two')").await;
    here
}

fn reading(here: &Here, id: i64) -> JoinHandle<String> {
    let orm = here.orm.clone();
    tokio::spawn(async move { Page::fetch_one(&orm, id).await.unwrap().body })
}

fn writing(here: &Here, body: &'static str) -> JoinHandle<Result<(), Error>> {
    let orm = here.orm.clone();
    tokio::spawn(async move { Page { id: 1, body: body.to_owned() }.update(&orm).await })
}

async fn body(here: &Here) -> String {
    Page::fetch_one(&here.orm, 1).await.unwrap().body
}

#[tokio::test]
async fn an_old_row_in_a_readers_hand_does_not_get_in_after_the_write() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let pause = kit.pause_at(Step::Loaded);
    let reading = reading(&here, 1);
    pause.reached().await;
    writing(&here, "new").await.unwrap().unwrap();
    pause.resume();
    assert_eq!(reading.await.unwrap(), "one", "it began before the write");
    assert_eq!(here.statistics().fills_refused, 1);
    assert_eq!(body(&here).await, "new");
}

#[tokio::test]
async fn two_readers_at_once_load_once() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let pause = kit.pause_at(Step::Loading);
    let first = reading(&here, 1);
    pause.reached().await;
    let second = reading(&here, 1);
    kit.wait_until(|counts| counts.gets == 2).await;
    pause.resume();
    assert_eq!((first.await.unwrap(), second.await.unwrap()), ("one".into(), "one".into()));
    assert_eq!(kit.counts().statements, 1);
}

#[tokio::test]
async fn batches_take_the_steps_of_a_read() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    for step in [Step::Loading, Step::Loaded, Step::Filled] {
        kit.cache().flush().await.unwrap();
        let pause = kit.pause_at(step);
        let orm = here.orm.clone();
        let reading = tokio::spawn(async move { Page::fetch_many(&orm, [1, 2]).await });
        pause.reached().await;
        pause.resume();
        assert!(reading.await.unwrap().unwrap().iter().all(Option::is_some));
    }
}

#[tokio::test]
async fn a_write_is_seen_from_its_commit_on_and_not_before() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    assert_eq!(body(&here).await, "one");
    let (fenced, committed) = (kit.pause_at(Step::Fenced), kit.pause_at(Step::Committed));
    let writing = writing(&here, "new");
    fenced.reached().await;
    assert_eq!(body(&here).await, "one");
    fenced.resume();
    committed.reached().await;
    assert_eq!(body(&here).await, "new");
    committed.resume();
    writing.await.unwrap().unwrap();
    assert_eq!(body(&here).await, "new");
    assert_eq!(here.statistics().fenced, 2, "both reads in between met the fence");
}

#[tokio::test]
async fn every_step_of_a_write_can_be_held() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    for step in Step::OF_A_WRITE {
        let pause = kit.pause_at(step);
        let writing = writing(&here, "new");
        pause.reached().await;
        assert!(!writing.is_finished(), "{step:?}");
        pause.resume();
        writing.await.unwrap().unwrap();
        assert_eq!(body(&here).await, "new");
        here.run("UPDATE pages SET body = 'one'").await;
        Page::invalidate(&here.orm, [1]).await.unwrap();
    }
}

#[tokio::test]
async fn each_pause_holds_one_and_none_when_it_is_dropped() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    drop(kit.pause_at(Step::Loading));
    let (first, second) = (kit.pause_at(Step::Loading), kit.pause_at(Step::Loading));
    let one = reading(&here, 1);
    first.reached().await;
    let two = reading(&here, 2);
    second.reached().await;
    second.resume();
    assert_eq!(two.await.unwrap(), "two");
    assert!(!one.is_finished());
    first.resume();
    assert_eq!(one.await.unwrap(), "one");
    kit.cache().flush().await.unwrap();
    assert_eq!(body(&here).await, "one", "and the third is held by nobody");
}

#[tokio::test]
async fn a_pause_of_another_kit_holds_nobody() {
    let (kit, other) = (TestKit::new(), TestKit::new());
    let here = place(&kit).await;
    let pause = other.pause_at(Step::Loading);
    assert_eq!(body(&here).await, "one");
    let third = here.handle(|builder| builder.test_kit(&other)).await;
    let reading = tokio::spawn(async move { Page::fetch_one(&third, 2).await });
    pause.reached().await;
    pause.resume();
    assert_eq!(reading.await.unwrap().unwrap().body, "two");
}
