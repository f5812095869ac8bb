//! One table under its own name, and under that with its schema's or database's.

use super::{Database, Here};
use crate::databases::{Kind, TestDatabase as _};
use cached_orm::{Error, MemcachedOrm, Orm};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "names_of_tests")]
struct Plain {
    #[primary_key]
    id: i64,
    body: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "cached_orm_names.names_of_tests")]
struct Qualified {
    #[primary_key]
    id: i64,
    body: String,
}

/// It shares the entries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "cached_orm_names.names_of_tests", cache_name = "names_of_tests")]
struct Shared {
    #[primary_key]
    id: i64,
    body: String,
}

/// A handle whose connections find the table by both names.
async fn handle() -> (Here, Orm<Database>) {
    let here = Here::with(&[]).await;
    here.run(match Here::DATABASE {
        Kind::Postgres => {
            "DROP SCHEMA IF EXISTS cached_orm_names CASCADE; CREATE SCHEMA cached_orm_names"
        }
        _ => "DROP DATABASE IF EXISTS cached_orm_names; CREATE DATABASE cached_orm_names",
    })
    .await;
    let table =
        "CREATE TABLE cached_orm_names.names_of_tests (id BIGINT PRIMARY KEY, body VARCHAR(9))";
    here.run(table).await;
    let pool = here.other_pool().await;
    let pool = sqlx::pool::PoolOptions::<Database>::new()
        .max_connections(5)
        .after_connect(|connection, _| {
            Box::pin(async move {
                let path = match Here::DATABASE {
                    Kind::Postgres => "SET search_path = cached_orm_names",
                    _ => "USE cached_orm_names",
                };
                sqlx::raw_sql(path).execute(connection).await.map(drop)
            })
        })
        .connect_with((*pool.connect_options()).clone())
        .await
        .unwrap();
    Database::run(&pool, "INSERT INTO names_of_tests VALUES (1, 'old')").await.unwrap();
    (here, Orm::builder(pool).embedded(1 << 20).build().await.unwrap())
}

/// In one test, since it is one table.
#[tokio::test]
async fn a_table_with_its_schema_is_the_same_table() {
    let (_here, orm) = handle().await;
    other_cache_names_are_refused(&orm).await;
    let (_here, orm) = handle().await;
    one_cache_name_is_all_it_takes(&orm).await;
}

async fn other_cache_names_are_refused(orm: &Orm<Database>) {
    assert_eq!(Plain::fetch_one(orm, 1).await.unwrap().body, "old");
    for _ in 0..2 {
        let mut row = Qualified { id: 1, body: "new".into() };
        let error = row.update(orm).await.unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{error}");
        let text = error.to_string();
        assert!(
            text.starts_with(
                "update of Qualified: cache name cached_orm_names.names_of_tests: \
                              Plain is on the same table, which it calls `names_of_tests`, and \
                              its rows lie in the cache under another name"
            ),
            "{text}"
        );
    }
    assert_eq!(Plain::fetch_uncached(orm, 1).await.unwrap().unwrap().body, "old");
    Plain { id: 1, body: "newer".into() }.update(orm).await.unwrap_err();
}

async fn one_cache_name_is_all_it_takes(orm: &Orm<Database>) {
    for body in ["a", "b", "c"] {
        assert!(Plain::fetch(orm, 1).await.unwrap().is_some());
        Shared { id: 1, body: body.into() }.update(orm).await.unwrap();
        assert_eq!(Plain::fetch_one(orm, 1).await.unwrap().body, body);
        Plain { id: 1, body: "plain".into() }.update(orm).await.unwrap();
        assert_eq!(Shared::fetch_one(orm, 1).await.unwrap().body, "plain");
    }
}
