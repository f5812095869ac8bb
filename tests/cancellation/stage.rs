//! Where a test runs: an `Orm` on a small pool, and another way to its database.

use crate::{
    databases::{Kind, Removed, unique_name},
    memcached,
    proxy::Proxy,
    sessions::{Sessions, Way},
    tables,
};
use cached_orm::Orm;
use sqlx::{Pool, pool::PoolOptions};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The connections of the user's pool.
const POOL: u32 = 2;

/// A connection that is not there within this is gone for good.
const ACQUIRE: Duration = Duration::from_secs(15);

/// What is under way by then never ends.
const DEADLINE: Duration = Duration::from_secs(20);

/// A machine that is busy must not look like a cache that is down.
const TIMEOUT: Duration = Duration::from_secs(5);
const HOLD_OFF: Duration = Duration::from_secs(1);
const COMMIT_WINDOW: Duration = Duration::from_millis(800);

pub(crate) struct Stage<DB: Sessions> {
    pub(crate) orm: Orm<DB>,
    /// Another way to the database.
    pub(crate) watch: Pool<DB>,
    name: String,
    _proxy: Option<Proxy>,
    // Dropped last, after the pools.
    _scratch: Removed,
}

impl<DB: Sessions> Stage<DB> {
    pub(crate) const DATABASE: Kind = DB::KIND;

    /// With the tables, and an outbox that nobody drains.
    pub(crate) async fn new() -> Self {
        let name = unique_name();
        let Way { direct, slow, proxy, scratch } = DB::way(&name).await;
        let scratch = Removed(Some(scratch));
        // Of both, sqlx 0.9.0 may make a loop without end (sqlx#3645).
        let pool = || PoolOptions::new().idle_timeout(None).max_lifetime(None);
        let pool = |most| pool().max_connections(most).acquire_timeout(ACQUIRE);
        let watch = pool(2).connect_with(direct).await.expect("the database answers");
        DB::run(&watch, tables::sql(DB::KIND)).await.expect("the tables are created");
        memcached::wait_for_age(&memcached::shared_address(), HOLD_OFF).await;
        let orm = Orm::builder(pool(POOL).connect_with(slow).await.expect("it answers"))
            .memcached([memcached::shared_address()])
            .namespace(&name)
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .commit_window(COMMIT_WINDOW)
            .hold_off(HOLD_OFF)
            .max_database_loads(POOL)
            .drainer(false)
            .build()
            .await
            .expect("the options make sense");
        orm.install_outbox().await.expect("the outbox is created");
        Self { orm, watch, name, _proxy: proxy, _scratch: scratch }
    }

    /// Runs SQL of which the library knows nothing.
    pub(crate) async fn run(&self, sql: &str) {
        let done = DB::run(&self.watch, sql).await;
        done.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// Waits until nothing is under way, and looks at every connection as its next
    /// user would.
    pub(crate) async fn at_rest(&self, what: &str) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let busy = DB::busy(&self.watch, &self.name).await.expect("the watcher is told");
            if busy.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "{what}: still busy: {busy:?}");
            sleep(Duration::from_millis(2)).await;
        }
        let mut connections = Vec::new();
        for _ in 0..POOL {
            let connection = self.orm.pool().acquire().await;
            connections
                .push(connection.unwrap_or_else(|error| panic!("{what}: a connection: {error}")));
        }
        for connection in &mut connections {
            match DB::unclean(connection).await {
                Ok(None) => {}
                Ok(Some(unclean)) => panic!("{what}: for its next user {unclean}"),
                Err(error) => panic!("{what}: for its next user: {error}"),
            }
        }
    }
}
