//! Rows that are loaded anew before they expire.

use super::Here;
use crate::{
    polling::until,
    rows::notes::{HOT_AFTER, HotNote, NOTES},
};
use cached_orm::MemcachedOrm as _;
use futures_util::future::join_all;
use tokio::time::sleep;

async fn with_note() -> Here {
    let here = Here::with(&[NOTES]).await;
    here.run("INSERT INTO notes VALUES (1, 'first', 0)").await;
    assert_eq!(HotNote::fetch_one(&here.orm, 1).await.unwrap().revision, 0);
    here.run("UPDATE notes SET revision = 1").await;
    here
}

#[tokio::test]
async fn a_row_near_its_end_is_loaded_once_while_the_cache_answers_everybody() {
    let here = with_note().await;
    let before = here.statistics();
    HotNote::fetch_one(&here.orm, 1).await.unwrap();
    assert_eq!(here.statistics().loads, before.loads, "it is young");
    sleep(HOT_AFTER).await;
    let reads = join_all((0..64).map(|_| HotNote::fetch_one(&here.orm, 1))).await;
    assert!(reads.iter().all(Result::is_ok));
    until("the row is loaded anew", async || {
        HotNote::fetch_one(&here.orm, 1).await.unwrap().revision == 1
    })
    .await;
    let after = here.statistics();
    assert_eq!((after.loads - before.loads, after.misses - before.misses), (1, 0));
    assert_eq!(after.early_refreshes, 1);
    // It begins a new life.
    here.run("UPDATE notes SET revision = 2").await;
    assert_eq!(HotNote::fetch_one(&here.orm, 1).await.unwrap().revision, 1);
    assert_eq!(here.statistics().loads, after.loads);
}

#[tokio::test]
async fn batches_do_so_too() {
    let here = with_note().await;
    sleep(HOT_AFTER).await;
    let found = HotNote::fetch_many(&here.orm, [1]).await.unwrap();
    assert_eq!(found[0].as_ref().map(|row| row.revision), Some(0));
    until("the row is loaded anew", async || {
        HotNote::fetch_one(&here.orm, 1).await.unwrap().revision == 1
    })
    .await;
    assert_eq!(here.statistics().early_refreshes, 1);
}

#[tokio::test]
async fn a_row_that_is_gone_is_found_out() {
    let here = with_note().await;
    sleep(HOT_AFTER).await;
    here.run("DELETE FROM notes").await;
    assert!(HotNote::fetch(&here.orm, 1).await.unwrap().is_some());
    until("the row is gone", async || HotNote::fetch(&here.orm, 1).await.unwrap().is_none()).await;
}

#[tokio::test]
async fn a_load_that_fails_leaves_the_row_to_its_end() {
    let here = with_note().await;
    sleep(HOT_AFTER).await;
    here.run("ALTER TABLE notes RENAME TO other_notes").await;
    assert_eq!(HotNote::fetch_one(&here.orm, 1).await.unwrap().revision, 0);
    until("the load has failed", async || here.statistics().load_errors == 1).await;
    assert_eq!(HotNote::get_cached_instance(&here.orm, 1).await.unwrap().unwrap().revision, 0);
    here.run("ALTER TABLE other_notes RENAME TO notes").await;
    until("the row is loaded when it is over", async || {
        HotNote::fetch_one(&here.orm, 1).await.unwrap().revision == 1
    })
    .await;
    assert_eq!(here.statistics().early_refreshes, 1, "one reader, and one attempt");
}
