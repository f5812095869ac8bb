//! A map in the process before sqlx, the way one writes it with moka.

use super::plain;
use benches::{
    Result,
    contestant::Reader,
    item::{Item, Wanted},
};
use moka::sync::Cache;
use sqlx::PgPool;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Rows that it may keep.
const CAPACITY: u64 = 100_000;
/// That of the other contestants' rows.
const TTL: Duration = Duration::from_secs(3600);

/// Rows as they are, in no encoding.
#[derive(Debug)]
pub(crate) struct MokaByHand {
    pool: PgPool,
    cache: Cache<i64, Arc<Item>>,
    loads: AtomicU64,
}

impl MokaByHand {
    /// Before `pool`.
    pub(crate) fn new(pool: &PgPool) -> Self {
        let cache = Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build();
        Self { pool: pool.clone(), cache, loads: AtomicU64::new(0) }
    }
}

impl Reader for MokaByHand {
    type Row = Item;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
        let id = wanted.item.id;
        if let Some(row) = self.cache.get(&id) {
            // The other contestants' callers own their rows, too.
            return Ok(Some(Item::clone(&row)));
        }
        self.loads.fetch_add(1, Ordering::Relaxed);
        let row = plain::select(&self.pool, id).await?;
        if let Some(row) = &row {
            self.cache.insert(id, Arc::new(row.clone()));
        }
        Ok(row)
    }

    fn is_right(&self, wanted: &Wanted, row: &Item) -> bool {
        *row == wanted.item
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}
