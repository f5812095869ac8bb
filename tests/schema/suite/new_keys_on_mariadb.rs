//! Keys that MariaDB and MySQL do not tell: what is read in a new row's place must not be
//! another's.

use super::{Database, Here};
use crate::{
    polling::until,
    rows::{NOTES, Plain, plain},
};
use cached_orm::{Error, MemcachedOrm};
use serde::{Deserialize, Serialize};
use sqlx::pool::PoolConnection;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "tickets", database = MySql)]
struct Ticket {
    #[primary_key]
    #[orm(generated)]
    id: i64,
    title: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "tickets", database = MySql)]
struct Given {
    #[primary_key]
    id: i64,
    title: String,
}

async fn count(here: &Here) -> i64 {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM tickets");
    count.fetch_one(here.direct()).await.unwrap()
}

fn assert_changed<R: std::fmt::Debug>(written: &Result<R, Error>) {
    assert!(matches!(written, Err(Error::KeyChanged { .. })), "{written:?}");
}

/// Another column has the number that the statement's answer tells.
#[tokio::test]
async fn a_number_that_is_not_the_keys() {
    let here = Here::with(&[]).await;
    here.run(
        "CREATE TABLE tickets (
            id BIGINT PRIMARY KEY DEFAULT 77, title VARCHAR(99) NOT NULL,
            seq BIGINT AUTO_INCREMENT UNIQUE);
         INSERT INTO tickets (id, title) VALUES (10, 'ten'), (11, 'eleven');
         ALTER TABLE tickets AUTO_INCREMENT = 10",
    )
    .await;
    let new = Ticket { id: 0, title: "new".into() };
    assert_changed(&new.insert(&here.orm).await);
    assert_changed(&Ticket::insert_many(&here.orm, std::slice::from_ref(&new)).await);
    assert_eq!(count(&here).await, 2);
    // Where the number is that of a row of the same transaction.
    here.run("ALTER TABLE tickets AUTO_INCREMENT = 20").await;
    let mut transaction = here.orm.begin().await.unwrap();
    sqlx::raw_sql("INSERT INTO tickets (id, title) VALUES (21, 'other')")
        .execute(&mut *transaction)
        .await
        .unwrap();
    assert!(transaction.touch::<Ticket>(21).await.unwrap());
    assert_changed(&new.insert(&mut transaction).await);
    transaction.rollback().await.unwrap();
    assert_eq!(count(&here).await, 2);
}

/// To AUTO_INCREMENT a zero is none, though a row can have it.
#[tokio::test]
async fn a_zero_that_is_numbered() {
    let here = Here::with(&[]).await;
    here.run(
        "CREATE TABLE tickets (id BIGINT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(99) NOT NULL);
         INSERT INTO tickets (title) VALUES ('zero'); UPDATE tickets SET id = 0",
    )
    .await;
    let given = |id, title: &str| Given { id, title: title.into() };
    assert_changed(&given(0, "new").insert(&here.orm).await);
    let many = Given::insert_many(&here.orm, &[given(7, "seven"), given(0, "new")]).await;
    assert_changed(&many);
    assert_eq!(count(&here).await, 1);
    assert_eq!(given(7, "seven").insert(&here.orm).await.unwrap(), given(7, "seven"));
    let rows = [given(8, "eight"), given(9, "nine")];
    assert_eq!(Given::insert_many(&here.orm, &rows).await.unwrap(), rows);
}

/// Here, where a note whose body is x gets another key once this connection lets go.
async fn held() -> (Here, PoolConnection<Database>) {
    let here = Here::with(&[NOTES]).await;
    here.run(
        "CREATE TRIGGER t BEFORE INSERT ON notes FOR EACH ROW BEGIN
            IF NEW.body = 'x' THEN
                DO GET_LOCK(DATABASE(), 20); DO RELEASE_LOCK(DATABASE());
                SET NEW.id = NEW.id + 100;
            END IF; END",
    )
    .await;
    let mut holder = here.direct().acquire().await.unwrap();
    sqlx::raw_sql("DO GET_LOCK(DATABASE(), 20)").execute(&mut *holder).await.unwrap();
    (here, holder)
}

/// The row that has the given key came when nobody looked.
#[tokio::test]
async fn a_given_key_that_another_takes_meanwhile() {
    let insert = async |here: &Here, is_upsert| {
        let row = Plain { code: 9, ..plain(7, "x") };
        if is_upsert { row.upsert(&here.orm).await } else { row.insert(&here.orm).await }
    };
    for is_upsert in [false, true] {
        let (here, mut holder) = held().await;
        assert_eq!(Plain::fetch(&here.orm, 107).await.unwrap(), None);
        let meanwhile = async {
            until("the trigger waits", async || {
                let waiting = "SELECT COUNT(*) FROM information_schema.processlist
                    WHERE db = DATABASE() AND state LIKE 'User lock%'";
                let waiting = sqlx::query_scalar::<_, i64>(waiting);
                waiting.fetch_one(here.direct()).await.unwrap() > 0
            })
            .await;
            here.run("INSERT INTO notes (id, body, code) VALUES (7, 'seven', 7)").await;
            sqlx::raw_sql("DO RELEASE_LOCK(DATABASE())").execute(&mut *holder).await.unwrap();
        };
        let (inserted, ()) = tokio::join!(insert(&here, is_upsert), meanwhile);
        assert_changed(&inserted);
        for key in [7, 107] {
            let database = Plain::fetch_uncached(&here.orm, key).await.unwrap();
            assert_eq!(database.is_some(), key == 7);
            assert_eq!(Plain::fetch(&here.orm, key).await.unwrap(), database);
        }
    }
}

/// Neither do they tell what an update has made of it.
#[tokio::test]
async fn a_key_that_an_update_changes() {
    for way in ["update", "patch", "upsert", "update_many", "in a transaction", "sqlx"] {
        let here = Here::with(&[NOTES]).await;
        here.run(
            "INSERT INTO notes (id, body, code) VALUES (5, 'five', 5);
             CREATE TRIGGER t BEFORE UPDATE ON notes FOR EACH ROW SET NEW.id = NEW.id + 100",
        )
        .await;
        let mut row = plain(5, "x");
        assert_eq!(Plain::fetch_one(&here.orm, 5).await.unwrap().body, "five");
        assert_eq!(Plain::fetch(&here.orm, 105).await.unwrap(), None);
        let written = match way {
            "update" => row.update(&here.orm).await,
            "patch" => {
                use crate::rows::PlainColumns;
                let patch = Plain::patch(5).set(PlainColumns::BODY, "x");
                patch.execute(&here.orm).await.map(drop)
            }
            "upsert" => row.upsert(&here.orm).await.map(drop),
            "update_many" => {
                Plain::update_many(&here.orm, std::slice::from_mut(&mut row)).await.map(drop)
            }
            "in a transaction" => {
                let mut transaction = here.orm.begin().await.unwrap();
                let updated = row.update(&mut transaction).await;
                assert!(transaction.commit().await.is_err());
                updated
            }
            _ => {
                let mut transaction = here.orm.pool().begin().await.unwrap();
                let updated = row.update_on(&here.orm, &mut transaction).await.map(drop);
                // As a program does that does not heed the error.
                transaction.commit().await.unwrap();
                updated
            }
        };
        assert_changed(&written);
        for key in [5, 105] {
            let database = Plain::fetch_uncached(&here.orm, key).await.unwrap();
            assert_eq!(database.is_some(), key == 5, "{way}");
            assert_eq!(Plain::fetch(&here.orm, key).await.unwrap(), database, "{way}");
        }
    }
}
