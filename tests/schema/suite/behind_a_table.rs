//! Tables that are more than one: partitions, those that inherit, views, attached
//! databases.

use super::{Database, Here};
use crate::databases::Kind;
use cached_orm::{Error, MemcachedOrm, Orm};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "crates")]
struct Crate {
    #[primary_key]
    id: i64,
    #[orm(readonly)]
    versions: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "versions", accepts(partitions))]
struct Version {
    #[primary_key]
    id: i64,
    crate_id: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "shown", accepts(views))]
struct Shown {
    #[primary_key]
    id: i64,
    versions: i64,
}

const CRATES: &str = "CREATE TABLE crates (id BIGINT PRIMARY KEY, versions BIGINT NOT NULL DEFAULT 0);
     INSERT INTO crates VALUES (1, 0)";

fn assert_refused(error: &Error, part: &str) {
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    assert!(error.to_string().contains(part), "{error} does not say {part}");
}

#[tokio::test]
async fn what_is_on_a_single_partition_or_child_counts() {
    if Here::DATABASE != Kind::Postgres {
        // Elsewhere they are no tables by themselves.
        return;
    }
    let partition = "CREATE TABLE versions (id BIGINT PRIMARY KEY, crate_id BIGINT NOT NULL)
         PARTITION BY RANGE (id);
         CREATE TABLE versions_1 PARTITION OF versions FOR VALUES FROM (0) TO (100)";
    let child = "CREATE TABLE versions (id BIGINT PRIMARY KEY, crate_id BIGINT NOT NULL);
         CREATE TABLE versions_1 (PRIMARY KEY (id)) INHERITS (versions)";
    let counter = "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE crates SET versions = versions + 1; RETURN NULL; END $$;
         CREATE TRIGGER counted AFTER UPDATE ON versions_1
            FOR EACH ROW EXECUTE FUNCTION counted()";
    let reference = "ALTER TABLE crates ADD COLUMN version BIGINT DEFAULT 7
            REFERENCES versions_1 ON DELETE CASCADE";
    for (tables, what, part) in [
        (partition, counter, "trigger `counted`"),
        (child, counter, "trigger `counted`"),
        (partition, reference, "foreign key crates_version_fkey"),
        (child, reference, "foreign key crates_version_fkey"),
    ] {
        let here = Here::built(&[], |builder| builder.drainer(false)).await;
        here.run(CRATES).await;
        here.run(tables).await;
        here.run("INSERT INTO versions_1 VALUES (7, 1)").await;
        here.run(what).await;
        Crate::fetch_one(&here.orm, 1).await.unwrap();
        let mut version = Version::fetch_one(&here.orm, 7).await.unwrap();
        let refused = match part.starts_with("trigger") {
            true => version.update(&here.orm).await.map(drop),
            false => version.delete(&here.orm).await.map(drop),
        };
        assert_refused(&refused.unwrap_err(), part);
    }
}

/// A write to a view is one to another table.
#[tokio::test]
async fn a_write_through_a_view() {
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    here.run(CRATES).await;
    here.run("CREATE VIEW shown AS SELECT * FROM crates").await;
    if Here::DATABASE == Kind::Sqlite {
        here.run(
            "CREATE TRIGGER instead INSTEAD OF UPDATE ON shown BEGIN
                UPDATE crates SET versions = NEW.versions WHERE id = NEW.id; END",
        )
        .await;
    }
    Shown { id: 1, versions: 1 }.update(&here.orm).await.unwrap();
    assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 1);
    let error = Shown { id: 1, versions: 2 }.update(&here.orm).await.unwrap_err();
    assert_refused(&error, "more than a table of its own");
    assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 1);
}

/// A struct's table in a database that each connection attaches.
#[tokio::test]
async fn a_table_of_an_attached_database() {
    if Here::DATABASE != Kind::Sqlite {
        return;
    }
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    let folder = tempfile::tempdir().unwrap();
    let attach = format!("ATTACH '{}' AS shop", folder.path().join("shop.db").display());
    let options = here.orm.pool().connect_options().as_ref().clone();
    let pool = sqlx::pool::PoolOptions::<Database>::new().after_connect(move |connection, _| {
        let attach = sqlx::raw_sql(sqlx::AssertSqlSafe(attach.clone()));
        Box::pin(async move { attach.execute(connection).await.map(drop) })
    });
    let pool = pool.connect_with(options).await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE shop.crates (id BIGINT PRIMARY KEY, versions BIGINT NOT NULL DEFAULT 0);
         CREATE TABLE shop.versions (id BIGINT PRIMARY KEY, crate_id BIGINT NOT NULL);
         INSERT INTO shop.crates VALUES (1, 0);
         CREATE TRIGGER shop.counted AFTER INSERT ON versions BEGIN
            UPDATE crates SET versions = versions + 1; END",
    )
    .execute(&pool)
    .await
    .unwrap();
    let orm = Orm::builder(pool).embedded(1 << 20).drainer(false).build().await.unwrap();
    Crate::fetch_one(&orm, 1).await.unwrap();
    let error = Version { id: 1, crate_id: 1 }.insert(&orm).await.unwrap_err();
    assert_refused(&error, "trigger `counted`");
}
