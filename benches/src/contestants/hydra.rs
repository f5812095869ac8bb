//! hydracache, a cache in the process, before sqlx.

use super::plain;
use benches::{
    Result,
    contestant::Reader,
    item::{Item, Wanted},
};
use hydracache::{CacheOptions, HydraCache, TypedCache};
use sqlx::PgPool;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Bytes that it may keep.
const CAPACITY: u64 = 64 << 20;
/// That of the other contestants' rows.
const TTL: Duration = Duration::from_secs(3600);

/// `get_or_load`, as its guide shows it.
pub(crate) struct Hydra {
    pool: PgPool,
    cache: TypedCache<Option<Item>>,
    loads: Arc<AtomicU64>,
}

impl Hydra {
    /// Before `pool`.
    pub(crate) fn new(pool: &PgPool) -> Self {
        let cache = HydraCache::local().max_capacity(CAPACITY).build().typed("items");
        Self { pool: pool.clone(), cache, loads: Arc::default() }
    }
}

impl Reader for Hydra {
    type Row = Item;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
        let id = wanted.item.id;
        let (pool, loads) = (self.pool.clone(), Arc::clone(&self.loads));
        let load = move || async move {
            loads.fetch_add(1, Ordering::Relaxed);
            plain::select(&pool, id).await
        };
        Ok(self.cache.get_or_load(&id.to_string(), CacheOptions::new().ttl(TTL), load).await?)
    }

    fn is_right(&self, wanted: &Wanted, row: &Item) -> bool {
        *row == wanted.item
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}
