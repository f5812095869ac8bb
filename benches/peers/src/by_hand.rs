//! What one writes by hand: a pool of memcached connections, rows as MessagePack, and
//! the cache deleted from after the commit.

use crate::database::{CONNECTIONS, Database};
use async_memcached::{AsciiProtocol as _, Error, Status};
use benches::{
    Result,
    contestant::{Reader, Writer},
    item::{Item, Wanted},
};
use deadpool_memcached::{Manager, Pool};
use std::sync::Arc;

/// An hour, in seconds, as `Item` says.
const TTL: i64 = 3600;

/// deadpool-memcached and sqlx.
#[derive(Clone)]
pub(crate) struct ByHand {
    cache: Pool,
    database: Arc<Database>,
}

impl ByHand {
    /// With a pool of its own, to a server at `tcp://…`.
    ///
    /// # Errors
    /// The pool cannot be made.
    pub(crate) fn new(database: Arc<Database>, memcached: &str) -> Result<Self> {
        let cache = Pool::builder(Manager::new(memcached)).max_size(CONNECTIONS as usize);
        Ok(Self { cache: cache.build()?, database })
    }
}

impl Reader for ByHand {
    type Row = Item;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
        let key = key(wanted.item.id);
        // Given back before the database is asked, so that others do not wait for it.
        let cached = self.cache.get().await?.get(&key).await?;
        if let Some(bytes) = cached.and_then(|value| value.data) {
            return Ok(Some(rmp_serde::from_slice(&bytes)?));
        }
        let Some(row) = self.database.select(wanted.item.id).await? else { return Ok(None) };
        let bytes = rmp_serde::to_vec(&row)?;
        self.cache.get().await?.set(&key, bytes.as_slice(), Some(TTL), None).await?;
        Ok(Some(row))
    }

    fn is_right(&self, wanted: &Wanted, row: &Item) -> bool {
        *row == wanted.item
    }

    fn loads(&self) -> u64 {
        self.database.loads()
    }
}

impl Writer for ByHand {
    async fn write(&self, row: Item) -> Result<()> {
        self.database.update(&row).await?;
        match self.cache.get().await?.delete(key(row.id)).await {
            Ok(()) | Err(Error::Protocol(Status::NotFound)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn key(id: i64) -> String {
    format!("by-hand:{id}")
}
