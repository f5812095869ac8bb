//! Where a test runs: a database and a cache that it has for itself.

use crate::{
    databases::{Kind, Options, Removed, ServerDatabase, TestDatabase, unique_name},
    memcached,
    outbox_rows::OutboxRows,
    proxy::Proxy,
    tables::Table,
};
use cached_orm::{Orm, OrmBuilder, Statistics};
use sqlx::Pool;
use std::{marker::PhantomData, time::Duration};

/// Short, so that no test waits long for a server that has just started.
pub(crate) const COMMIT_WINDOW: Duration = Duration::from_millis(800);
pub(crate) const HOLD_OFF: Duration = Duration::from_secs(1);

/// A machine that is busy must not look like a cache that is down.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) trait Cache: 'static {
    /// Puts this cache before the database.
    fn choose<DB: TestDatabase>(builder: OrmBuilder<DB>) -> OrmBuilder<DB>;

    /// Waits until it can be filled.
    fn ready() -> impl Future<Output = ()> + Send;
}

/// The server that all tests share, each in its own namespace.
#[derive(Debug)]
pub(crate) struct Memcached;

impl Cache for Memcached {
    fn choose<DB: TestDatabase>(builder: OrmBuilder<DB>) -> OrmBuilder<DB> {
        builder.memcached([memcached::shared_address()])
    }

    async fn ready() {
        memcached::wait_for_age(&memcached::shared_address(), HOLD_OFF).await;
    }
}

/// The store inside the process.
#[derive(Debug)]
pub(crate) struct Embedded;

impl Cache for Embedded {
    fn choose<DB: TestDatabase>(builder: OrmBuilder<DB>) -> OrmBuilder<DB> {
        builder.embedded(64 << 20)
    }

    async fn ready() {}
}

pub(crate) struct Place<DB: TestDatabase, C> {
    pub(crate) orm: Orm<DB>,
    direct: Pool<DB>,
    connect: Options<DB>,
    namespace: String,
    cache: PhantomData<C>,
    // Dropped last, after the pools.
    _scratch: Removed,
}

impl<DB: TestDatabase, C: Cache> Place<DB, C> {
    pub(crate) const DATABASE: Kind = DB::KIND;

    /// A place with these tables, all empty.
    pub(crate) async fn with(tables: &[Table]) -> Self {
        Self::built(tables, |builder| builder).await
    }

    /// A place whose `Orm` has other options than usual.
    pub(crate) async fn built(
        tables: &[Table],
        options: impl FnOnce(OrmBuilder<DB>) -> OrmBuilder<DB>,
    ) -> Self {
        Self::reached(tables, |_| None, options).await
    }

    /// A place whose `Orm` reaches its database by a way of its own, if there is
    /// one.
    async fn reached(
        tables: &[Table],
        way: impl FnOnce(Options<DB>) -> Option<Options<DB>>,
        options: impl FnOnce(OrmBuilder<DB>) -> OrmBuilder<DB>,
    ) -> Self {
        C::ready().await;
        let (connect, scratch) = DB::create().await;
        let scratch = Removed(Some(scratch));
        let direct = DB::connect(connect.clone()).await;
        for table in tables {
            let sql = table.sql(DB::KIND);
            DB::run(&direct, sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
        }
        let namespace = unique_name();
        let pool = match way(connect.clone()) {
            Some(way) => DB::connect(way).await,
            None => direct.clone(),
        };
        let orm = build::<DB, C>(pool, &namespace, options).await;
        Self { orm, direct, connect, namespace, cache: PhantomData, _scratch: scratch }
    }

    /// Another handle on the same database and cache, as another process has it.
    pub(crate) async fn other_handle(&self) -> Orm<DB> {
        self.handle(|builder| builder).await
    }

    /// Another handle, with options of its own.
    pub(crate) async fn handle(
        &self,
        options: impl FnOnce(OrmBuilder<DB>) -> OrmBuilder<DB>,
    ) -> Orm<DB> {
        build::<DB, C>(self.other_pool().await, &self.namespace, options).await
    }

    /// How another program connects.
    pub(crate) async fn other_pool(&self) -> Pool<DB> {
        DB::connect(self.connect.clone()).await
    }

    /// The namespace of its handles.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A pool that leads past any proxy.
    pub(crate) fn direct(&self) -> &Pool<DB> {
        &self.direct
    }

    /// The keys that wait in the outbox.
    pub(crate) async fn outbox(&self) -> Vec<String>
    where
        DB: OutboxRows,
    {
        DB::keys(&self.direct, &self.namespace).await.expect("the outbox is there")
    }

    /// Puts a text into the outbox, as a trigger does.
    pub(crate) async fn enlist(&self, namespace: &str, key: &str) {
        self.run(&format!(
            "INSERT INTO cached_orm_outbox (namespace, cache_key) VALUES ('{namespace}', '{key}')"
        ))
        .await;
    }

    /// Runs SQL of which the library knows nothing.
    pub(crate) async fn run(&self, sql: &str) {
        let done = DB::run(&self.direct, sql).await;
        done.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.orm.statistics()
    }

    /// How often a read has asked the database since the last call with the same
    /// `since`.
    pub(crate) fn loads_since(&self, since: &mut Statistics) -> u64 {
        let now = self.statistics();
        let loads = now.loads - since.loads;
        *since = now;
        loads
    }
}

impl<DB: ServerDatabase, C: Cache> Place<DB, C> {
    /// A place whose `Orm` reaches its database through `proxy`.
    pub(crate) async fn behind(
        proxy: &Proxy,
        tables: &[Table],
        options: impl FnOnce(OrmBuilder<DB>) -> OrmBuilder<DB>,
    ) -> Self {
        Self::reached(tables, |connect| Some(DB::through(connect, proxy)), options).await
    }

    /// Another handle, which reaches the database through `proxy`.
    pub(crate) async fn handle_behind(&self, proxy: &Proxy) -> Orm<DB> {
        let pool = DB::connect(DB::through(self.connect.clone(), proxy)).await;
        build::<DB, C>(pool, &self.namespace, |builder| builder).await
    }
}

async fn build<DB: TestDatabase, C: Cache>(
    pool: Pool<DB>,
    namespace: &str,
    options: impl FnOnce(OrmBuilder<DB>) -> OrmBuilder<DB>,
) -> Orm<DB> {
    let builder = C::choose(Orm::builder(pool))
        .namespace(namespace)
        .timeout(PATIENCE)
        .connect_timeout(PATIENCE)
        .commit_window(COMMIT_WINDOW)
        .hold_off(HOLD_OFF)
        .max_database_loads(8);
    options(builder).build().await.expect("the options make sense")
}
