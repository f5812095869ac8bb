//! Servers that go away, and come back.

use super::Here;
use crate::{
    memcached::OwnServer,
    polling::until,
    rows::{PARTS, Part},
};
use cached_orm::{AuditOptions, CacheContent, InDatabase, MemcachedOrm as _};
use std::time::Duration;

#[tokio::test]
async fn a_server_is_told_as_down_and_then_as_not_filled_yet() {
    let mut server = OwnServer::started().await;
    let absent = OwnServer::absent();
    let here = Here::built(&[PARTS], |builder| {
        builder
            .memcached([server.address(), absent.address()])
            .timeout(Duration::from_millis(300))
            .hold_off(Duration::from_secs(40))
    })
    .await;
    here.run("INSERT INTO parts VALUES (1, 'a', 1)").await;
    until("it is up", async || here.orm.status().await.servers[0].is_up()).await;
    let status = here.orm.status().await;
    let first = &status.servers[0];
    assert_eq!(first.name, server.address());
    let left = first.hold_off.expect("it has just started");
    assert!((20..=40).contains(&left.as_secs()), "{left:?}");
    assert!(!status.servers[1].is_up() && status.servers[1].incarnation.is_none(), "{status}");
    assert!(status.to_string().contains("not filled for"), "{status}");

    let life = first.incarnation;
    server.kill();
    until("it is down", async || !here.orm.status().await.servers[0].is_up()).await;
    assert_eq!(here.orm.status().await.servers[0].incarnation, life);
    server.start().await;
    until("it is back", async || here.orm.status().await.servers[0].is_up()).await;
    assert_ne!(here.orm.status().await.servers[0].incarnation, life);

    server.hang();
    let status = here.orm.status().await;
    assert!(!status.servers[0].is_up(), "{status}");
    server.go_on();
}

#[tokio::test]
async fn a_key_whose_server_is_away_is_told_with_what_the_database_has() {
    let server = OwnServer::absent();
    let here = Here::built(&[PARTS], |builder| {
        builder.memcached([server.address()]).timeout(Duration::from_millis(300))
    })
    .await;
    here.run("INSERT INTO parts VALUES (1, 'a', 1)").await;
    let told = here.orm.explain::<Part>(1).await;
    assert_eq!(told.content, CacheContent::Unreachable, "{told}");
    assert_eq!(told.server, Some(server.address()));
    assert_eq!((told.database, told.agrees), (Some(InDatabase::Row), None));
    assert!(told.reason.is_some());
    let audit = here.orm.audit::<Part>([1], AuditOptions::default(), |_| {}).await.unwrap();
    assert_eq!((audit.asked, audit.unanswered, audit.compared()), (1, 1, 0), "{audit}");
    assert_eq!(Part::fetch(&here.orm, 1).await.unwrap().map(|part| part.id), Some(1));
    assert_eq!(Part::fetch_many(&here.orm, [1, 2]).await.unwrap().len(), 2);
    // What the cache did not answer is a miss, whyever it did not.
    assert_eq!(here.orm.statistics().misses, 3);
}
