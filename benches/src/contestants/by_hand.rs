//! memcached before sqlx, the way a good engineer writes it in an afternoon: a get;
//! else a SELECT and a set; and after a write a delete.

use super::plain;
use benches::{
    Result,
    contestant::{ManyReader, Reader, UniqueReader, Writer},
    item::{Item, Wanted},
};
use memcache::exp::{AsyncMetaClient, Get, Set, Ttl};
use sqlx::PgPool;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// Connections to memcached.
const CONNECTIONS: usize = 32;
/// That of the other contestants' rows.
const TTL: Ttl = Ttl::secs(3600);

/// The pool of the memcache crate's meta protocol, and MessagePack.
pub(crate) struct ByHand {
    pool: PgPool,
    client: AsyncMetaClient,
    /// Keeps one workload's entries from another's.
    prefix: &'static str,
    loads: AtomicU64,
}

impl ByHand {
    /// Before `pool`, with entries of its own.
    pub(crate) async fn new(pool: &PgPool, address: &str, prefix: &'static str) -> Result<Self> {
        // By default it keeps few connections, and opens any number.
        let client = AsyncMetaClient::builder()
            .max_idle(CONNECTIONS)
            .max_connections(Some(CONNECTIONS))
            .connect_async(address)
            .await?;
        Ok(Self { pool: pool.clone(), client, prefix, loads: AtomicU64::new(0) })
    }

    fn key(&self, id: i64) -> String {
        format!("{}:item:{id}", self.prefix)
    }

    fn handle_key(&self, handle: &str) -> String {
        format!("{}:handle:{handle}", self.prefix)
    }

    fn loading(&self, rows: usize) {
        self.loads.fetch_add(rows as u64, Ordering::Relaxed);
    }

    async fn fill(&self, key: &str, row: &Item) -> Result<()> {
        self.client.set(key, rmp_serde::to_vec(row)?).ttl(TTL).send().await?;
        Ok(())
    }

    async fn by_id(&self, id: i64) -> Result<Option<Item>> {
        let key = self.key(id);
        if let Some(value) = self.client.get(&key).send().await?.value {
            return Ok(Some(rmp_serde::from_slice(&value)?));
        }
        self.loading(1);
        let row = plain::select(&self.pool, id).await?;
        if let Some(row) = &row {
            self.fill(&key, row).await?;
        }
        Ok(row)
    }
}

impl Reader for ByHand {
    type Row = Item;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
        self.by_id(wanted.item.id).await
    }

    fn is_right(&self, wanted: &Wanted, row: &Item) -> bool {
        *row == wanted.item
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}

impl ManyReader for ByHand {
    async fn read_many(&self, wanted: &[&Wanted]) -> Result<Vec<Option<Item>>> {
        let keys = wanted.iter().map(|wanted| self.key(wanted.item.id));
        let found = self.client.run_many(keys.map(Get::new)).await?;
        let mut rows = Vec::with_capacity(wanted.len());
        let mut missing = Vec::new();
        for (wanted, found) in wanted.iter().zip(found) {
            let row = found?.value.map(|value| rmp_serde::from_slice(&value)).transpose()?;
            if row.is_none() {
                missing.push(wanted.item.id);
            }
            rows.push(row);
        }
        if missing.is_empty() {
            return Ok(rows);
        }
        self.loading(missing.len());
        let loaded: HashMap<i64, Item> = plain::select_many(&self.pool, missing).await?;
        let mut sets = Vec::with_capacity(loaded.len());
        for row in loaded.values() {
            sets.push(Set::new(self.key(row.id), rmp_serde::to_vec(row)?).ttl(TTL));
        }
        for set in self.client.run_many(sets).await? {
            set?;
        }
        for (wanted, row) in wanted.iter().zip(&mut rows) {
            if row.is_none() {
                *row = loaded.get(&wanted.item.id).cloned();
            }
        }
        Ok(rows)
    }
}

impl UniqueReader for ByHand {
    async fn read_by_handle(&self, wanted: &Wanted) -> Result<Option<Item>> {
        let handle = &wanted.item.handle;
        let key = self.handle_key(handle);
        if let Some(value) = self.client.get(&key).send().await?.value {
            let row = self.by_id(rmp_serde::from_slice(&value)?).await?;
            // Since then the row may have been given another handle.
            if row.as_ref().is_some_and(|row| row.handle == *handle) {
                return Ok(row);
            }
        }
        self.loading(1);
        let row = plain::select_by_handle(&self.pool, handle).await?;
        if let Some(row) = &row {
            self.client.set(&key, rmp_serde::to_vec(&row.id)?).ttl(TTL).send().await?;
            self.fill(&self.key(row.id), row).await?;
        }
        Ok(row)
    }
}

impl Writer for ByHand {
    async fn write(&self, row: Item) -> Result<()> {
        let key = self.key(row.id);
        plain::update(&self.pool, row).await?;
        self.client.delete(&key).send().await?;
        Ok(())
    }
}
