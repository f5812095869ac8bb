mod build;
mod coherence;
#[cfg(feature = "test-kit")]
mod for_tests;

use crate::{
    Backend, CacheStore, Error, OnUnreachable, Outbox, Result, cache::MemcachedOptions,
    cache_url::CacheUrl, entry::Signing, probe::Probe,
};
use sqlx::Pool;
use std::{sync::Arc, time::Duration};

/// Fences must fit in any case.
#[cfg(feature = "embedded")]
const LEAST_EMBEDDED: u64 = 64 << 10;

/// Which cache is put before the database.
#[derive(Debug)]
enum Store {
    Memcached,
    #[cfg(feature = "embedded")]
    Embedded(u64),
    Uncached,
    Custom(Arc<dyn CacheStore>),
}

/// Builds an [`Orm`](crate::Orm).
///
/// One of [`memcached`](Self::memcached), `embedded`,
/// [`uncached`](Self::uncached) and [`store`](Self::store) must be called; the
/// rest has defaults. All processes that share a cache must agree on the
/// namespace, the list of servers, and the times.
///
/// ```no_run
/// # async fn example(pool: cached_orm::sqlx::PgPool) -> cached_orm::Result<()> {
/// use cached_orm::Orm;
///
/// let orm = Orm::builder(pool)
///     .memcached(["10.0.0.1:11211", "10.0.0.2:11211"])
///     .namespace("shop")
///     .max_database_loads(16)
///     .build()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "call `build`"]
#[derive(Debug)]
pub struct OrmBuilder<DB: Backend> {
    pool: Pool<DB>,
    store: Option<Store>,
    namespace: String,
    signing: Signing,
    memcached: MemcachedOptions,
    lease_ttl: Duration,
    fence_ttl: Duration,
    commit_window: Duration,
    write_timeout: Option<Duration>,
    on_unreachable: Option<OnUnreachable>,
    outbox: Outbox,
    drainer: bool,
    outbox_poll: Duration,
    listens: bool,
    max_database_loads: u32,
    load_timeout: Duration,
    near_capacity: u64,
    metrics_every: Option<Duration>,
    probe: Probe,
}

impl<DB: Backend> OrmBuilder<DB> {
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        Self {
            pool,
            store: None,
            namespace: String::new(),
            signing: Signing::OFF,
            memcached: MemcachedOptions::default(),
            lease_ttl: Duration::from_secs(10),
            fence_ttl: Duration::from_secs(60),
            commit_window: Duration::from_secs(5),
            write_timeout: None,
            on_unreachable: None,
            outbox: Outbox::default(),
            drainer: true,
            outbox_poll: Duration::from_millis(250),
            listens: true,
            max_database_loads: 32,
            load_timeout: Duration::from_secs(10),
            near_capacity: 64 << 20,
            metrics_every: None,
            probe: Probe::default(),
        }
    }

    /// Caches in these memcached servers, `host:port` each; without a port,
    /// 11211. An IPv6 address stands in brackets.
    ///
    /// Keys are spread over them by these texts, of which case, a dot at the end, and
    /// how an IPv6 address is spelt do not count; names are not resolved for it, so a
    /// name and its address are two. Everyone must name a server alike.
    ///
    /// The servers are dialled in the background: one that is down neither
    /// delays the start nor fails a read. A name must stand for one server; of
    /// several addresses the first in numerical order is taken, by everyone.
    /// Give each database a [`namespace`](Self::namespace) of its own.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.memcached(["10.0.0.1", "10.0.0.2:11212"]);
    /// # }
    /// ```
    pub fn memcached<S: Into<String>>(mut self, servers: impl IntoIterator<Item = S>) -> Self {
        self.memcached.servers = servers.into_iter().map(Into::into).collect();
        self.store = Some(Store::Memcached);
        self
    }

    /// Caches in this process, in `max_bytes` of memory.
    ///
    /// For one process: another's writes are not seen until the TTL.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.embedded(64 << 20);
    /// # }
    /// ```
    #[cfg(feature = "embedded")]
    pub fn embedded(mut self, max_bytes: u64) -> Self {
        self.store = Some(Store::Embedded(max_bytes));
        self
    }

    /// Caches nothing: every read is the database's.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.uncached();
    /// # }
    /// ```
    pub fn uncached(mut self) -> Self {
        self.store = Some(Store::Uncached);
        self
    }

    /// Caches where this URL says, with the parameters that it has: what
    /// [`Orm::connect`](crate::Orm::connect) takes.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the URL makes no sense.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) -> cached_orm::Result<()> {
    /// let builder = builder.cache_url("memcached://10.0.0.1,10.0.0.2?namespace=shop")?;
    /// # Ok(()) }
    /// ```
    pub fn cache_url(self, url: &str) -> Result<Self> {
        let url = CacheUrl::parse(url).map_err(Error::Configuration)?;
        Ok(url.apply(self))
    }

    /// Caches in a store of your own.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres, CacheStore}; use std::sync::Arc;
    /// # fn example(builder: OrmBuilder<Postgres>, store: Arc<dyn CacheStore>) {
    /// let builder = builder.store(store);
    /// # }
    /// ```
    pub fn store(mut self, store: Arc<dyn CacheStore>) -> Self {
        self.store = Some(Store::Custom(store));
        self
    }

    /// The first part of every key: up to 64 letters, digits, `_`, `-` and `.`.
    /// Default: none.
    ///
    /// Rows are told apart by namespace, table and key only. Databases that
    /// share a cache (two services, staging and production, a schema for each
    /// tenant) must each have their own, or one is given the other's rows.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.namespace("shop-staging");
    /// # }
    /// ```
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Signs entries with the first of these keys, and takes only those for rows that
    /// one of them has signed. Default: entries have a checksum only.
    ///
    /// For a cache that others can write to: without a key nobody can make up a row,
    /// change one, or put it in another's place; what is not signed is loaded anew and
    /// replaced. Who has no key can still read all entries, delete them, and bring
    /// back an older one of the same row: see the threat model in `docs/`.
    ///
    /// A key is 32 random bytes that the cache's hosts do not have, and one database's
    /// only: what is signed is namespace, table and key. Signatures are brought in by
    /// one roll-out: a program without this option reads signed entries too, by their
    /// checksums. To exchange a key takes three: first a program that knows the new key
    /// behind the old one, everywhere; then one that has it first; and after the longest
    /// TTL one without the old key.
    ///
    /// An entry is 16 bytes longer.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>, new_key: [u8; 32], old_key: [u8; 32]) {
    /// let builder = builder.sign_entries([new_key, old_key]);
    /// # }
    /// ```
    pub fn sign_entries(mut self, keys: impl IntoIterator<Item = [u8; 32]>) -> Self {
        self.signing = Signing::new(keys);
        self
    }

    /// Connections to each memcached server, besides one for values of more than
    /// 64 KiB. Default: 2 to a single server, 1 to each of several.
    ///
    /// A connection carries the commands of many callers at once; more of them make
    /// smaller batches.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.connections(4);
    /// # }
    /// ```
    pub fn connections(mut self, connections: usize) -> Self {
        self.memcached.connections = Some(connections);
        self
    }

    /// How long a read waits for memcached, in queues too, before the database is
    /// asked instead. Default: 50 ms. What a write waits is
    /// [`write_timeout`](Self::write_timeout).
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres}; use std::time::Duration;
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.timeout(Duration::from_millis(20));
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.memcached.timeout = timeout;
        self
    }

    /// How long connecting to a memcached server may take. Default: 500 ms.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres}; use std::time::Duration;
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.connect_timeout(Duration::from_millis(200));
    /// # }
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.memcached.connect_timeout = timeout;
        self
    }

    /// How many rows are loaded at once for reads that the cache did not
    /// answer. They have a pool of their own, made from the options of the one
    /// given to [`Orm::builder`](crate::Orm::builder), so allow for that many connections more, and
    /// four for the outbox and the catalog. Default: 32.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.max_database_loads(16);
    /// # }
    /// ```
    pub fn max_database_loads(mut self, loads: u32) -> Self {
        self.max_database_loads = loads;
        self
    }

    /// How long a read waits while as many rows as may be are loaded at once;
    /// then it fails with [`Error::Overloaded`]. Default: 10 s.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres}; use std::time::Duration;
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.load_timeout(Duration::from_secs(2));
    /// # }
    /// ```
    pub fn load_timeout(mut self, timeout: Duration) -> Self {
        self.load_timeout = timeout;
        self
    }

    /// How many bytes the copies take together, about, that this process keeps of rows
    /// of structs with `near_ttl`; 0 for no copies. Those whose time is over count
    /// until others need their place. Default: 64 MiB.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.near_capacity(16 << 20);
    /// # }
    /// ```
    pub fn near_capacity(mut self, bytes: u64) -> Self {
        self.near_capacity = bytes;
        self
    }

    /// Measures how long operations take, and hands that and what is counted to the
    /// recorder of the [`metrics`](https://docs.rs/metrics) facade: counters and gauges
    /// so often, times as they are taken. Default: never. Install the recorder first.
    ///
    /// So often the outbox is counted too, and every cache server is asked whether it
    /// answers: every 10 s is often enough.
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, every: Duration) -> Self {
        self.metrics_every = Some(every);
        self
    }
}
