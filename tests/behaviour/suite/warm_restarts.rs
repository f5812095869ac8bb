//! memcached with a memory file (`-e`), which keeps its items over a restart.

use super::Here;
use crate::{
    memcached::{OwnServer, Wire},
    polling::until,
    tables::people::{PAGES, Page},
};
use cached_orm::MemcachedOrm as _;
use std::{
    fs::{Permissions, set_permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const HOLD_OFF: Duration = Duration::from_millis(1500);
const COMMIT_WINDOW: Duration = Duration::from_secs(1);
/// What of the hold-off may have passed before the test looks.
const SLACK: Duration = Duration::from_millis(500);

struct Warm {
    here: Here,
    server: OwnServer,
    _folder: TempDir,
}

impl Warm {
    async fn started() -> Self {
        let memory = Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        // memcached runs as another user if the tests run as root.
        set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let server = OwnServer::started_with_memory(folder.path().join("items")).await;
        let here = Here::built(&[PAGES], |builder| {
            let builder = builder.memcached([server.address()]).timeout(Duration::from_millis(500));
            builder.hold_off(HOLD_OFF).commit_window(COMMIT_WINDOW)
        })
        .await;
        here.orm.install_outbox().await.unwrap();
        Self { here, server, _folder: folder }
    }

    fn lies_there(&self, id: i64) -> bool {
        let key = page(id, "").get_cache_key(&self.here.orm);
        Wire::to(&self.server.address()).get(key.as_str()).is_some()
    }

    async fn until_reached(&self) {
        until("it is reached", async || Page::get_cached_instance(&self.here.orm, 1).await.is_ok())
            .await;
    }

    async fn until_cached(&self, id: i64, body: &str) {
        until("the row is cached", async || {
            assert_eq!(self.read(id).await, body);
            matches!(Page::get_cached_instance(&self.here.orm, id).await, Ok(Some(_)))
        })
        .await;
    }

    async fn read(&self, id: i64) -> String {
        Page::fetch_one(&self.here.orm, id).await.unwrap().body
    }
}

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

#[tokio::test]
async fn it_is_not_filled_while_it_is_held_off_though_it_says_that_it_is_old() {
    let mut warm = Warm::started().await;
    for id in 1..=2 {
        page(id, "a").insert(&warm.here.orm).await.unwrap();
    }
    warm.until_cached(1, "a").await;
    warm.until_cached(2, "a").await;
    warm.server.stop_gracefully().await;
    let restarted = Instant::now();
    warm.server.start().await;
    assert!(warm.lies_there(1), "it has kept its items");
    warm.until_reached().await;
    until("it is reached for this row too", async || {
        Page::delete_cached_instance(&warm.here.orm, 2).await.is_ok()
    })
    .await;
    let fills = warm.here.statistics().fills;
    while restarted.elapsed() < HOLD_OFF - SLACK {
        assert_eq!(warm.read(2).await, "a");
        assert_eq!(warm.here.statistics().fills, fills, "it is filled");
        sleep(Duration::from_millis(20)).await;
    }
    warm.until_cached(2, "a").await;
    // What it has kept is what it was.
    let hits = warm.here.statistics().hits;
    assert_eq!(warm.read(1).await, "a");
    assert_eq!(warm.here.statistics().hits, hits + 1);
}

#[tokio::test]
async fn what_was_written_while_it_was_away_is_taken_out_of_what_it_has_kept() {
    let mut warm = Warm::started().await;
    page(1, "old").insert(&warm.here.orm).await.unwrap();
    warm.until_cached(1, "old").await;
    page(2, "kept").insert(&warm.here.orm).await.unwrap();
    warm.until_cached(2, "kept").await;
    warm.server.stop_gracefully().await;
    page(1, "new").update(&warm.here.orm).await.unwrap();
    assert_eq!(warm.read(1).await, "new");
    warm.server.start().await;
    assert!(warm.lies_there(2), "it has kept its items");
    until("the outbox is drained", async || warm.here.outbox().await.is_empty()).await;
    warm.until_cached(1, "new").await;
}

#[tokio::test]
async fn a_transaction_that_was_fenced_before_it_is_released_after_it() {
    let mut warm = Warm::started().await;
    page(1, "0").insert(&warm.here.orm).await.unwrap();
    warm.until_cached(1, "0").await;
    let mut transaction = warm.here.direct().begin().await.unwrap();
    let pending = page(1, "1").update_on(&warm.here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    warm.server.stop_gracefully().await;
    warm.server.start().await;
    assert!(warm.lies_there(1), "it has kept the fence");
    warm.until_reached().await;
    assert_eq!(warm.read(1).await, "0");
    transaction.commit().await.unwrap();
    fenced.release().await;
    for _ in 0..3 {
        assert_eq!(warm.read(1).await, "1");
    }
    warm.until_cached(1, "1").await;
}
