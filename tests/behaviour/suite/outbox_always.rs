//! `Outbox::Always`: every write leaves its keys in the outbox.

use super::Here;
use crate::{
    polling::until,
    tables::people::{PAGES, Page},
};
use cached_orm::{CacheError, Error, MemcachedOrm as _, OnUnreachable, Orm, Outbox};

async fn here() -> Here {
    Here::built(&[PAGES], |builder| builder.outbox(Outbox::Always).drainer(false)).await
}

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

#[tokio::test]
async fn every_write_leaves_a_row_that_is_drained() {
    let here = here().await;
    here.orm.install_outbox().await.unwrap();
    let key = |id| page(id, "").get_cache_key(&here.orm).to_string();
    page(1, "a").insert(&here.orm).await.unwrap();
    assert_eq!(here.outbox().await, [key(1)]);
    page(1, "b").update(&here.orm).await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    page(2, "a").insert(&mut transaction).await.unwrap();
    page(2, "b").update(&mut transaction).await.unwrap();
    page(3, "a").insert(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    // Each key of a transaction once.
    assert_eq!(here.outbox().await, [key(1), key(1), key(2), key(3)]);
    assert_eq!(here.statistics().enlisted, 4);

    let done = here.orm.drain_outbox().await.unwrap();
    assert_eq!((done.drained, done.remaining), (4, 0));
    for (id, body) in [(1, "b"), (2, "b"), (3, "a")] {
        assert_eq!(Page::get_cached_instance(&here.orm, id).await.unwrap(), None);
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), page(id, body));
    }
    assert!(page(3, "a").delete(&here.orm).await.unwrap());
    assert_eq!(here.outbox().await, [key(3)]);
    assert_eq!(Page::fetch(&here.orm, 3).await.unwrap(), None);
}

#[tokio::test]
async fn what_writes_nothing_leaves_no_row() {
    let here = here().await;
    here.orm.install_outbox().await.unwrap();
    page(1, "a").insert(&here.orm).await.unwrap();
    here.orm.drain_outbox().await.unwrap();

    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "b").update(&mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    assert!(!page(9, "").delete(&here.orm).await.unwrap());
    page(9, "").update(&here.orm).await.unwrap_err();
    page(1, "again").insert(&here.orm).await.unwrap_err();
    let mut transaction = here.orm.begin().await.unwrap();
    Page::fetch(&mut transaction, 1).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(here.outbox().await, [""; 0]);
    assert_eq!(here.statistics().enlisted, 1);
}

#[tokio::test]
async fn without_the_table_every_write_fails_and_changes_nothing() {
    let here = here().await;
    let error = page(1, "a").insert(&here.orm).await.unwrap_err();
    let Error::NotFenced { source: CacheError::NotEnlisted, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap(), None);
    here.orm.install_outbox().await.unwrap();
    page(1, "a").insert(&here.orm).await.unwrap();
}

#[tokio::test]
async fn it_does_not_go_with_abort() {
    let here = here().await;
    let builder = Orm::builder(here.direct().clone()).uncached();
    let builder = builder.outbox(Outbox::Always).on_unreachable(OnUnreachable::Abort);
    let error = builder.build().await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
}

#[tokio::test]
async fn beside_a_drainer_no_read_is_stale() {
    let here = Here::built(&[PAGES], |builder| builder.outbox(Outbox::Always)).await;
    here.orm.install_outbox().await.unwrap();
    page(1, "0").insert(&here.orm).await.unwrap();
    for round in 1..60 {
        let body = round.to_string();
        page(1, &body).update(&here.orm).await.unwrap();
        for _ in 0..3 {
            assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, body);
        }
    }
    until("the outbox is drained", async || here.outbox().await.is_empty()).await;
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "59");
    until("it is counted", async || here.statistics().drained == 60).await;
}
