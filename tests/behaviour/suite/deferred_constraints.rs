//! Constraints that are checked at COMMIT.

use super::Here;
use crate::tables::people::{PAGES, Page};
use cached_orm::{Error, MemcachedOrm as _};

const FOOTNOTES: &str = "
    CREATE TABLE footnotes (
        page BIGINT NOT NULL REFERENCES pages (id) DEFERRABLE INITIALLY DEFERRED)";

#[tokio::test]
async fn a_violation_at_commit_rolls_back_and_leaves_no_trace_in_the_cache() {
    let here = Here::with(&[PAGES]).await;
    here.run(FOOTNOTES).await;
    let row = Page { id: 1, body: "old".into() }.insert(&here.orm).await.unwrap();
    Page::fetch(&here.orm, 1).await.unwrap();

    let mut transaction = here.orm.begin().await.unwrap();
    Page { id: 1, body: "new".into() }.update(&mut transaction).await.unwrap();
    let raw = sqlx::query("INSERT INTO footnotes VALUES (99)");
    raw.execute(&mut *transaction).await.unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert!(matches!(error, Error::RolledBack { .. }), "{error}");
    assert!(error.to_string().contains("a foreign key forbids it"), "{error}");

    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap().as_ref(), Some(&row));
    assert_eq!(Page::fetch_uncached(&here.orm, 1).await.unwrap(), Some(row));
    // The fence is gone, so the entry is one again.
    let hits = here.statistics().hits;
    Page::fetch(&here.orm, 1).await.unwrap();
    assert_eq!(here.statistics().hits, hits + 1);
}

#[tokio::test]
async fn a_delete_that_is_refused_at_commit_leaves_the_row() {
    let here = Here::with(&[PAGES]).await;
    here.run(FOOTNOTES).await;
    let row = Page { id: 1, body: "old".into() }.insert(&here.orm).await.unwrap();
    here.run("INSERT INTO footnotes VALUES (1)").await;

    let error = row.delete(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::RolledBack { .. }), "{error}");
    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap(), Some(row));
    // The connection is fit for use: nothing of the transaction is left on it.
    for id in 2..20 {
        Page { id, body: String::new() }.insert(&here.orm).await.unwrap();
    }
}
