//! Batches in transactions: the database, and nothing else.

use super::Here;
use crate::tables::people::{PAGES, Page};
use cached_orm::MemcachedOrm as _;

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

#[tokio::test]
async fn a_transaction_sees_its_own_rows_and_fills_nothing() {
    let here = Here::with(&[PAGES]).await;
    for id in 1..=2 {
        page(id, "old").insert(&here.orm).await.unwrap();
    }
    let ids = [3, 2, 1, 2];
    let before = here.statistics();
    let mut transaction = here.orm.begin().await.unwrap();
    page(2, "new").update(&mut transaction).await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    page(3, "new").insert(&mut savepoint).await.unwrap();
    let found = Page::fetch_many(&mut savepoint, ids).await.unwrap();
    let expected = [page(3, "new"), page(2, "new"), page(1, "old"), page(2, "new")];
    assert_eq!(found, expected.map(Some));
    savepoint.rollback().await.unwrap();
    let found = Page::fetch_many(&mut transaction, ids).await.unwrap();
    assert_eq!(found[..2], [None, Some(page(2, "new"))]);
    let between = here.statistics();
    assert_eq!((between.hits, between.loads, between.fills), (before.hits, before.loads, before.fills));
    // Others don't see them before COMMIT.
    let found = Page::fetch_many(&here.orm, ids).await.unwrap();
    assert_eq!(found[..2], [None, Some(page(2, "old"))]);
    transaction.commit().await.unwrap();
    let found = Page::fetch_many(&here.orm, ids).await.unwrap();
    assert_eq!(found[..2], [None, Some(page(2, "new"))]);
}

#[tokio::test]
async fn many_rows_in_a_transaction() {
    let here = Here::with(&[PAGES]).await;
    let mut transaction = here.orm.begin().await.unwrap();
    for id in (0..1500).step_by(3) {
        page(id, "row").insert(&mut transaction).await.unwrap();
    }
    let found = Page::fetch_many(&mut transaction, 0..1500).await.unwrap();
    for (id, found) in (0..).zip(found) {
        assert_eq!(found, (id % 3 == 0).then(|| page(id, "row")));
    }
    transaction.rollback().await.unwrap();
    let found = Page::fetch_many(&here.orm, 0..1500).await.unwrap();
    assert!(found.iter().all(Option::is_none));
}
