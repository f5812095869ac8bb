//! Transactions that the database, or sqlx, has ended with all they had done:
//! what follows must not be written outside them, one statement at a time.

use super::{Database, Here};
use crate::{
    databases::{Kind, is_mariadb},
    polling::cancelled,
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _, Transaction};
use sqlx::AssertSqlSafe;
use tokio::task::JoinHandle;

async fn with_pages() -> Here {
    let here = Here::with(&[PAGES]).await;
    for id in 1..=3 {
        page(id, "old").insert(&here.orm).await.unwrap();
    }
    here
}

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

/// Neither a further write nor COMMIT succeeds, and nothing was written.
async fn assert_lost(here: &Here, mut transaction: Transaction<Database>, bodies: [&str; 3]) {
    let further = page(3, "new").update(&mut transaction).await.unwrap_err();
    assert!(matches!(further, Error::HalfDone { .. }), "{further}");
    let committed = transaction.commit().await.unwrap_err();
    assert!(matches!(committed, Error::HalfDone { .. }), "{committed}");
    for (id, body) in (1..).zip(bodies) {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap().body, body);
        let stored = Page::fetch_uncached(&here.orm, id).await.unwrap();
        assert_eq!(stored.unwrap().body, body);
    }
}

#[tokio::test]
async fn a_savepoint_that_was_cancelled_takes_the_transaction_with_it() {
    let here = with_pages().await;
    let transaction = loop {
        let mut transaction = here.orm.begin().await.unwrap();
        page(1, "new").update(&mut transaction).await.unwrap();
        if cancelled(transaction.savepoint()).await {
            break transaction;
        }
        transaction.rollback().await.unwrap();
    };
    assert_lost(&here, transaction, ["old"; 3]).await;
}

#[tokio::test]
async fn a_savepoint_that_was_leaked_keeps_the_transaction_from_committing() {
    let here = with_pages().await;
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    std::mem::forget(transaction.savepoint().await.unwrap());
    let committed = transaction.commit().await.unwrap_err();
    assert!(matches!(committed, Error::HalfDone { .. }), "{committed}");
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "old");
    // The pool was given no connection with an open transaction.
    page(1, "newer").update(&here.orm).await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "newer");
}

#[tokio::test]
async fn a_savepoint_in_an_aborted_transaction_takes_it_along() {
    if Here::DATABASE != Kind::Postgres {
        // The others abort no transaction for an error.
        return;
    }
    let here = with_pages().await;
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    page(1, "again").insert(&mut transaction).await.unwrap_err();
    transaction.savepoint().await.unwrap_err();
    assert_lost(&here, transaction, ["old"; 3]).await;
}

/// A write whose error ends the transaction, in each database's own way.
#[tokio::test]
async fn an_error_that_ends_the_transaction_is_noticed() {
    let here = with_pages().await;
    let mut expected = ["old"; 3];
    if Here::DATABASE == Kind::Sqlite {
        here.run(
            "CREATE TRIGGER no BEFORE UPDATE ON pages WHEN NEW.body = 'bad'
             BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
        )
        .await;
    }
    let mut transaction = here.orm.begin().await.unwrap();
    let mut other = None;
    match Here::DATABASE {
        // PostgreSQL leaves it open, and refuses what follows by itself.
        Kind::Postgres => return,
        Kind::Sqlite => page(1, "new").update(&mut transaction).await.unwrap(),
        // MySQL has no such setting, and ends the victims of deadlocks as MariaDB does.
        Kind::MariaDb if !is_mariadb().await => {
            other = Some(deadlock_over_row_2(&here, &mut transaction).await);
        }
        Kind::MariaDb => {
            let snapshots = "SET SESSION innodb_snapshot_isolation = ON";
            sqlx::query(snapshots).execute(&mut *transaction).await.unwrap();
            page(1, "new").update(&mut transaction).await.unwrap();
            Page::fetch_one(&mut transaction, 2).await.unwrap();
            page(2, "meanwhile").update(&here.orm).await.unwrap();
            expected[1] = "meanwhile";
        }
    }
    page(2, "bad").update(&mut transaction).await.unwrap_err();
    if let Some(other) = other {
        other.await.unwrap();
    }
    assert_lost(&here, transaction, expected).await;
}

/// Writes row 1, and lets another transaction have row 2 and want row 1.
async fn deadlock_over_row_2(
    here: &Here,
    transaction: &mut Transaction<Database>,
) -> JoinHandle<()> {
    let raw = |id: i64| {
        sqlx::query(AssertSqlSafe(format!("UPDATE pages SET body = 'raw' WHERE id = {id}")))
    };
    let mut other = here.orm.begin().await.unwrap();
    page(1, "new").update(transaction).await.unwrap();
    // The victim is the one that has written less.
    raw(2).execute(&mut *other).await.unwrap();
    raw(3).execute(&mut *other).await.unwrap();
    tokio::spawn(async move {
        raw(1).execute(&mut *other).await.unwrap();
        other.rollback().await.unwrap();
    })
}

#[tokio::test]
async fn a_deadlock_of_raw_sql_is_noticed() {
    if Here::DATABASE != Kind::MariaDb {
        return;
    }
    let here = with_pages().await;
    let mut transaction = here.orm.begin().await.unwrap();
    let other = deadlock_over_row_2(&here, &mut transaction).await;
    let raw = sqlx::query("UPDATE pages SET body = 'raw' WHERE id = 2");
    raw.execute(&mut *transaction).await.unwrap_err();
    other.await.unwrap();
    assert_lost(&here, transaction, ["old"; 3]).await;
}

#[tokio::test]
async fn thousands_of_rows_are_written_in_one_transaction() {
    let here = Here::with(&[PAGES]).await;
    let mut transaction = here.orm.begin().await.unwrap();
    for id in 0..5_000 {
        page(id, "new").insert(&mut transaction).await.unwrap();
    }
    assert_eq!(transaction.commit().await.unwrap().release_unconfirmed, 0);
    assert_eq!(here.statistics().fences, 5_000);
    assert_eq!(Page::fetch_one(&here.orm, 4_999).await.unwrap().body, "new");
}
