//! Writes of a row while others insert rows that refer to it. PostgreSQL locks the
//! row for them against changes of its key, and against nothing else.

use super::Here;
use cached_orm::{Error, MemcachedOrm, Orm, Postgres};
use serde::{Deserialize, Serialize};
use std::{future::Future, time::Duration};
use tokio::time::timeout;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "parents", database = Postgres)]
struct Plain {
    #[primary_key]
    id: i64,
    email: String,
    city: String,
    #[orm(version)]
    version: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "parents", database = Postgres)]
struct Listed {
    #[primary_key]
    id: i64,
    #[orm(unique)]
    email: String,
    #[orm(index)]
    city: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "parents", database = Postgres)]
struct Unique {
    #[primary_key]
    id: i64,
    #[orm(unique)]
    email: String,
    city: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "parents", database = Postgres)]
struct Bare {
    #[primary_key]
    id: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "children", database = Postgres)]
struct Child {
    #[primary_key]
    #[orm(generated)]
    id: i64,
    parent: i64,
}

fn plain(city: &str) -> Plain {
    Plain { id: 1, email: "ann@example.org".into(), city: city.into(), version: 0 }
}

fn listed(city: &str) -> Listed {
    Listed { id: 1, email: "ann@example.org".into(), city: city.into() }
}

fn unique(city: &str) -> Unique {
    Unique { id: 1, email: "ann@example.org".into(), city: city.into() }
}

async fn parents() -> Here {
    let here = Here::with(&[]).await;
    here.run(
        "CREATE TABLE parents (id BIGINT PRIMARY KEY, email TEXT NOT NULL DEFAULT '' UNIQUE,
            city TEXT NOT NULL DEFAULT '', version BIGINT NOT NULL DEFAULT 0);
         CREATE TABLE children (id BIGSERIAL PRIMARY KEY, parent BIGINT NOT NULL REFERENCES parents);
         INSERT INTO parents VALUES (1, 'ann@example.org', 'Lima')",
    )
    .await;
    here
}

/// Writes while another transaction has inserted a child and is still open.
async fn beside_a_child<R>(here: &Here, what: &str, write: impl Future<Output = R>) -> R {
    let mut other = here.orm.begin().await.unwrap();
    Child { id: 0, parent: 1 }.insert(&mut other).await.unwrap();
    let written = timeout(Duration::from_secs(10), write).await;
    other.rollback().await.unwrap();
    written.unwrap_or_else(|_| panic!("{what} waits for whoever inserts a child"))
}

#[tokio::test]
async fn no_write_that_leaves_the_key_alone_waits_for_a_child() {
    let here = parents().await;
    let orm = &here.orm;
    macro_rules! beside {
        ($what:literal, $write:expr) => {
            beside_a_child(&here, $what, async { $write.await.unwrap() }).await
        };
    }
    beside!("a patch", Plain::patch(1).set(PlainColumns::CITY, "Rome").execute(orm));
    let mut row = Plain::fetch_uncached(orm, 1).await.unwrap().unwrap();
    row.city = "Oslo".into();
    beside!("an update", row.update(orm));
    beside!("update_many", Plain::update_many(orm, std::slice::from_mut(&mut row)));
    beside!("an upsert", plain("Bern").upsert(orm));
    beside!("a patch with indexes", Listed::patch(1).set(ListedColumns::CITY, "Rome").execute(orm));
    beside!("an update with indexes", listed("Oslo").update(orm));
    beside!("update_many with indexes", Listed::update_many(orm, &mut [listed("Bern")]));
    beside!("an upsert with indexes", listed("Lima").upsert(orm));
    beside!("an update with a unique column", unique("Rome").update(orm));
    beside!("an upsert with a unique column", unique("Oslo").upsert(orm));
    beside!("an upsert of a key alone", Bare { id: 1 }.upsert(orm));
    beside!("an update of a key alone", Bare { id: 1 }.update(orm));
    beside!("a touch", async {
        let mut transaction = orm.begin().await?;
        assert!(transaction.touch::<Listed>(1).await?);
        transaction.commit().await
    });
    let conflict = beside_a_child(&here, "a conflict", plain("Kyiv").update(orm)).await;
    assert!(matches!(conflict, Err(Error::Conflict { .. })), "{conflict:?}");
    let mut many = [plain("Kyiv")];
    let conflict = beside_a_child(&here, "a conflict", Plain::update_many(orm, &mut many)).await;
    assert!(matches!(conflict, Err(Error::Conflict { .. })), "{conflict:?}");
    assert_eq!(Plain::fetch_uncached(orm, 1).await.unwrap().unwrap().city, "Oslo");
}

/// Each inserts a child, which both may, and then writes the parent, which one does
/// after the other.
#[tokio::test]
async fn two_who_insert_a_child_and_then_write_its_parent_are_in_no_deadlock() {
    let here = parents().await;
    macro_rules! both {
        ($what:literal, |$t:ident, $city:ident| $write:expr) => {{
            let first_has_child = tokio::sync::Barrier::new(2);
            let request = async |$city: &str| {
                let mut transaction = here.orm.begin().await?;
                Child { id: 0, parent: 1 }.insert(&mut transaction).await?;
                first_has_child.wait().await;
                {
                    let $t = &mut transaction;
                    $write.await?;
                }
                transaction.commit().await.map(drop)
            };
            let (one, two): (Result<(), Error>, Result<(), Error>) =
                tokio::join!(request("Rome"), request("Oslo"));
            one.and(two).unwrap_or_else(|error| panic!("{}: {error}", $what));
        }};
    }
    both!("patch", |t, city| Plain::patch(1).set(PlainColumns::CITY, city).execute(t));
    both!("patch, indexed", |t, city| Listed::patch(1).set(ListedColumns::CITY, city).execute(t));
    both!("update, indexed", |t, city| async { listed(city).update(t).await });
    both!("upsert, unique", |t, city| async { unique(city).upsert(t).await });
    both!("touch", |t, _city| t.touch::<Listed>(1));
    let children: i64 =
        sqlx::query_scalar("SELECT count(*) FROM children").fetch_one(here.direct()).await.unwrap();
    assert_eq!(children, 2 * 5);
}

/// The row's lock still puts writers into an order.
#[tokio::test]
async fn a_locked_row_is_neither_written_nor_deleted_by_others() {
    let here = parents().await;
    let mut transaction = here.orm.begin().await.unwrap();
    assert!(transaction.touch::<Plain>(1).await.unwrap());
    let attempts = [
        "UPDATE parents SET city = 'Rome'",
        "UPDATE parents SET id = 2",
        "DELETE FROM parents",
        "SELECT id FROM parents FOR NO KEY UPDATE",
    ];
    for sql in attempts {
        let refused = here.other_pool().await;
        let sql = sqlx::AssertSqlSafe(format!("SET lock_timeout = '50ms'; {sql}"));
        let error = sqlx::raw_sql(sql).execute(&refused).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code().map(String::from));
        assert_eq!(code.as_deref(), Some("55P03"), "{error}");
    }
    transaction.commit().await.unwrap();
}

/// Deletes lock the row for themselves.
#[tokio::test]
async fn a_delete_waits_for_a_child() {
    let here = parents().await;
    let mut other = here.orm.begin().await.unwrap();
    Child { id: 0, parent: 1 }.insert(&mut other).await.unwrap();
    let orm: Orm<Postgres> = here.orm.clone();
    let deleting = tokio::spawn(async move { Plain::delete_by_key(&orm, 1).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!deleting.is_finished());
    other.rollback().await.unwrap();
    assert!(deleting.await.unwrap().unwrap());
}
