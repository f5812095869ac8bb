//! Writes inside a transaction whose futures are dropped halfway.

use super::Here;
use crate::{
    polling::cancel,
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _};

async fn with_pages() -> Here {
    let here = Here::with(&[PAGES]).await;
    for id in 1..=2 {
        page(id, "old").insert(&here.orm).await.unwrap();
    }
    here
}

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

async fn assert_untouched(here: &Here) {
    for id in 1..=2 {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap().body, "old");
        assert_eq!(Page::fetch_uncached(&here.orm, id).await.unwrap().unwrap().body, "old");
    }
    assert_eq!(Page::fetch(&here.orm, 3).await.unwrap(), None);
}

#[tokio::test]
async fn the_transaction_refuses_to_go_on_and_can_be_rolled_back() {
    let here = with_pages().await;
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    cancel(page(2, "new").update(&mut transaction)).await;

    let refusals = [
        page(2, "new").update(&mut transaction).await.unwrap_err(),
        page(2, "new").delete(&mut transaction).await.unwrap_err(),
        page(3, "new").insert(&mut transaction).await.unwrap_err(),
        Page::fetch(&mut transaction, 1).await.unwrap_err(),
        transaction.savepoint().await.map(drop).unwrap_err(),
    ];
    for error in refusals {
        let Error::HalfDone { operation } = error else { panic!("{error}") };
        assert_eq!(operation.name(), "update");
    }
    transaction.rollback().await.unwrap();
    assert_untouched(&here).await;
}

#[tokio::test]
async fn the_transaction_cannot_be_committed() {
    let here = with_pages().await;
    for operation in ["insert", "update", "delete"] {
        let mut transaction = here.orm.begin().await.unwrap();
        page(1, "new").update(&mut transaction).await.unwrap();
        match operation {
            "insert" => cancel(page(3, "new").insert(&mut transaction)).await,
            "update" => cancel(page(2, "new").update(&mut transaction)).await,
            _ => cancel(page(2, "new").delete(&mut transaction)).await,
        }
        let error = transaction.commit().await.unwrap_err();
        assert!(matches!(error, Error::HalfDone { .. }), "{operation}: {error}");
        assert_untouched(&here).await;
    }
}

#[tokio::test]
async fn a_savepoint_around_the_write_saves_the_transaction() {
    let here = with_pages().await;
    for drops in [false, true] {
        let mut transaction = here.orm.begin().await.unwrap();
        page(1, "new").update(&mut transaction).await.unwrap();
        let mut savepoint = transaction.savepoint().await.unwrap();
        cancel(page(2, "lost").update(&mut savepoint)).await;
        let error = page(2, "lost").update(&mut savepoint).await.unwrap_err();
        assert!(matches!(error, Error::HalfDone { .. }), "{error}");
        if drops {
            drop(savepoint);
        } else {
            savepoint.rollback().await.unwrap();
        }
        assert_eq!(Page::fetch_one(&mut transaction, 2).await.unwrap().body, "old");
        transaction.commit().await.unwrap();
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "new");
        assert_eq!(Page::fetch_one(&here.orm, 2).await.unwrap().body, "old");
    }
}

#[tokio::test]
async fn a_savepoint_that_is_kept_does_not_hide_a_write_that_was_cancelled_in_it() {
    let here = with_pages().await;
    let mut transaction = here.orm.begin().await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    cancel(page(2, "lost").update(&mut savepoint)).await;
    savepoint.commit().await.unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert!(matches!(error, Error::HalfDone { .. }), "{error}");
    assert_untouched(&here).await;
}

#[tokio::test]
async fn a_read_that_was_cancelled_does_no_harm() {
    let here = with_pages().await;
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    cancel(Page::fetch(&mut transaction, 2)).await;
    page(2, "new").update(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    for id in 1..=2 {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap().body, "new");
    }
}
