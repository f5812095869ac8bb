use crate::{
    Backend, CacheKey, Entity, Error, Isolation, Operation, OrmBuilder, Persist, Result,
    Statistics, Transaction, cache_url::CacheUrl, coherence::Coherence, key::Namespace,
    observe::Counters,
};
use sqlx::{Pool, pool::PoolConnection};
use std::{
    any::TypeId,
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

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

struct Inner<DB: Backend> {
    pool: Pool<DB>,
    load_pool: Pool<DB>,
    /// Set once a connection of the load pool was found fit.
    loads_checked: OnceCell<()>,
    coherence: Arc<Coherence>,
    counters: Arc<Counters>,
    namespace: Namespace,
    /// For each entity, whether a write's row is what will be committed.
    final_rows: Mutex<HashMap<TypeId, bool>>,
}

impl<DB: Backend> Orm<DB> {
    /// Begins to put a cache before `pool`.
    pub fn builder(pool: Pool<DB>) -> OrmBuilder<DB> {
        OrmBuilder::new(pool)
    }

    /// Connects to a database and names a cache.
    ///
    /// The cache's URL is `memcached://host:port,host:port`, `embedded://64mb`
    /// or `uncached://`, with the parameters `namespace`, `connections` and
    /// `timeout`: `memcached://a,b?namespace=shop&timeout=50ms`.
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
        let scheme = database_url.split(':').next().unwrap_or_default();
        if !DB::URL_SCHEMES.contains(&scheme) {
            let accepted: Vec<_> = DB::URL_SCHEMES.iter().map(|s| format!("`{s}:`")).collect();
            return Err(Error::Configuration(format!(
                "the database URL begins with `{scheme}:`; for {} it begins with {}",
                DB::NAME,
                accepted.join(" or "),
            )));
        }
        let pool = Pool::connect(database_url)
            .await
            .map_err(|source| Error::Connect { source: Arc::new(source) })?;
        cache.apply(Self::builder(pool)).build().await
    }

    pub(crate) fn assemble(
        pool: Pool<DB>,
        max_database_loads: u32,
        coherence: Coherence,
        counters: Arc<Counters>,
        namespace: Namespace,
    ) -> Self {
        let load_pool = DB::load_pool(&pool, max_database_loads);
        Self(Arc::new(Inner {
            pool,
            load_pool,
            loads_checked: OnceCell::new(),
            coherence: Arc::new(coherence),
            counters,
            namespace,
            final_rows: Mutex::default(),
        }))
    }

    /// The pool, for statements of your own.
    ///
    /// Rows that you change on it are stale in the cache until their TTL: use
    /// [`begin`](Self::begin) and this crate's methods, or
    /// [`delete_cached_instance`](crate::MemcachedOrm::delete_cached_instance).
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
        self.0.counters.snapshot()
    }

    /// Closes the cache's connections, the pool of the loads and the pool.
    ///
    /// Calls that are under way may fail; calls that follow do.
    pub async fn close(&self) {
        self.0.coherence.store().close().await;
        self.0.load_pool.close().await;
        self.0.pool.close().await;
    }

    pub(crate) fn coherence(&self) -> &Arc<Coherence> {
        &self.0.coherence
    }

    pub(crate) fn cache_key<T: Entity>(&self, key: &T::Key) -> CacheKey {
        CacheKey::of_row(&self.0.namespace, T::CACHE_NAME, key)
    }

    /// A connection on which committed rows are seen as of now: in no
    /// transaction, and nobody else's.
    pub(crate) async fn load_connection(&self, operation: Operation) -> Result<PoolConnection<DB>> {
        let mut connection =
            self.0.load_pool.acquire().await.map_err(Error::database(operation))?;
        self.0
            .loads_checked
            .get_or_try_init(async || {
                let unfit = DB::unfit_for_loads(&mut connection).await;
                match unfit.map_err(Error::database(operation))? {
                    None => Ok(()),
                    Some(reason) => Err(Error::Configuration(format!(
                        "rows read on the pool's connections must not be cached: {reason}"
                    ))),
                }
            })
            .await?;
        Ok(connection)
    }

    /// Whether the row that a write of its own transaction returns is what will
    /// be committed. Asked of the catalog once; if that fails, not for now.
    pub(crate) async fn rows_are_final<T: Persist<DB>>(&self) -> bool {
        let id = TypeId::of::<T>();
        if let Some(known) = self.final_rows().get(&id) {
            return *known;
        }
        let Ok(mut connection) = self.load_connection(Operation::new("describe")).await else {
            return false;
        };
        let Ok(known) = DB::rows_are_final(&mut connection, T::TABLE).await else {
            return false;
        };
        self.final_rows().insert(id, known);
        known
    }

    fn final_rows(&self) -> std::sync::MutexGuard<'_, HashMap<TypeId, bool>> {
        self.0.final_rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<DB: Backend> Clone for Orm<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

// Pools print their connect options, and so passwords.
impl<DB: Backend> fmt::Debug for Orm<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Orm")
            .field("database", &DB::NAME)
            .field("coherence", &self.0.coherence)
            .finish_non_exhaustive()
    }
}
