//! A database that takes nobody without TLS.

use crate::{
    databases::{TestDatabase as _, unique_name, variable},
    polling::until,
    tables::people::{PEOPLE, Person},
};
use cached_orm::{MemcachedOrm as _, Orm, Postgres};
use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::str::FromStr as _;

async fn administer(server: &PgConnectOptions, sql: String) {
    let mut connection = PgConnection::connect_with(server).await.expect("it answers by TLS");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

/// Reads, writes, and what listens for the writes of others have connections of
/// their own.
#[tokio::test]
async fn whatever_connects_by_itself_does_as_the_pool() {
    let server = PgConnectOptions::from_str(&variable("TEST_POSTGRES_TLS_URL")).expect("a URL");
    let refused = PgConnection::connect_with(&server.clone().ssl_mode(PgSslMode::Disable)).await;
    assert!(refused.is_err(), "it takes connections without TLS");
    let schema = unique_name();
    administer(&server, format!("CREATE SCHEMA {schema}")).await;
    let pool = PgPool::connect_with(server.clone().options([("search_path", &schema)])).await;
    let pool = pool.expect("it answers by TLS");
    Postgres::run(&pool, PEOPLE.postgres).await.unwrap();

    let orm = Orm::builder(pool.clone()).embedded(1 << 20).build().await.unwrap();
    orm.install_outbox().await.unwrap();
    orm.install_triggers::<Person>().await.unwrap();
    let mut ann = Person::named("Ann").insert(&orm).await.unwrap();
    ann.name = "Anna".into();
    ann.update(&orm).await.unwrap();
    assert_eq!(Person::fetch_one(&orm, ann.id).await.unwrap().name, "Anna");

    Postgres::run(&pool, "UPDATE people SET name = 'Anne'").await.unwrap();
    until("the write of another is seen", async || {
        Person::fetch_one(&orm, ann.id).await.unwrap().name == "Anne"
    })
    .await;
    orm.close().await;
    administer(&server, format!("DROP SCHEMA {schema} CASCADE")).await;
}
