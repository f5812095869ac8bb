//! Writes while memcached is away, kept in the outbox until it is back.

use super::{Database, Here};
use crate::{
    memcached::{OwnServer, Wire},
    polling::until,
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _, OnUnreachable, Orm, OrmBuilder};
use std::time::Duration;
use tokio::{join, time::Instant};

const TIMEOUT: Duration = Duration::from_secs(1);
/// Shorter than usual, so that a server that has just started is soon filled.
const HOLD_OFF: Duration = Duration::from_millis(500);
const COMMIT_WINDOW: Duration = Duration::from_millis(400);
/// A second, and what a busy machine may take on top.
const SOON: Duration = Duration::from_secs(3);

fn options(server: &OwnServer) -> impl Fn(OrmBuilder<Database>) -> OrmBuilder<Database> {
    let address = server.address();
    move |builder| {
        builder
            .memcached([address.as_str()])
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .hold_off(HOLD_OFF)
            .commit_window(COMMIT_WINDOW)
    }
}

async fn before(server: &OwnServer) -> Here {
    Here::built(&[PAGES], options(server)).await
}

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

async fn body(orm: &Orm<Database>, id: i64) -> Option<String> {
    Page::fetch(orm, id).await.unwrap().map(|page| page.body)
}

async fn is_cached(orm: &Orm<Database>, id: i64) -> bool {
    matches!(Page::get_cached_instance(orm, id).await, Ok(Some(_)))
}

/// Reads until it is in the cache.
async fn until_cached(orm: &Orm<Database>, id: i64, expected: &str) {
    until("the row is cached", async || {
        assert_eq!(body(orm, id).await.as_deref(), Some(expected));
        is_cached(orm, id).await
    })
    .await;
}

async fn until_drained(here: &Here) -> Duration {
    let began = Instant::now();
    until("the outbox is drained", async || here.outbox().await.is_empty()).await;
    began.elapsed()
}

#[tokio::test]
async fn it_is_installed_twice_and_by_several_at_once() {
    let server = OwnServer::absent();
    let here = before(&server).await;
    let (one, other) = join!(here.handle(options(&server)), here.handle(options(&server)));
    let (first, second, third) =
        join!(here.orm.install_outbox(), one.install_outbox(), other.install_outbox());
    for installed in [first, second, third] {
        installed.unwrap();
    }
    here.orm.install_outbox().await.unwrap();
    page(1, "a").insert(&here.orm).await.unwrap();
    assert_eq!(here.outbox().await.len(), 1);
}

#[tokio::test]
async fn the_migration_makes_what_installing_makes() {
    let server = OwnServer::absent();
    let here = before(&server).await;
    let error = page(1, "a").insert(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::NotFenced { .. }), "{error}");
    for _ in 0..2 {
        here.run(Orm::<Database>::outbox_sql()).await;
    }
    page(1, "a").insert(&here.orm).await.unwrap();
    let key = page(1, "a").get_cache_key(&here.orm);
    assert_eq!(here.outbox().await, [key.as_str()]);
    here.orm.install_outbox().await.unwrap();
    assert_eq!(here.outbox().await, [key.as_str()]);
}

#[tokio::test]
async fn a_write_fails_before_it_is_installed_and_goes_through_afterwards() {
    let server = OwnServer::absent();
    let here = before(&server).await;
    let other = here.handle(options(&server)).await;
    let strict =
        here.handle(|builder| options(&server)(builder).on_unreachable(OnUnreachable::Abort)).await;
    let eager =
        here.handle(|builder| options(&server)(builder).on_unreachable(OnUnreachable::Outbox)).await;
    for orm in [&here.orm, &other, &strict, &eager] {
        let error = page(1, "a").insert(orm).await.unwrap_err();
        assert!(matches!(error, Error::NotFenced { .. }), "{error}");
    }
    assert_eq!(body(&here.orm, 1).await, None);

    here.orm.install_outbox().await.unwrap();
    page(1, "a").insert(&here.orm).await.unwrap();
    page(2, "a").insert(&other).await.unwrap();
    page(3, "a").insert(&eager).await.unwrap();
    let error = page(4, "a").insert(&strict).await.unwrap_err();
    assert!(matches!(error, Error::NotFenced { .. }), "{error}");
    assert_eq!(body(&strict, 4).await, None);
    assert_eq!(here.outbox().await.len(), 3);
    for (orm, enlisted) in [(&here.orm, 1), (&other, 1), (&eager, 1), (&strict, 0)] {
        assert_eq!(orm.statistics().enlisted, enlisted);
    }
}

#[tokio::test]
async fn killed_it_is_told_of_every_write_when_a_new_one_is_there() {
    let mut server = OwnServer::started().await;
    let here = before(&server).await;
    here.orm.install_outbox().await.unwrap();
    for id in 1..=2 {
        page(id, "old").insert(&here.orm).await.unwrap();
        until_cached(&here.orm, id, "old").await;
    }
    assert_eq!(here.outbox().await, [""; 0]);

    server.kill();
    page(1, "new").update(&here.orm).await.unwrap();
    assert!(page(2, "old").delete(&here.orm).await.unwrap());
    page(3, "new").insert(&here.orm).await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "newer").update(&mut transaction).await.unwrap();
    page(4, "new").insert(&mut transaction).await.unwrap();
    let committed = transaction.commit().await.unwrap();
    assert_eq!(committed.release_unconfirmed, 0);
    let key = |id| page(id, "").get_cache_key(&here.orm).to_string();
    assert_eq!(here.outbox().await, [key(1), key(2), key(3), key(1), key(4)]);
    until("what is left is counted", async || here.statistics().outbox_left == 5).await;
    let statistics = here.statistics();
    assert_eq!((statistics.enlisted, statistics.drained), (5, 0));
    for (id, expected) in [(1, Some("newer")), (2, None), (3, Some("new")), (4, Some("new"))] {
        assert_eq!(body(&here.orm, id).await.as_deref(), expected);
    }

    server.start().await;
    let took = until_drained(&here).await;
    assert!(took < SOON, "draining took {took:?}");
    until("that is counted", async || here.statistics().outbox_left == 0).await;
    assert_eq!(here.statistics().drained, 5);
    assert_eq!(body(&here.orm, 2).await, None);
    for (id, expected) in [(1, "newer"), (3, "new"), (4, "new")] {
        until_cached(&here.orm, id, expected).await;
    }
}

#[tokio::test]
async fn hung_it_loses_its_old_rows_when_it_goes_on() {
    let server = OwnServer::started().await;
    let here = before(&server).await;
    here.orm.install_outbox().await.unwrap();
    for id in 1..=3 {
        page(id, "old").insert(&here.orm).await.unwrap();
        until_cached(&here.orm, id, "old").await;
    }
    server.hang();
    page(1, "new").update(&here.orm).await.unwrap();
    assert!(page(2, "old").delete(&here.orm).await.unwrap());
    assert_eq!(body(&here.orm, 1).await.as_deref(), Some("new"));
    assert_eq!(here.outbox().await.len(), 2);

    // The old rows lie there still, and nothing but the outbox knows of them.
    server.go_on();
    let took = until_drained(&here).await;
    assert!(took < SOON, "draining took {took:?}");
    let other = here.handle(options(&server)).await;
    until("it is reached", async || is_cached(&other, 3).await).await;
    for orm in [&here.orm, &other] {
        for _ in 0..3 {
            assert_eq!(body(orm, 1).await.as_deref(), Some("new"));
            assert_eq!(body(orm, 2).await, None);
            assert_eq!(body(orm, 3).await.as_deref(), Some("old"));
        }
    }
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_leaves_no_key() {
    let mut server = OwnServer::started().await;
    let here = before(&server).await;
    here.orm.install_outbox().await.unwrap();
    page(1, "old").insert(&here.orm).await.unwrap();
    server.kill();
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    drop(transaction);
    page(1, "again").insert(&here.orm).await.unwrap_err();
    assert_eq!(here.outbox().await, [""; 0]);

    // A key whose savepoint was undone is not enlisted, the others are.
    let mut transaction = here.orm.begin().await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    page(1, "new").update(&mut savepoint).await.unwrap();
    savepoint.rollback().await.unwrap();
    page(2, "new").insert(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let key = page(2, "").get_cache_key(&here.orm);
    assert_eq!(here.outbox().await, [key.as_str()]);
}

#[tokio::test]
async fn only_keys_of_the_dead_server_are_kept_and_they_hold_up_no_others() {
    let (mut dying, living) = (OwnServer::started().await, OwnServer::started().await);
    let here = Here::built(&[PAGES], |builder| {
        let builder = options(&living)(builder).drainer(false);
        builder.memcached([dying.address(), living.address()])
    })
    .await;
    here.orm.install_outbox().await.unwrap();
    let (mut of_the_living, mut of_the_dying) = (Vec::new(), Vec::new());
    for id in 0..30 {
        page(id, "old").insert(&here.orm).await.unwrap();
        until_cached(&here.orm, id, "old").await;
        let key = page(id, "").get_cache_key(&here.orm);
        let is_in_one = Wire::to(&dying.address()).get(key.as_str()).is_some();
        if is_in_one { of_the_dying.push(id) } else { of_the_living.push(id) }
    }
    assert!(of_the_dying.len() > 3 && of_the_living.len() > 3, "the keys are spread");
    let keys = |ids: &[i64]| -> Vec<_> {
        ids.iter().map(|&id| page(id, "").get_cache_key(&here.orm).to_string()).collect()
    };

    dying.kill();
    let mut transaction = here.orm.begin().await.unwrap();
    for id in 0..30 {
        page(id, "new").update(&mut transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
    let mut enlisted = here.outbox().await;
    enlisted.sort();
    let mut expected = keys(&of_the_dying);
    expected.sort();
    assert_eq!(enlisted, expected);
    for id in 0..30 {
        assert_eq!(body(&here.orm, id).await.as_deref(), Some("new"));
    }

    // Rows of the living server that come after those of the dead one.
    until_cached(&here.orm, of_the_living[0], "new").await;
    for key in keys(&of_the_living) {
        here.enlist(here.namespace(), &key).await;
    }
    let done = here.orm.drain_outbox().await.unwrap();
    assert_eq!(done.drained, of_the_living.len() as u64);
    assert_eq!(done.remaining, of_the_dying.len() as u64);
    assert_eq!(here.statistics().outbox_left, of_the_dying.len() as u64);
    assert!(!is_cached(&here.orm, of_the_living[0]).await);
    dying.start().await;
    until("they are drained too", async || {
        here.orm.drain_outbox().await.unwrap().remaining == 0
    })
    .await;
}

#[tokio::test]
async fn a_release_without_an_answer_is_left_to_the_outbox() {
    let mut server = OwnServer::started().await;
    let here = before(&server).await;
    let write = async |server: &mut OwnServer, text: &str| {
        let mut transaction = here.direct().begin().await.unwrap();
        let pending = page(1, text).update_on(&here.orm, &mut transaction).await.unwrap();
        let fenced = pending.fence(&mut transaction).await.unwrap();
        server.kill();
        transaction.commit().await.unwrap();
        fenced.release().await
    };
    page(1, "0").insert(&here.orm).await.unwrap();
    until_cached(&here.orm, 1, "0").await;
    let committed = write(&mut server, "1").await;
    assert_eq!(committed.release_unconfirmed, 1);
    assert_eq!(here.statistics().releases_unconfirmed, 1);

    server.start().await;
    here.orm.install_outbox().await.unwrap();
    until_cached(&here.orm, 1, "1").await;
    let committed = write(&mut server, "2").await;
    assert_eq!(committed.release_unconfirmed, 0);
    assert_eq!(here.statistics().releases_unconfirmed, 1);
    let key = page(1, "").get_cache_key(&here.orm);
    assert_eq!(here.outbox().await, [key.as_str()]);
    assert_eq!(body(&here.orm, 1).await.as_deref(), Some("2"));
    server.start().await;
    until_drained(&here).await;
    until_cached(&here.orm, 1, "2").await;
}
