//! A database that takes nobody without TLS.

use crate::{
    databases::{Removed, TestDatabase as _, schema_on},
    polling::until,
    tables::people::{PEOPLE, Person},
};
use cached_orm::{MemcachedOrm as _, Orm, Postgres};
use sqlx::{Connection as _, PgConnection, postgres::PgSslMode};

/// Reads, writes, and what listens for the writes of others have connections of
/// their own.
#[tokio::test]
async fn whatever_connects_by_itself_does_as_the_pool() {
    let (options, scratch) = schema_on("TEST_POSTGRES_TLS_URL").await;
    let _scratch = Removed(Some(scratch));
    let refused = PgConnection::connect_with(&options.clone().ssl_mode(PgSslMode::Disable)).await;
    assert!(refused.is_err(), "it takes connections without TLS");
    let pool = Postgres::connect(options).await;
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
}
