//! Parts of a transaction that are undone by themselves.

use super::Here;
use crate::tables::people::{PAGES, Page};
use cached_orm::{Error, MemcachedOrm as _};

async fn with_pages(count: i64) -> Here {
    let here = Here::with(&[PAGES]).await;
    for id in 1..=count {
        Page { id, body: "old".into() }.insert(&here.orm).await.unwrap();
    }
    here
}

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

async fn body(here: &Here, id: i64) -> String {
    let cached = Page::fetch_one(&here.orm, id).await.unwrap();
    assert_eq!(Page::fetch_uncached(&here.orm, id).await.unwrap().as_ref(), Some(&cached));
    cached.body
}

#[tokio::test]
async fn what_a_savepoint_kept_is_committed_and_what_it_undid_is_not() {
    let here = with_pages(3).await;
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "outer").update(&mut transaction).await.unwrap();

    let mut kept = transaction.savepoint().await.unwrap();
    page(2, "kept").update(&mut kept).await.unwrap();
    assert_eq!(Page::fetch_one(&mut kept, 1).await.unwrap().body, "outer");
    kept.commit().await.unwrap();

    let mut undone = transaction.savepoint().await.unwrap();
    page(1, "undone").update(&mut undone).await.unwrap();
    page(3, "undone").update(&mut undone).await.unwrap();
    undone.rollback().await.unwrap();
    assert_eq!(Page::fetch_one(&mut transaction, 1).await.unwrap().body, "outer");
    transaction.commit().await.unwrap();

    assert_eq!(body(&here, 1).await, "outer");
    assert_eq!(body(&here, 2).await, "kept");
    assert_eq!(body(&here, 3).await, "old");
}

#[tokio::test]
async fn keys_of_an_undone_savepoint_are_not_fenced() {
    let here = with_pages(2).await;
    let before = here.statistics().fences;
    for drops in [false, true] {
        let mut transaction = here.orm.begin().await.unwrap();
        let mut savepoint = transaction.savepoint().await.unwrap();
        page(1, "undone").update(&mut savepoint).await.unwrap();
        if drops {
            drop(savepoint);
        } else {
            savepoint.rollback().await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
    assert_eq!(here.statistics().fences, before);
    assert_eq!(body(&here, 1).await, "old");
}

#[tokio::test]
async fn savepoints_nest() {
    let here = with_pages(3).await;
    let mut transaction = here.orm.begin().await.unwrap();
    let mut outer = transaction.savepoint().await.unwrap();
    page(1, "outer").update(&mut outer).await.unwrap();
    let mut inner = outer.savepoint().await.unwrap();
    page(2, "inner").update(&mut inner).await.unwrap();
    inner.rollback().await.unwrap();
    let mut inner = outer.savepoint().await.unwrap();
    page(3, "inner").update(&mut inner).await.unwrap();
    inner.commit().await.unwrap();
    outer.commit().await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(body(&here, 1).await, "outer");
    assert_eq!(body(&here, 2).await, "old");
    assert_eq!(body(&here, 3).await, "inner");
}

#[tokio::test]
async fn undoing_an_outer_savepoint_undoes_what_an_inner_one_kept() {
    let here = with_pages(1).await;
    let mut transaction = here.orm.begin().await.unwrap();
    let mut outer = transaction.savepoint().await.unwrap();
    let mut inner = outer.savepoint().await.unwrap();
    page(1, "inner").update(&mut inner).await.unwrap();
    inner.commit().await.unwrap();
    drop(outer);
    transaction.commit().await.unwrap();
    assert_eq!(body(&here, 1).await, "old");
}

#[tokio::test]
async fn raw_sql_in_a_savepoint_is_kept_or_undone_with_it() {
    let here = with_pages(1).await;
    let mut transaction = here.orm.begin().await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    page(1, "mine").update(&mut savepoint).await.unwrap();
    sqlx::query("UPDATE pages SET body = 'raw'").execute(&mut *savepoint).await.unwrap();
    savepoint.commit().await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(body(&here, 1).await, "raw");
}

#[tokio::test]
async fn a_savepoint_around_a_failed_statement_saves_the_transaction() {
    let here = with_pages(2).await;
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    let error = page(2, "again").insert(&mut savepoint).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    savepoint.rollback().await.unwrap();
    page(2, "new").update(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(body(&here, 1).await, "new");
    assert_eq!(body(&here, 2).await, "new");
}
