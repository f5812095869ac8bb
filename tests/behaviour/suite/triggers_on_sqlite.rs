//! Triggers for the outbox on SQLite: rows that REPLACE removes.

use super::{
    Here,
    keys_in_sql::{self, keyed, values},
};
use cached_orm::{MemcachedOrm, Orm};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};

keyed!(u8s: (id: u8) of Sqlite as [["", "", "INT"]],
    values([0, u8::MAX], any::<u8>()).into_iter().map(|id| (id,)).collect());
keyed!(u16s: (id: u16) of Sqlite as [["", "", "INT"]],
    values([0, u16::MAX], any::<u16>()).into_iter().map(|id| (id,)).collect());
keyed!(u32s: (id: u32) of Sqlite as [["", "", "INTEGER"]],
    values([0, u32::MAX], any::<u32>()).into_iter().map(|id| (id,)).collect());

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members", database = Sqlite)]
struct Member {
    #[primary_key]
    id: String,
    email: String,
    team: i64,
    place: i64,
}

const COLUMNS: &str = "email TEXT UNIQUE COLLATE NOCASE, team INT, place INT, UNIQUE (team, place)";

async fn members(table: &str) -> Here {
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    here.run(table).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Member>().await.unwrap();
    here
}

/// Runs each statement with every member cached, and compares with the database.
async fn assert_agreed_after(here: &Here, statements: &[&str]) {
    const IDS: [&str; 7] = ["a", "b", "c", "d", "e", "A", "B"];
    for sql in statements {
        here.run(
            "DELETE FROM members;
             INSERT INTO members (id, email, team, place) VALUES
                ('a', 'a@x', 1, 1), ('b', 'b@x', 1, 2), ('c', 'c@x', 2, 1), ('d', 'd@x', 2, 2)",
        )
        .await;
        here.orm.drain_outbox().await.unwrap();
        for id in IDS {
            Member::fetch(&here.orm, id.into()).await.unwrap();
        }
        here.run(sql).await;
        here.orm.drain_outbox().await.unwrap();
        for id in IDS {
            let database = Member::fetch_uncached(&here.orm, id.into()).await.unwrap();
            let read = Member::fetch(&here.orm, id.into()).await.unwrap();
            assert_eq!(read, database, "{id} after {sql}");
        }
    }
}

const STATEMENTS: [&str; 10] = [
    "REPLACE INTO members (id, email, team, place) VALUES ('e', 'A@X', 9, 9)",
    "INSERT OR REPLACE INTO members (id, email, team, place) VALUES ('e', 'b@x', 2, 1)",
    "INSERT OR REPLACE INTO members (id, email, team, place) SELECT id, email, 1, 1 FROM members",
    "UPDATE OR REPLACE members SET email = 'b@x' WHERE id = 'a'",
    "UPDATE OR REPLACE members SET team = 2 WHERE id IN ('a', 'b')",
    "UPDATE OR REPLACE members SET id = 'b' WHERE id = 'a'",
    "UPDATE OR REPLACE members SET id = 'B', email = 'C@x' WHERE id = 'a'",
    "REPLACE INTO members (id, email, team, place) VALUES ('A', 'new', 9, 9)",
    "UPDATE OR IGNORE members SET email = 'b@x'; INSERT OR IGNORE INTO members (id, email) VALUES ('e', 'a@x')",
    "INSERT INTO members (id, email) VALUES ('e', 'a@x') ON CONFLICT (email) DO UPDATE SET team = 7",
];

#[tokio::test]
async fn rows_that_replace_removes_are_noted() {
    for table in [
        format!("CREATE TABLE members (id TEXT PRIMARY KEY, {COLUMNS})"),
        format!("CREATE TABLE members (id TEXT PRIMARY KEY, {COLUMNS}) WITHOUT ROWID"),
        format!("CREATE TABLE members (id TEXT COLLATE NOCASE PRIMARY KEY, {COLUMNS})"),
        format!(
            "CREATE TABLE members (id TEXT PRIMARY KEY COLLATE NOCASE, {COLUMNS}) WITHOUT ROWID"
        ),
        // The key is not the table's own.
        format!("CREATE TABLE members (number INTEGER PRIMARY KEY, id TEXT UNIQUE, {COLUMNS})"),
    ] {
        let here = members(&table).await;
        assert_agreed_after(&here, &STATEMENTS).await;
        // Where they fire for replaced rows, nothing is amiss either.
        let with = STATEMENTS.map(|sql| format!("PRAGMA recursive_triggers = ON; {sql}"));
        assert_agreed_after(&here, &with.each_ref().map(String::as_str)).await;
    }
}

#[tokio::test]
async fn a_row_replaced_by_its_number_is_noted() {
    let here = members(&format!(
        "CREATE TABLE members (number INTEGER PRIMARY KEY, id TEXT UNIQUE, {COLUMNS})"
    ))
    .await;
    assert_agreed_after(
        &here,
        &[
            "REPLACE INTO members (number, id, email, team, place)
             SELECT number, 'e', 'e@x', 9, 9 FROM members WHERE id = 'a'",
            "UPDATE OR REPLACE members SET number = (SELECT number FROM members WHERE id = 'b')
             WHERE id = 'a'",
        ],
    )
    .await;
}

/// REPLACE puts the default in NULL's place where there must be a value.
#[tokio::test]
async fn a_row_replaced_by_a_default_is_noted() {
    let here = members(
        "CREATE TABLE members (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE DEFAULT 'b@x',
            team INT NOT NULL DEFAULT 1, place INT NOT NULL DEFAULT (1 + 1), UNIQUE (team, place))",
    )
    .await;
    assert_agreed_after(
        &here,
        &[
            "INSERT OR REPLACE INTO members (id, email, team, place) VALUES ('e', NULL, 9, 9)",
            "INSERT OR REPLACE INTO members (id, email, team, place) VALUES ('e', 'e', NULL, NULL)",
            "UPDATE OR REPLACE members SET email = NULL WHERE id = 'a'",
        ],
    )
    .await;
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "children", database = Sqlite)]
struct Child {
    #[primary_key]
    id: i64,
    member: Option<String>,
}

#[tokio::test]
async fn rows_that_foreign_keys_change_are_noted() {
    let here = members(&format!("CREATE TABLE members (id TEXT PRIMARY KEY, {COLUMNS})")).await;
    here.run(
        "CREATE TABLE children (id INTEGER PRIMARY KEY, member TEXT
            REFERENCES members (id) ON DELETE CASCADE ON UPDATE SET NULL)",
    )
    .await;
    here.orm.install_triggers::<Child>().await.unwrap();
    for sql in [
        "DELETE FROM members WHERE id = 'a'",
        "UPDATE members SET id = 'z' WHERE id = 'a'",
        "REPLACE INTO members (id, email) VALUES ('b', 'a@x')",
    ] {
        here.run("DELETE FROM members; INSERT INTO members (id, email) VALUES ('a', 'a@x')").await;
        here.run("DELETE FROM children; INSERT INTO children VALUES (1, 'a')").await;
        here.orm.drain_outbox().await.unwrap();
        assert!(Child::fetch(&here.orm, 1).await.unwrap().is_some());
        here.run(sql).await;
        here.orm.drain_outbox().await.unwrap();
        let database = Child::fetch_uncached(&here.orm, 1).await.unwrap();
        assert_ne!(database, Some(Child { id: 1, member: Some("a".into()) }));
        assert_eq!(Child::fetch(&here.orm, 1).await.unwrap(), database, "{sql}");
    }
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_refused() {
    let table = format!("CREATE TABLE members (id TEXT PRIMARY KEY, {COLUMNS})");
    for (index, name) in [
        ("CREATE UNIQUE INDEX odd ON members (lower(email))", "odd"),
        ("CREATE UNIQUE INDEX some ON members (team) WHERE place = 1", "some"),
    ] {
        let here = members(&table).await;
        here.run(index).await;
        let refused = here.orm.install_triggers::<Member>().await.unwrap_err().to_string();
        assert!(
            refused.contains(&format!("`{name}` is partial or has an expression")),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("wide.sqlite"))
        .create_if_missing(true)
        .pragma("encoding", "'UTF-16le'");
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let table = format!("CREATE TABLE members (id TEXT PRIMARY KEY, {COLUMNS})");
    sqlx::raw_sql(sqlx::AssertSqlSafe(table)).execute(&pool).await.unwrap();
    let orm = Orm::builder(pool).embedded(64 << 20).build().await.unwrap();
    orm.install_outbox().await.unwrap();
    let refused = orm.install_triggers::<Member>().await.unwrap_err().to_string();
    assert!(refused.ends_with("the database's encoding is UTF-16le, and not UTF-8"), "{refused}");
}
