//! cache-kit with its memcached backend, as its documentation shows it: `Refresh` to
//! read, `Invalidate` after a write.

use crate::database::{CONNECTIONS, Database};
use benches::{
    Result,
    contestant::{Reader, Writer},
    item::{Item, Wanted},
};
use cache_kit::{
    CacheEntity, CacheExpander, DataRepository, Error,
    backend::{MemcachedBackend, MemcachedConfig},
    feed::GenericFeeder,
    observability::TtlPolicy,
    strategy::CacheStrategy,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// As `Item` says; cache-kit would keep rows for ever.
const TTL: Duration = Duration::from_secs(3600);

/// A row as cache-kit wants it: with the name of its kind and its key.
#[derive(Clone, Serialize, Deserialize)]
struct Entity(Item);

impl CacheEntity for Entity {
    type Key = i64;

    fn cache_key(&self) -> i64 {
        self.0.id
    }

    fn cache_prefix() -> &'static str {
        "cache-kit"
    }
}

impl DataRepository<Entity> for Database {
    async fn fetch_by_id(&self, id: &i64) -> cache_kit::Result<Option<Entity>> {
        let row = self.select(*id).await;
        let row = row.map_err(|error| Error::RepositoryError(error.to_string()))?;
        Ok(row.map(Entity))
    }
}

/// cache-kit and sqlx.
#[derive(Clone)]
pub(crate) struct ThroughCacheKit {
    cache: Arc<CacheExpander<MemcachedBackend>>,
    database: Arc<Database>,
}

impl ThroughCacheKit {
    /// With a pool of its own, to a server at `tcp://…`.
    ///
    /// # Errors
    /// The pool cannot be made.
    pub(crate) async fn new(database: Arc<Database>, memcached: &str) -> Result<Self> {
        let config = MemcachedConfig {
            servers: vec![memcached.to_owned()],
            pool_size: CONNECTIONS,
            ..MemcachedConfig::default()
        };
        let backend = MemcachedBackend::new(config).await?;
        let cache = CacheExpander::new(backend).with_ttl_policy(TtlPolicy::Fixed(TTL));
        Ok(Self { cache: Arc::new(cache), database })
    }

    async fn with(&self, id: i64, strategy: CacheStrategy) -> Result<Option<Item>> {
        let mut feeder = GenericFeeder::<Entity>::new(id);
        self.cache.with(&mut feeder, &*self.database, strategy).await?;
        Ok(feeder.data.map(|entity| entity.0))
    }
}

impl Reader for ThroughCacheKit {
    type Row = Item;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
        self.with(wanted.item.id, CacheStrategy::Refresh).await
    }

    fn is_right(&self, wanted: &Wanted, row: &Item) -> bool {
        *row == wanted.item
    }

    fn loads(&self) -> u64 {
        self.database.loads()
    }
}

impl Writer for ThroughCacheKit {
    /// Fails where the cache does not have the row: cache-kit takes what memcached says
    /// then for an error of the backend.
    async fn write(&self, row: Item) -> Result<()> {
        self.database.update(&row).await?;
        self.with(row.id, CacheStrategy::Invalidate).await?;
        Ok(())
    }
}
