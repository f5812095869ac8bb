//! What happens to keys while their COMMIT is under way.

use super::{Database, Here};
use crate::{
    databases::ServerDatabase as _,
    memcached::OwnServer,
    polling::until,
    proxy::{Fate, Proxy},
    tables::people::{PAGES, Page},
};
use cached_orm::{MemcachedOrm as _, Orm};
use std::time::Duration;
use tokio::task::JoinHandle;

fn page(body: &str) -> Page {
    Page { id: 1, body: body.into() }
}

/// A write whose COMMIT is held.
async fn held_update(proxy: &Proxy, orm: &Orm<Database>, body: &str) -> JoinHandle<()> {
    proxy.next_commit(Fate::Hold);
    let (orm, mut row) = (orm.clone(), page(body));
    let writing = tokio::spawn(async move { row.update(&orm).await.unwrap() });
    proxy.held().await;
    writing
}

#[tokio::test]
async fn a_writer_does_not_replace_a_fence_that_a_drainer_has_marked() {
    let proxy = Database::proxy().await;
    let here = Here::behind(&proxy, &[PAGES], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    page("0").insert(&here.orm).await.unwrap();
    page("1").update(&here.orm).await.unwrap();
    let write_throughs = here.statistics().write_throughs;
    assert_eq!(write_throughs, 2, "rows take their fences' places otherwise");

    // By another way, so that only the writer's COMMIT is held.
    let other = here.handle(|builder| builder.drainer(false)).await;
    let writing = held_update(&proxy, &here.orm, "2").await;
    here.enlist(here.namespace(), page("").get_cache_key(&here.orm).as_str()).await;
    assert_eq!(other.drain_outbox().await.unwrap().drained, 1);
    assert_eq!(Page::fetch_one(&other, 1).await.unwrap(), page("1"));
    assert_eq!(Page::get_cached_instance(&here.orm, 1).await.unwrap(), None);
    proxy.let_go();
    writing.await.unwrap();
    assert_eq!(here.statistics().write_throughs, write_throughs);
    assert_eq!(Page::get_cached_instance(&here.orm, 1).await.unwrap(), None);
    for orm in [&here.orm, &other] {
        assert_eq!(Page::fetch_one(orm, 1).await.unwrap(), page("2"));
    }
    assert_eq!(Page::get_cached_instance(&other, 1).await.unwrap(), Some(page("2")));
}

#[tokio::test]
async fn a_release_that_a_dead_server_cannot_confirm_is_left_to_the_outbox() {
    let proxy = Database::proxy().await;
    let mut server = OwnServer::started().await;
    let here = Here::behind(&proxy, &[PAGES], |builder| {
        builder.memcached([server.address()]).timeout(Duration::from_millis(300))
    })
    .await;
    page("0").insert(&here.orm).await.unwrap();

    let writing = held_update(&proxy, &here.orm, "1").await;
    server.kill();
    proxy.let_go();
    writing.await.unwrap();
    assert_eq!(here.statistics().releases_unconfirmed, 1, "there is no outbox yet");
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page("1"));

    here.orm.install_outbox().await.unwrap();
    server.start().await;
    until("it is reached", async || Page::get_cached_instance(&here.orm, 1).await.is_ok()).await;
    let writing = held_update(&proxy, &here.orm, "2").await;
    assert_eq!(here.outbox().await, [""; 0]);
    server.kill();
    proxy.let_go();
    writing.await.unwrap();
    let statistics = here.statistics();
    assert_eq!((statistics.releases_unconfirmed, statistics.enlisted), (1, 1));
    assert_eq!(here.outbox().await, [page("").get_cache_key(&here.orm).as_str()]);
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page("2"));
    server.start().await;
    until("it is drained", async || here.outbox().await.is_empty()).await;
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page("2"));
}

/// The new server knows nothing of the fence, and the row may be filled before
/// COMMIT: only the hold-off keeps the old row out.
#[tokio::test]
async fn a_restart_during_commit_leaves_nothing_old() {
    let proxy = Database::proxy().await;
    let mut server = OwnServer::started().await;
    let here = Here::behind(&proxy, &[PAGES], |builder| {
        builder.memcached([server.address()]).timeout(Duration::from_millis(300))
    })
    .await;
    here.orm.install_outbox().await.unwrap();
    page("0").insert(&here.orm).await.unwrap();
    for round in 1..=3 {
        let (old, new) = ((round - 1).to_string(), round.to_string());
        let writing = held_update(&proxy, &here.orm, &new).await;
        server.kill();
        server.start().await;
        until("it is reached", async || Page::get_cached_instance(&here.orm, 1).await.is_ok())
            .await;
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(&old));
        proxy.let_go();
        writing.await.unwrap();
        for _ in 0..5 {
            assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(&new));
        }
    }
}
