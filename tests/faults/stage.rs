//! A database, memcached servers, and the proxies before them.

use crate::{
    arguments::Policy,
    engines::{Engine, Options, pool},
    proxies::{CacheProxy, DatabaseProxy},
    rows::HotRow as _,
    servers::{DatabaseServer, Memcached},
};
use cached_orm::{MemcachedOrm as _, OnUnreachable, Orm, OrmBuilder, Outbox};
use sqlx::Pool;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    sync::Mutex,
    task::spawn_blocking,
    time::{Instant, sleep},
};

/// All handles of a run agree on these. Short, so that a restarted server is
/// filled again soon.
pub(crate) const HOLD_OFF: Duration = Duration::from_secs(2);
pub(crate) const COMMIT_WINDOW: Duration = Duration::from_millis(800);
pub(crate) const FENCE_TTL: Duration = Duration::from_secs(4);
const LEASE_TTL: Duration = Duration::from_secs(2);

const SERVERS: usize = 3;
/// Loads of one handle that may run at once.
pub(crate) const MAX_LOADS: u32 = 6;

/// One memcached, and what the library takes for it.
pub(crate) struct CacheServer {
    pub(crate) memcached: Memcached,
    pub(crate) proxy: CacheProxy,
    /// One fault at a time.
    pub(crate) turn: Mutex<()>,
}

pub(crate) struct Stage<DB: Engine> {
    pub(crate) caches: Vec<Arc<CacheServer>>,
    pub(crate) database: Option<Arc<DatabaseServer>>,
    pub(crate) database_proxy: Option<Arc<DatabaseProxy>>,
    /// Past the proxy, for the harness itself.
    pub(crate) own_pool: Pool<DB>,
    pub(crate) policy: Policy,
    pub(crate) keys: i64,
    /// Whether the library does without the proxies.
    is_direct: bool,
    /// Removed with the stage.
    pub(crate) folder: TempDir,
}

impl<DB: Engine> Stage<DB> {
    /// Starts everything, with every row there at revision 1.
    pub(crate) async fn set(policy: Policy, keys: i64) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("cached-orm-faults.").tempdir();
        let folder = folder.map_err(|error| format!("no temporary folder: {error}"))?;
        // memcached's own user writes the log there, by a file that is open.
        // Away from those at work, for it takes a while.
        let database = spawn_blocking(DB::server).await.expect("no panic")?.map(Arc::new);
        let mut database_proxy = None;
        if let Some(database) = &database {
            database.start().await;
            database_proxy = Some(Arc::new(DatabaseProxy::to(database.port()).await));
        }
        let mut caches = Vec::new();
        for _ in 0..SERVERS {
            let memcached = Memcached::new(folder.path())?;
            memcached.start().await;
            let proxy = CacheProxy::to(memcached.address()).await;
            caches.push(Arc::new(CacheServer { memcached, proxy, turn: Mutex::default() }));
        }
        let port = database.as_ref().map_or(0, |database| database.port());
        let own_pool = pool::<DB>(DB::options(port, folder.path()), 4);
        let stage = Self {
            caches,
            database,
            database_proxy,
            own_pool,
            policy,
            keys,
            is_direct: false,
            folder,
        };
        stage.lay_tables().await?;
        Ok(stage)
    }

    /// Without the proxies, which take their time.
    pub(crate) fn without_proxies(mut self) -> Self {
        self.is_direct = true;
        self
    }

    async fn lay_tables(&self) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(30);
        // It listens before it is ready.
        while let Err(error) = DB::run(&self.own_pool, "SELECT 1").await {
            if Instant::now() > deadline {
                return Err(format!("{} does not answer: {error}", DB::TITLE));
            }
            sleep(Duration::from_millis(20)).await;
        }
        let mut sql = DB::TABLES.to_owned();
        let ids: Vec<_> = (0..self.keys).map(|key| format!("({key}, 0)")).collect();
        sql.push_str(&format!("; INSERT INTO ledger (id, revision) VALUES {}", ids.join(", ")));
        if self.policy != Policy::Abort {
            sql.push_str("; ");
            sql.push_str(Orm::<DB>::outbox_sql());
            sql.push_str("; ");
            sql.push_str(DB::OUTBOX_LOG);
        }
        DB::run(&self.own_pool, &sql).await.map_err(|error| format!("the tables: {error}"))
    }

    /// Where the library finds the database.
    pub(crate) fn database_port(&self) -> u16 {
        match (&self.database_proxy, &self.database) {
            (Some(proxy), _) if !self.is_direct => proxy.port(),
            (_, Some(database)) => database.port(),
            (_, None) => 0,
        }
    }

    pub(crate) fn options(&self) -> Options<DB> {
        DB::options(self.database_port(), self.folder.path())
    }

    /// Where the library finds the caches.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let address = |cache: &Arc<CacheServer>| match self.is_direct {
            true => cache.memcached.address(),
            false => cache.proxy.address(),
        };
        self.caches.iter().map(address).collect()
    }

    /// Another handle, as another process has it.
    pub(crate) async fn handle(
        &self,
        options: impl FnOnce(OrmBuilder<DB>) -> OrmBuilder<DB>,
    ) -> Orm<DB> {
        let builder = Orm::builder(pool::<DB>(self.options(), 6));
        let builder = configure(builder, self.addresses(), self.policy);
        options(builder).build().await.expect("the options make sense")
    }

    /// Inserts every row, past the cache: revision 1, attempt 0.
    pub(crate) async fn insert_rows(&self) {
        let pool = self.own_pool.clone();
        let orm = Orm::builder(pool).uncached().build().await.expect("an Orm without a cache");
        for key in 0..self.keys {
            let row = DB::Old::new(key, 1, 0);
            row.insert(&orm).await.expect("the row is new");
        }
    }

    /// Everything goes on, as if nothing had been.
    pub(crate) async fn heal(&self) {
        for cache in &self.caches {
            cache.proxy.disturb(None);
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Err(error) = DB::run(&self.own_pool, "SELECT 1").await {
            assert!(Instant::now() < deadline, "{} does not answer: {error}", DB::TITLE);
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The options on which all handles agree, in whichever process.
pub(crate) fn configure<DB: Engine>(
    builder: OrmBuilder<DB>,
    caches: impl IntoIterator<Item = String>,
    policy: Policy,
) -> OrmBuilder<DB> {
    let builder = builder
        .memcached(caches)
        .namespace("faults")
        .hold_off(HOLD_OFF)
        .commit_window(COMMIT_WINDOW)
        .fence_ttl(FENCE_TTL)
        .lease_ttl(LEASE_TTL)
        .max_database_loads(MAX_LOADS);
    match policy {
        Policy::Abort => builder.on_unreachable(OnUnreachable::Abort),
        Policy::Outbox => builder.on_unreachable(OnUnreachable::Outbox),
        Policy::Always => builder.on_unreachable(OnUnreachable::Outbox).outbox(Outbox::Always),
    }
}
