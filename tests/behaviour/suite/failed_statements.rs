//! Transactions in which a statement has failed.

use super::{Database, Here};
use crate::{
    databases::Kind,
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _, Transaction};

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

/// PostgreSQL aborts the transaction, and answers COMMIT with ROLLBACK, which
/// sqlx reports as success; the others undo the statement alone.
async fn commit_after_failure(here: &Here, transaction: Transaction<Database>) {
    let committed = transaction.commit().await;
    let expected = if Here::DATABASE == Kind::Postgres {
        let error = committed.unwrap_err();
        assert!(matches!(error, Error::RolledBack { .. }), "{error}");
        "old"
    } else {
        committed.unwrap();
        "new"
    };
    let read = Page::fetch_one(&here.orm, 1).await.unwrap();
    assert_eq!(read.body, expected);
    assert_eq!(Page::fetch_uncached(&here.orm, 1).await.unwrap(), Some(read));
}

#[tokio::test]
async fn a_commit_after_a_failed_write_tells_what_became_of_it() {
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    page(1, "again").insert(&mut transaction).await.unwrap_err();
    commit_after_failure(&here, transaction).await;
}

#[tokio::test]
async fn a_commit_after_failed_raw_sql_tells_what_became_of_it() {
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    let raw = sqlx::query("SELECT * FROM no_such_table").execute(&mut *transaction).await;
    raw.unwrap_err();
    commit_after_failure(&here, transaction).await;
}

#[tokio::test]
async fn a_commit_after_a_failed_read_tells_what_became_of_it() {
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    // There is no such table here.
    crate::tables::people::Ticket::fetch(&mut transaction, 1).await.unwrap_err();
    commit_after_failure(&here, transaction).await;
}

#[tokio::test]
async fn a_write_that_met_no_row_is_no_failure() {
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    let error = page(9, "nobody").update(&mut transaction).await.unwrap_err();
    assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
    transaction.commit().await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "new");
}
