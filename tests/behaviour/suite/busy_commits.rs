//! SQLite without a write-ahead log: COMMIT waits for readers, and may give up.

use crate::{
    databases::unique_name,
    memcached::shared_address,
    place::{COMMIT_WINDOW, HOLD_OFF},
    tables::people::Page,
};
use cached_orm::{Error, MemcachedOrm as _, Orm, Sqlite};
use sqlx::{
    Executor as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use std::time::Duration;
use tempfile::TempDir;

#[tokio::test]
async fn a_commit_that_readers_keep_out_is_rolled_back_and_leaves_no_fence() {
    let folder = TempDir::new().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("busy.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Delete)
        .busy_timeout(Duration::from_millis(100));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    pool.execute("CREATE TABLE pages (id INTEGER PRIMARY KEY, body TEXT NOT NULL)").await.unwrap();
    crate::memcached::wait_for_age(&shared_address(), HOLD_OFF).await;
    let orm = Orm::<Sqlite>::builder(pool.clone())
        .memcached([shared_address()])
        .timeout(Duration::from_secs(5))
        .namespace(unique_name())
        .commit_window(COMMIT_WINDOW)
        .hold_off(HOLD_OFF)
        .drainer(false)
        .build()
        .await
        .unwrap();
    let old = Page { id: 1, body: "old".into() }.insert(&orm).await.unwrap();
    let new = Page { id: 1, body: "new".into() };

    let mut reader = pool.begin().await.unwrap();
    sqlx::query("SELECT * FROM pages").fetch_all(&mut *reader).await.unwrap();
    let error = new.clone().update(&orm).await.unwrap_err();
    assert!(matches!(error, Error::RolledBack { .. }), "{error}");
    reader.rollback().await.unwrap();

    assert_eq!(Page::fetch_uncached(&orm, 1).await.unwrap(), Some(old.clone()));
    assert_eq!(Page::fetch_one(&orm, 1).await.unwrap(), old);
    let hits = orm.statistics().hits;
    assert_eq!(Page::fetch_one(&orm, 1).await.unwrap(), old);
    assert_eq!(orm.statistics().hits, hits + 1, "a fence has been left");
    new.clone().update(&orm).await.unwrap();
    assert_eq!(Page::fetch_one(&orm, 1).await.unwrap(), new);
}
