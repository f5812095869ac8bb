//! Tests that run at once on one database, and connections that are lost.

use super::{Database, Here};
use crate::{
    databases::{Kind, TestDatabase as _},
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _};
use sqlx::Executor as _;

#[tokio::test]
async fn tests_do_not_see_each_other() {
    let here = Here::with(&[PAGES]).await;
    let mut tests = Vec::new();
    for id in 1..=8 {
        let orm = here.handle(|builder| builder.rollback_on_drop()).await;
        tests.push(tokio::spawn(async move {
            Page { id, body: "mine".to_owned() }.insert(&orm).await.unwrap();
            let pages = Page::fetch_many(&orm, 1..=8).await.unwrap();
            let found: Vec<_> = pages.into_iter().flatten().map(|page| page.id).collect();
            assert_eq!(found, [id]);
            orm.close().await;
        }));
    }
    for test in tests {
        test.await.unwrap();
    }
    assert_eq!(Page::fetch_many(&here.orm, 1..=8).await.unwrap(), vec![None; 8]);
}

#[tokio::test]
async fn after_its_connection_is_lost_nothing_is_written() {
    let here = Here::with(&[PAGES]).await;
    let orm = here.handle(|builder| builder.rollback_on_drop()).await;
    Page { id: 1, body: "one".to_owned() }.insert(&orm).await.unwrap();
    let end = match Database::KIND {
        Kind::Postgres => "SELECT pg_terminate_backend(pg_backend_pid())",
        _ => "KILL CONNECTION_ID()",
    };
    orm.pool().execute(end).await.unwrap_err();
    let error = Page { id: 2, body: "two".to_owned() }.insert(&orm).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert!(error.to_string().contains("rollback_on_drop"), "{error}");
    let error = Page::fetch_uncached(&orm, 1).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    // Not with sqlx alone either.
    orm.pool().execute("INSERT INTO pages VALUES (3, 'three')").await.unwrap();
    orm.close().await;
    assert_eq!(Page::fetch_many(&here.orm, 1..=3).await.unwrap(), vec![None; 3]);
}
