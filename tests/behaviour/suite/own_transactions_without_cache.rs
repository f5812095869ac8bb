//! The caller's own transactions while memcached is away.

use super::Here;
use crate::{
    memcached::OwnServer,
    polling::until,
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _, Outbox};
use std::time::Duration;

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

async fn before(server: &OwnServer) -> Here {
    Here::built(&[PAGES], |builder| {
        builder.memcached([server.address()]).timeout(Duration::from_millis(300)).drainer(false)
    })
    .await
}

#[tokio::test]
async fn a_key_is_not_fenced_and_the_caller_rolls_back() {
    let server = OwnServer::absent();
    let here = before(&server).await;
    here.run("INSERT INTO pages VALUES (1, 'old')").await;
    let mut transaction = here.direct().begin().await.unwrap();
    let pending = page(1, "new").update_on(&here.orm, &mut transaction).await.unwrap();
    let error = pending.fence(&mut transaction).await.unwrap_err();
    assert!(matches!(error, Error::NotFenced { .. }), "{error}");
    transaction.rollback().await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(1, "old"));
}

#[tokio::test]
async fn the_outbox_takes_the_key_as_part_of_the_transaction() {
    let mut server = OwnServer::absent();
    let here = before(&server).await;
    here.orm.install_outbox().await.unwrap();
    here.run("INSERT INTO pages VALUES (1, 'old')").await;
    for commits in [false, true] {
        let mut transaction = here.direct().begin().await.unwrap();
        let one = page(1, "new").update_on(&here.orm, &mut transaction).await.unwrap();
        let (_, other) = page(2, "new").insert_on(&here.orm, &mut transaction).await.unwrap();
        let fenced = one.and(other).fence(&mut transaction).await.unwrap();
        if commits {
            transaction.commit().await.unwrap();
            assert_eq!(fenced.release().await.release_unconfirmed, 0);
        } else {
            transaction.rollback().await.unwrap();
            drop(fenced);
            assert_eq!(here.outbox().await, [""; 0]);
            assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(1, "old"));
        }
    }
    let keys = [1, 2].map(|id| page(id, "").get_cache_key(&here.orm).to_string());
    assert_eq!(here.outbox().await, keys);
    for id in 1..=2 {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), page(id, "new"));
    }
    server.start().await;
    until("it is drained", async || here.orm.drain_outbox().await.unwrap().remaining == 0).await;
    for id in 1..=2 {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), page(id, "new"));
    }
}

#[tokio::test]
async fn the_outbox_takes_every_key_where_it_is_to() {
    let server = OwnServer::started().await;
    let here = before(&server).await;
    let orm = here
        .handle(|builder| {
            builder.memcached([server.address()]).outbox(Outbox::Always).drainer(false)
        })
        .await;
    orm.install_outbox().await.unwrap();
    let mut transaction = here.direct().begin().await.unwrap();
    let (row, pending) = page(1, "new").insert_on(&orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    fenced.release().await;
    assert_eq!(here.outbox().await, [row.get_cache_key(&orm).as_str()]);
    assert_eq!(orm.drain_outbox().await.unwrap().drained, 1);
    assert_eq!(Page::fetch_one(&orm, 1).await.unwrap(), row);
}
