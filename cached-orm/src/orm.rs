mod columns;
mod indexes_read;
mod other_structs;
mod outbox;
mod own_connections;
mod schemas;
mod writes;

pub use own_connections::LoadStatus;

pub(crate) use own_connections::OwnConnection;

#[cfg(feature = "metrics")]
use crate::observe::{Publisher, publish_for_ever};

use crate::{
    Backend, CacheKey, CacheStore, Entity, Error, Isolation, Operation, OrmBuilder,
    PrimaryKey as _, Result, Statistics, Transaction,
    cache_url::CacheUrl,
    coherence::Coherence,
    entry::{Lost, Signing},
    key::{CacheName, Namespace},
    observe::{Counters, Meters},
    outbox::{Drainer, OutboxUse},
    probe::Probe,
    triggers::InstalledTriggers,
};
use sqlx::{Connection as _, Pool};
use std::{
    any::TypeId,
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::AtomicBool},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

type ConnectOptions<DB> = <<DB as sqlx::Database>::Connection as sqlx::Connection>::Options;

/// Connections of the own pool besides those of loads: for the drainer, for its
/// listening, and for what is asked of the catalog.
const SPARE_CONNECTIONS: u32 = 4;

/// A database pool, and the cache before it.
///
/// Cheap to clone; the clones are one handle.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use cached_orm::{Orm, sqlx::PgPool};
///
/// let pool = PgPool::connect("postgres://localhost/shop").await?;
/// let orm = Orm::builder(pool).memcached(["10.0.0.1:11211"]).namespace("shop").build().await?;
/// # Ok(()) }
/// ```
pub struct Orm<DB: Backend>(Arc<Inner<DB>>);

/// An `Orm` that does not keep itself alive.
pub(crate) struct WeakOrm<DB: Backend>(Weak<Inner<DB>>);

impl<DB: Backend> WeakOrm<DB> {
    pub(crate) fn upgrade(&self) -> Option<Orm<DB>> {
        self.0.upgrade().map(Orm)
    }
}

struct Inner<DB: Backend> {
    pool: Pool<DB>,
    own_pool: Pool<DB>,
    /// Whether that is the user's, and what was written is gone with the last of its
    /// connections.
    lives_in_pool: bool,
    /// One permit for each load that may be under way.
    loads: Arc<Semaphore>,
    most_loads: usize,
    load_timeout: Duration,
    /// When a connection of the own pool was last found fit for loads.
    loads_checked: Mutex<Option<Instant>>,
    coherence: Arc<Coherence>,
    probe: Probe,
    meters: Arc<Meters>,
    #[cfg(feature = "metrics")]
    publisher: Publisher,
    namespace: Namespace,
    signing: Signing,
    outbox: OutboxUse,
    /// Tells the tasks that go on in the background to end.
    closing: watch::Sender<bool>,
    /// The options that the own pool connects with.
    connect_options: Mutex<Arc<ConnectOptions<DB>>>,
    schemas: schemas::Schemas,
    /// Of which structs it was told that rows are not cached, and why.
    told_lost: Mutex<HashSet<(&'static str, Lost)>>,
    indexes_read: indexes_read::IndexesRead,
    installed_triggers: InstalledTriggers,
    /// The entities whose rows are known to be found by their columns.
    columns_fit: Mutex<HashSet<TypeId>>,
}

/// What an [`Orm`] is made of.
pub(crate) struct Parts<DB: Backend> {
    pub(crate) pool: Pool<DB>,
    pub(crate) coherence: Coherence,
    pub(crate) probe: Probe,
    pub(crate) counters: Arc<Counters>,
    pub(crate) namespace: Namespace,
    pub(crate) signing: Signing,
    pub(crate) outbox: OutboxUse,
    pub(crate) max_database_loads: u32,
    pub(crate) load_timeout: Duration,
    /// How often the outbox is looked at, if this `Orm` drains it.
    pub(crate) drains_every: Option<Duration>,
    /// Whether it hears of what triggers put in.
    pub(crate) listens: bool,
    /// How often metrics are published, if they are.
    pub(crate) publishes_every: Option<Duration>,
}

impl<DB: Backend> Orm<DB> {
    /// Begins to put a cache before `pool`.
    ///
    /// ```no_run
    /// # async fn example(pool: cached_orm::sqlx::PgPool) -> cached_orm::Result<()> {
    /// use cached_orm::Orm;
    ///
    /// let orm = Orm::builder(pool).memcached(["10.0.0.1:11211"]).namespace("shop").build().await?;
    /// # Ok(()) }
    /// ```
    pub fn builder(pool: Pool<DB>) -> OrmBuilder<DB> {
        OrmBuilder::new(pool)
    }

    /// Connects to a database and names a cache.
    ///
    /// The cache's URL is `memcached://host:port,host:port`, `embedded://64mb`
    /// or `uncached://`, with the parameters `namespace`, `connections`, `timeout`
    /// and `write_timeout`: `memcached://a,b?namespace=shop&timeout=50ms`.
    ///
    /// A cache that is down does not matter; a database that is down is an error.
    ///
    /// # Errors
    /// [`Error::Configuration`] if a URL makes no sense, [`Error::Connect`] if
    /// the database cannot be reached.
    ///
    /// ```no_run
    /// # async fn example() -> cached_orm::Result<()> {
    /// use cached_orm::{Orm, Postgres};
    ///
    /// let orm = Orm::<Postgres>::connect(
    ///     "postgres://localhost/shop",
    ///     "memcached://10.0.0.1:11211,10.0.0.2:11211?namespace=shop",
    /// )
    /// .await?;
    /// # Ok(()) }
    /// ```
    pub async fn connect(database_url: &str, cache_url: &str) -> Result<Self> {
        let cache = CacheUrl::parse(cache_url).map_err(Error::Configuration)?;
        check_scheme::<DB>(database_url)?;
        let failed = |source| Error::Connect { source: Arc::new(source) };
        let options: ConnectOptions<DB> = database_url.parse().map_err(failed)?;
        // A pool would try again until its time is up, and then not say why.
        let first = DB::Connection::connect_with(&options).await.map_err(failed)?;
        first.close().await.map_err(failed)?;
        let pool = Pool::connect_lazy_with(options);
        cache.apply(Self::builder(pool)).build().await
    }

    pub(crate) async fn assemble(parts: Parts<DB>) -> Result<Self> {
        let connect_options = parts.pool.connect_options();
        let connections = parts.max_database_loads.saturating_add(SPARE_CONNECTIONS);
        let own_pool = if parts.probe.rolls_back() {
            // Nobody else sees what is never committed.
            None
        } else {
            DB::own_pool(&parts.pool, connections)
                .await
                .map_err(Error::database(Operation::new("build")))?
        };
        let lives_in_pool = own_pool.is_none();
        let own_pool = own_pool.unwrap_or_else(|| parts.pool.clone());
        let most_loads = usize::try_from(parts.max_database_loads).unwrap_or(usize::MAX);
        let most_loads = most_loads.min(Semaphore::MAX_PERMITS);
        let (closing, _) = watch::channel(false);
        let orm = Self(Arc::new(Inner {
            pool: parts.pool,
            own_pool,
            lives_in_pool,
            loads: Arc::new(Semaphore::new(most_loads)),
            most_loads,
            load_timeout: parts.load_timeout,
            loads_checked: Mutex::default(),
            coherence: Arc::new(parts.coherence),
            probe: parts.probe,
            meters: Arc::new(Meters::new(
                parts.counters,
                parts.publishes_every.is_some(),
                DB::NAME,
            )),
            #[cfg(feature = "metrics")]
            publisher: Publisher::default(),
            namespace: parts.namespace,
            signing: parts.signing,
            outbox: parts.outbox,
            closing,
            connect_options: Mutex::new(connect_options),
            schemas: schemas::Schemas::default(),
            told_lost: Mutex::default(),
            indexes_read: indexes_read::IndexesRead::default(),
            installed_triggers: InstalledTriggers::default(),
            columns_fit: Mutex::default(),
        }));
        if let Some(poll) = parts.drains_every {
            let drainer = Drainer {
                orm: WeakOrm(Arc::downgrade(&orm.0)),
                filled: orm.outbox().filled(),
                poll,
                listens: parts.listens,
                hears: AtomicBool::new(false),
                closing: orm.closing(),
            };
            tokio::spawn(drainer.run());
        }
        #[cfg(feature = "metrics")]
        if let Some(every) = parts.publishes_every {
            Publisher::describe();
            let weak = WeakOrm(Arc::downgrade(&orm.0));
            tokio::spawn(publish_for_ever(weak, every, orm.closing()));
        }
        Ok(orm)
    }

    /// The pool, for statements of your own.
    ///
    /// Rows that you change on it are stale in the cache until their TTL: use
    /// [`begin`](Self::begin) and this crate's methods, or
    /// [`delete_cached_instance`](crate::MemcachedOrm::delete_cached_instance).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<(), Box<dyn std::error::Error>> {
    /// let users: i64 =
    ///     cached_orm::sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(orm.pool()).await?;
    /// # Ok(()) }
    /// ```
    pub fn pool(&self) -> &Pool<DB> {
        &self.0.pool
    }

    /// Begins a transaction, at the database's own level of isolation.
    ///
    /// On SQLite it is `BEGIN IMMEDIATE`: it waits for the other writer here
    /// and not in the middle.
    ///
    /// # Errors
    /// [`Error::Database`] if there is no connection.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
    /// let mut transaction = orm.begin().await?;
    /// // … reads and writes on `&mut transaction` …
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// ```
    pub async fn begin(&self) -> Result<Transaction<DB>> {
        Transaction::begin(self, None).await
    }

    /// Begins a transaction at this level of isolation.
    ///
    /// # Errors
    /// [`Error::Database`] if there is no connection.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
    /// use cached_orm::Isolation;
    ///
    /// let transaction = orm.begin_with(Isolation::Serializable).await?;
    /// # transaction.rollback().await }
    /// ```
    pub async fn begin_with(&self, isolation: Isolation) -> Result<Transaction<DB>> {
        Transaction::begin(self, Some(isolation)).await
    }

    /// What this handle has done since it was built.
    ///
    /// ```no_run
    /// # fn example(orm: cached_orm::Orm<cached_orm::Postgres>) {
    /// let statistics = orm.statistics();
    /// println!("{} hits, {} misses", statistics.hits, statistics.misses);
    /// # }
    /// ```
    pub fn statistics(&self) -> Statistics {
        self.0.meters.sum()
    }

    /// The store that entries lie in, for tools that look at what is there: it
    /// knows keys and bytes, and nothing of rows.
    ///
    /// To read does no harm if no lease is asked for. All else that it can do is past
    /// this crate's promises, and to close it closes it for every clone of the handle.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, user: User) -> Result<(), Box<dyn std::error::Error>> {
    /// use cached_orm::Lookup;
    ///
    /// if let Lookup::Item { value, ttl, .. } = orm.store().get(&user.get_cache_key(orm), None).await? {
    ///     println!("{} bytes, for {ttl:?}", value.len());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn store(&self) -> &dyn CacheStore {
        self.0.coherence.store()
    }

    /// Ends the tasks in the background, and closes the pools and the cache's
    /// connections.
    ///
    /// Calls that are under way may fail; calls that follow do.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> std::io::Result<()> {
    /// use tokio::signal::{ctrl_c, unix::{SignalKind, signal}};
    ///
    /// let mut terminated = signal(SignalKind::terminate())?;
    /// tokio::select! {
    ///     interrupted = ctrl_c() => interrupted?,
    ///     _ = terminated.recv() => {}
    /// }
    /// orm.close().await;
    /// # Ok(()) }
    /// ```
    pub async fn close(&self) {
        self.0.closing.send_replace(true);
        // Transactions first: their fences are still to be released.
        self.0.pool.close().await;
        self.0.own_pool.close().await;
        self.0.coherence.close().await;
    }

    pub(crate) fn coherence(&self) -> &Arc<Coherence> {
        &self.0.coherence
    }

    pub(crate) fn probe(&self) -> &Probe {
        &self.0.probe
    }

    /// What is counted for the handle as a whole.
    pub(crate) fn counters(&self) -> &Counters {
        self.0.meters.whole()
    }

    pub(crate) fn meters(&self) -> &Arc<Meters> {
        &self.0.meters
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn publisher(&self) -> &Publisher {
        &self.0.publisher
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        &self.0.namespace
    }

    pub(crate) fn signing(&self) -> &Signing {
        &self.0.signing
    }

    pub(crate) fn outbox(&self) -> &OutboxUse {
        &self.0.outbox
    }

    pub(crate) fn own_pool(&self) -> &Pool<DB> {
        &self.0.own_pool
    }

    pub(crate) fn load_status(&self) -> LoadStatus {
        let most = self.0.most_loads;
        LoadStatus { under_way: most.saturating_sub(self.0.loads.available_permits()), most }
    }

    /// Becomes true, or is dropped, at the end.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.0.closing.subscribe()
    }

    pub(crate) fn cache_key<T: Entity>(&self, key: &T::Key) -> CacheKey {
        CacheKey::of_row(&self.0.namespace, const { CacheName::of(T::CACHE_NAME) }, |text| {
            key.write_instance_key(text);
        })
    }

    /// What `read` makes of the key's text; nothing is allocated for it.
    pub(crate) fn with_cache_key<T: Entity, R>(
        &self,
        key: &T::Key,
        read: impl FnOnce(&str) -> R,
    ) -> R {
        let name = const { CacheName::of(T::CACHE_NAME) };
        let write = |text: &mut String| key.write_instance_key(text);
        CacheKey::with_text_of_row(&self.0.namespace, name, write, read)
    }

    /// Every key under which the row lies: that of its own struct, and of those
    /// that this one also fences.
    pub(crate) fn cache_keys<T: Entity>(&self, key: &T::Key) -> impl Iterator<Item = CacheKey> {
        self.named_cache_keys::<T>(key).map(|(_, key)| key)
    }

    /// The same, each with the cache name that it is of.
    pub(crate) fn named_cache_keys<T: Entity>(
        &self,
        key: &T::Key,
    ) -> impl Iterator<Item = (&'static str, CacheKey)> {
        let names = [T::CACHE_NAME].into_iter().chain(T::ALSO_FENCES.iter().copied());
        let write = |text: &mut String| key.write_instance_key(text);
        names.map(move |name| (name, CacheKey::of_row(&self.0.namespace, name, write)))
    }

    pub(crate) fn installed_triggers(&self) -> &InstalledTriggers {
        &self.0.installed_triggers
    }

    /// Notes why rows of an entity are not cached; says whether it is the first time.
    pub(crate) fn is_news(&self, entity: &'static str, lost: Lost) -> bool {
        locked(&self.0.told_lost).insert((entity, lost))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses a URL of another database. The URL may hold a password, so no more
/// of it is repeated than a scheme.
fn check_scheme<DB: Backend>(database_url: &str) -> Result<()> {
    let is_scheme = |scheme: &&str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let scheme = database_url.split_once(':').map(|(scheme, _)| scheme).filter(is_scheme);
    if scheme.is_some_and(|scheme| DB::URL_SCHEMES.contains(&scheme)) {
        return Ok(());
    }
    let accepted: Vec<_> = DB::URL_SCHEMES.iter().map(|scheme| format!("`{scheme}:`")).collect();
    let found = match scheme {
        Some(scheme) => format!("begins with `{scheme}:`"),
        None => "has no scheme".to_owned(),
    };
    Err(Error::Configuration(format!(
        "the database URL {found}; for {} it begins with {}",
        DB::NAME,
        accepted.join(" or "),
    )))
}

impl<DB: Backend> Clone for Orm<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

// Not derived: pools and caches have more to say than is of use.
impl<DB: Backend> fmt::Debug for Orm<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Orm")
            .field("database", &DB::NAME)
            .field("coherence", &self.0.coherence)
            .finish_non_exhaustive()
    }
}
