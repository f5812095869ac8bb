//! What happens to keys while their COMMIT is under way.

use super::{Database, Here};
use crate::{
    databases::{Kind, ServerDatabase as _},
    memcached::OwnServer,
    polling::until,
    proxy::{Fate, Proxy},
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _, Orm};
use std::time::Duration;
use tokio::{task::JoinHandle, time::sleep};

fn page(body: &str) -> Page {
    Page { id: 1, body: body.into() }
}

/// A write whose COMMIT is held. There must be no drainer behind the proxy, whose
/// own COMMIT might be held instead.
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
        let builder = builder.memcached([server.address()]).drainer(false);
        builder.timeout(Duration::from_millis(300))
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
    until("it is drained", async || here.orm.drain_outbox().await.unwrap().remaining == 0).await;
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page("2"));
}

/// The new server knows nothing of the fence, and the row may be filled before
/// COMMIT: only the hold-off keeps the old row out.
#[tokio::test]
async fn a_restart_during_commit_leaves_nothing_old() {
    let proxy = Database::proxy().await;
    let mut server = OwnServer::started().await;
    let here = Here::behind(&proxy, &[PAGES], |builder| {
        let builder = builder.memcached([server.address()]).drainer(false);
        builder.timeout(Duration::from_millis(300))
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

/// The second has waited for the row's lock, and fences while the first looks
/// for its outcome.
#[tokio::test]
async fn the_fence_of_a_writer_that_waited_for_the_lock_stays() {
    let (proxy, second_proxy) = (Database::proxy().await, Database::proxy().await);
    let here = Here::behind(&proxy, &[PAGES], |builder| builder).await;
    for id in 1..=2 {
        Page { id, body: "0".into() }.insert(&here.orm).await.unwrap();
    }
    let other = here.handle_behind(&second_proxy).await;
    // Its statements are prepared, and its connections there.
    Page { id: 2, body: "warm".into() }.update(&other).await.unwrap();
    let mut first = here.orm.begin().await.unwrap();
    page("first").update(&mut first).await.unwrap();
    second_proxy.next_commit(Fate::Hold);
    let second = tokio::spawn({
        let other = other.clone();
        async move { page("second").update(&other).await }
    });
    until("the second waits for the lock", async || waits_for_lock(&here).await).await;
    proxy.next_commit(Fate::CutAfter);
    let error = first.commit().await.unwrap_err();
    assert!(matches!(error, Error::CommitUnknown { .. }), "{error}");
    second_proxy.held().await;
    // Long enough for the first to have looked, and to have lifted its fences.
    for _ in 0..30 {
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page("first"));
        let cached = Page::get_cached_instance(&other, 1).await.unwrap();
        assert_eq!(cached, None, "the second's fence is gone");
        sleep(Duration::from_millis(10)).await;
    }
    second_proxy.let_go();
    second.await.unwrap().unwrap();
    for orm in [&here.orm, &other] {
        assert_eq!(Page::fetch_one(orm, 1).await.unwrap(), page("second"));
    }
}

async fn waits_for_lock(here: &Here) -> bool {
    let sql = match Here::DATABASE {
        Kind::Postgres => {
            "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND pid IN (
                SELECT pid FROM pg_locks WHERE relation = 'pages'::regclass)"
        }
        Kind::MariaDb | Kind::Sqlite => {
            "SELECT COUNT(*) FROM information_schema.innodb_trx t
             JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
             WHERE p.db = DATABASE() AND t.trx_state = 'LOCK WAIT'"
        }
    };
    // MariaDB's answer is old if it is asked more often.
    sleep(Duration::from_millis(150)).await;
    let waiting: i64 = sqlx::query_scalar(sql).fetch_one(here.direct()).await.unwrap();
    waiting > 0
}
