//! Rows that are kept after their time in case the database fails.

use super::Here;
use crate::rows::notes::{KeptNote, NOTES};
use cached_orm::{Error, Freshness, MemcachedOrm as _};
use std::time::Duration;
use tokio::time::sleep;

/// Longer than the TTL, by memcached's clock too.
const OVER: Duration = Duration::from_millis(2100);

async fn with_note() -> Here {
    let here = Here::with(&[NOTES]).await;
    here.run("INSERT INTO notes VALUES (1, 'first', 0)").await;
    assert_eq!(KeptNote::fetch_one(&here.orm, 1).await.unwrap().revision, 0);
    here
}

#[tokio::test]
async fn a_row_whose_time_is_over_is_loaded_anew() {
    let here = with_note().await;
    here.run("UPDATE notes SET revision = 1").await;
    sleep(OVER).await;
    assert_eq!(KeptNote::get_cached_instance(&here.orm, 1).await.unwrap(), None);
    let before = here.statistics();
    assert_eq!(KeptNote::fetch_one(&here.orm, 1).await.unwrap().revision, 1);
    let after = here.statistics();
    assert_eq!((after.loads, after.fills), (before.loads + 1, before.fills + 1));
    assert_eq!(after.unreadable, before.unreadable);
    here.run("UPDATE notes SET revision = 2").await;
    sleep(OVER).await;
    let found = KeptNote::fetch_many(&here.orm, [1]).await.unwrap();
    assert_eq!(found[0].as_ref().unwrap().revision, 2);
    here.run("UPDATE notes SET revision = 3").await;
    sleep(OVER).await;
    let fresh = KeptNote::fetch_or_stale(&here.orm, 1).await.unwrap();
    assert!(!fresh.is_stale());
    assert_eq!(fresh.into_row().unwrap().revision, 3);
}

#[tokio::test]
async fn what_the_database_refuses_is_an_error() {
    let here = with_note().await;
    sleep(OVER).await;
    here.run("ALTER TABLE notes RENAME TO other_notes").await;
    let error = KeptNote::fetch_or_stale(&here.orm, 1).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }) && !error.is_outage(), "{error}");
    KeptNote::fetch(&here.orm, 1).await.unwrap_err();
    KeptNote::fetch_many(&here.orm, [1]).await.unwrap_err();
    here.run("ALTER TABLE other_notes RENAME TO notes").await;
    assert_eq!(KeptNote::fetch_one(&here.orm, 1).await.unwrap().revision, 0);
}

#[tokio::test]
async fn a_row_that_was_never_there_is_not_stale() {
    let here = with_note().await;
    let absent = KeptNote::fetch_or_stale(&here.orm, 2).await.unwrap();
    assert!(matches!(absent, Freshness::Fresh(None)));
}

#[tokio::test]
async fn a_write_ends_what_was_kept() {
    let here = with_note().await;
    sleep(OVER).await;
    let mut note = KeptNote { id: 1, text: "second".into(), revision: 9 };
    note.update(&here.orm).await.unwrap();
    assert_eq!(KeptNote::get_cached_instance(&here.orm, 1).await.unwrap(), Some(note));
}
