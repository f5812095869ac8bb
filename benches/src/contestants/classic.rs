//! The memcache crate's blocking client, which most programs have, before sqlx.

use super::plain;
use benches::{
    Result,
    contestant::{Reader, Writer},
    item::{Item, Wanted},
};
use memcache::{Client, ConnectionManager, MemcacheError, Pool, Url};
use sqlx::PgPool;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::spawn_blocking;

/// Connections to memcached.
const CONNECTIONS: u32 = 32;
/// That of the other contestants' rows, in seconds.
const TTL: u32 = 3600;

/// The blocking client with its pool, on Tokio's threads for what blocks.
pub(crate) struct Classic {
    pool: PgPool,
    client: Client,
    /// Keeps one workload's entries from another's.
    prefix: &'static str,
    loads: AtomicU64,
}

impl Classic {
    /// Before `pool`, with entries of its own.
    pub(crate) async fn new(pool: &PgPool, address: &str, prefix: &'static str) -> Result<Self> {
        let url = Url::parse(&format!("memcache://{address}?protocol=ascii"))?;
        let client = spawn_blocking(move || {
            // As the client builds it, each use would cost one more round trip.
            let pool = Pool::builder().max_size(CONNECTIONS).test_on_check_out(false);
            Client::with_pool(pool.build(ConnectionManager::new(url))?)
        });
        let (pool, client) = (pool.clone(), client.await??);
        Ok(Self { pool, client, prefix, loads: AtomicU64::new(0) })
    }

    fn key(&self, id: i64) -> String {
        format!("{}:item:{id}", self.prefix)
    }

    /// Has the client do something on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Client) -> Result<T, MemcacheError> + Send + 'static,
    ) -> Result<T> {
        let client = self.client.clone();
        Ok(spawn_blocking(move || work(&client)).await??)
    }
}

impl Reader for Classic {
    type Row = Item;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
        let key = self.key(wanted.item.id);
        let (key, value) = self
            .blocking(move |client| client.get::<Vec<u8>>(&key).map(|value| (key, value)))
            .await?;
        if let Some(value) = value {
            return Ok(Some(rmp_serde::from_slice(&value)?));
        }
        self.loads.fetch_add(1, Ordering::Relaxed);
        let row = plain::select(&self.pool, wanted.item.id).await?;
        if let Some(row) = &row {
            let value = rmp_serde::to_vec(row)?;
            self.blocking(move |client| client.set(&key, &value[..], TTL)).await?;
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

impl Writer for Classic {
    async fn write(&self, row: Item) -> Result<()> {
        let key = self.key(row.id);
        plain::update(&self.pool, row).await?;
        self.blocking(move |client| client.delete(&key)).await?;
        Ok(())
    }
}
