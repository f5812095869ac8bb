//! `install_outbox` and `install_triggers` at every start of every process.

use super::{Database, Here};
use crate::{
    catalog::Catalog as _,
    databases::{Kind, TestDatabase as _},
    rows::{LOUD, Loud, LoudBefore, MOMENTS, Moment},
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _, Orm};
use futures_util::future::join_all;
use std::{future::Future, time::Duration};
use tokio::time::timeout;

/// Who waits for others waits for ever.
const LONG: Duration = Duration::from_secs(15);

async fn install(orm: &Orm<Database>) -> Result<(), Error> {
    orm.install_outbox().await?;
    orm.install_triggers::<Page>().await?;
    orm.install_triggers::<Loud>().await?;
    orm.install_triggers::<Moment>().await
}

async fn soon<R>(what: &str, done: impl Future<Output = R>) -> R {
    timeout(LONG, done).await.unwrap_or_else(|_| panic!("{what} waits for others"))
}

#[tokio::test]
async fn forty_processes_start_at_once() {
    let here = Here::built(&[PAGES, LOUD, MOMENTS], |builder| builder.drainer(false)).await;
    let handles: Vec<_> = (0..8).map(|_| here.handle(|builder| builder.drainer(false))).collect();
    let handles = join_all(handles).await;
    let starts = (0..40).map(|process| {
        let orm = handles[process % handles.len()].clone();
        tokio::spawn(async move { install(&orm).await })
    });
    for start in join_all(starts).await {
        start.unwrap().unwrap_or_else(|error| {
            panic!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string))
        });
    }
    here.run("INSERT INTO pages VALUES (1, 'a')").await;
    assert_eq!(here.outbox().await.len(), 1, "the triggers are there once");
}

#[tokio::test]
async fn a_later_start_waits_for_nobody_and_changes_nothing() {
    let here = Here::built(&[PAGES, LOUD, MOMENTS], |builder| builder.drainer(false)).await;
    install(&here.orm).await.unwrap();
    here.run("INSERT INTO pages VALUES (1, 'a'), (2, 'b')").await;
    let before = Database::versions(here.direct()).await;
    assert!(before.len() >= 6, "{before:?}");
    let other = here.handle(|builder| builder.drainer(false)).await;

    // A report or a batch job that has written, and stays open.
    let mut long = here.direct().begin().await.unwrap();
    sqlx::query("UPDATE pages SET body = 'c' WHERE id = 1").execute(&mut *long).await.unwrap();
    if Here::DATABASE != Kind::Sqlite {
        let sql = match Here::DATABASE {
            Kind::MariaDb => "SELECT COUNT(*) FROM `Loud names`",
            _ => "SELECT COUNT(*) FROM \"Loud names\"",
        };
        sqlx::query(sql).execute(&mut *long).await.unwrap();
    }
    soon("a later start", install(&other)).await.unwrap();
    if Here::DATABASE != Kind::Sqlite {
        let update = Page::patch(2).set(crate::tables::people::PageColumns::BODY, "d");
        soon("a writer beside it", update.execute(&other)).await.unwrap();
    }
    long.rollback().await.unwrap();
    assert_eq!(Database::versions(here.direct()).await, before);
}

/// What a migration has printed, perhaps by a client that takes comments and line breaks
/// away, is recognized.
#[tokio::test]
async fn what_a_migration_has_created_is_left_alone() {
    let here = Here::built(&[PAGES, LOUD, MOMENTS], |builder| builder.drainer(false)).await;
    here.run(Orm::<Database>::outbox_sql()).await;
    let one_line = |sql: String| match Here::DATABASE {
        Kind::MariaDb => sql.replace('\n', " "),
        _ => sql,
    };
    here.run(&one_line(here.orm.triggers_sql::<Page>().await.unwrap())).await;
    here.run(&one_line(here.orm.triggers_sql::<Loud>().await.unwrap())).await;
    here.run(&one_line(here.orm.triggers_sql::<Moment>().await.unwrap())).await;
    let before = Database::versions(here.direct()).await;
    install(&here.orm).await.unwrap();
    assert_eq!(Database::versions(here.direct()).await, before);
}

#[tokio::test]
async fn triggers_of_an_earlier_version_are_replaced() {
    let here = Here::built(&[LOUD], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    let values = match Here::DATABASE {
        Kind::MariaDb => "INSERT INTO `Loud names` VALUES",
        _ => "INSERT INTO \"Loud names\" VALUES",
    };
    here.orm.install_triggers::<LoudBefore>().await.unwrap();
    here.run(&format!("{values} (1, '2026-01-31', 'a', 'Lima', NULL)")).await;
    assert_eq!(here.outbox().await.len(), 1);
    here.orm.drain_outbox().await.unwrap();
    here.orm.install_triggers::<Loud>().await.unwrap();
    here.run(&format!("{values} (2, '2026-01-31', 'b', 'Lima', '2026-01-31 12:00:00')")).await;
    assert_eq!(here.outbox().await.len(), 3, "the values in its indexes are noted too");
}

const OLD_OUTBOX: [&str; 3] = [
    "CREATE TABLE cached_orm_outbox (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, namespace TEXT NOT NULL,
        cache_key TEXT NOT NULL, created_at TIMESTAMPTZ NOT NULL DEFAULT now())",
    "CREATE TABLE cached_orm_outbox (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, namespace VARCHAR(64) NOT NULL,
        cache_key MEDIUMTEXT NOT NULL,
        created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6))
    ) ENGINE = InnoDB CHARACTER SET ascii COLLATE ascii_bin",
    "CREATE TABLE cached_orm_outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, namespace TEXT NOT NULL, cache_key TEXT NOT NULL,
        created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')))",
];

async fn with_old_outbox() -> Here {
    let here = Here::built(&[PAGES], |builder| builder.drainer(false)).await;
    here.run(OLD_OUTBOX[Here::DATABASE as usize]).await;
    here
}

/// Whether the index that an earlier version did not have can be dropped.
async fn has_index(here: &Here) -> bool {
    let sql = match Here::DATABASE {
        Kind::MariaDb => "DROP INDEX cached_orm_outbox_namespace ON cached_orm_outbox",
        _ => "DROP INDEX cached_orm_outbox_namespace",
    };
    Database::run(here.direct(), sql).await.is_ok()
}

#[tokio::test]
async fn an_outbox_of_an_earlier_version_gets_its_index_and_works_without() {
    let here = with_old_outbox().await;
    for text in ["pages:(1)", "pages:(2)"] {
        here.enlist(here.namespace(), text).await;
    }
    assert_eq!(here.orm.drain_outbox().await.unwrap().drained, 2);
    here.orm.install_outbox().await.unwrap();
    assert!(has_index(&here).await);
    if Here::DATABASE != Kind::MariaDb {
        // There the table must be altered by hand.
        here.run(Orm::<Database>::outbox_sql()).await;
        assert!(has_index(&here).await);
    }
    here.orm.install_outbox().await.unwrap();
    here.enlist(here.namespace(), "pages:(3)").await;
    assert_eq!(here.orm.drain_outbox().await.unwrap().drained, 1);
    assert!(has_index(&here).await);
}

/// Whoever would add the index would wait for a writer, and all others for him.
#[tokio::test]
async fn an_index_that_cannot_be_added_now_is_left_for_the_next_start() {
    if Here::DATABASE == Kind::Sqlite {
        // It has one writer at a time.
        return;
    }
    let here = with_old_outbox().await;
    let mut long = here.direct().begin().await.unwrap();
    sqlx::query("INSERT INTO cached_orm_outbox (namespace, cache_key) VALUES ('other', 'x')")
        .execute(&mut *long)
        .await
        .unwrap();
    soon("install_outbox", here.orm.install_outbox()).await.unwrap();
    long.rollback().await.unwrap();
    assert!(!has_index(&here).await);
    here.orm.install_outbox().await.unwrap();
    assert!(has_index(&here).await);
}
