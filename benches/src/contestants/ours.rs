//! cached-orm, before its several stores.

use benches::{
    Result,
    contestant::{ManyReader, Reader, UniqueReader, Writer},
    item::{Item, Wanted},
    near_item::NearItem,
};
use cached_orm::{MemcachedOrm as _, Orm, Persist, Postgres};
use sqlx::PgPool;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// What the embedded store may take.
const EMBEDDED_BYTES: u64 = 64 << 20;
/// A server that has just started is not filled for 15 seconds.
const LONGEST_HOLD_OFF: Duration = Duration::from_secs(20);

/// An `Orm` that waits until its memcached keeps the row of `T` with this id.
///
/// # Errors
/// It keeps nothing.
pub(crate) async fn memcached<T: Persist<Postgres, Key = i64>>(
    pool: &PgPool,
    address: &str,
    namespace: &str,
    id: i64,
) -> Result<Orm<Postgres>> {
    let builder = Orm::builder(pool.clone()).memcached([address]).namespace(namespace);
    let orm = builder.build().await?;
    let begun = Instant::now();
    while begun.elapsed() < LONGEST_HOLD_OFF {
        T::fetch(&orm, id).await?;
        if T::get_cached_instance(&orm, id).await?.is_some() {
            return Ok(orm);
        }
        sleep(Duration::from_millis(100)).await;
    }
    Err(format!("memcached at {address} does not keep the row with id {id}").into())
}

/// Rows as a program has them that uses this crate.
#[derive(Debug)]
pub(crate) struct Ours(pub(crate) Orm<Postgres>);

impl Ours {
    /// With the store inside the process.
    pub(crate) async fn embedded(pool: &PgPool) -> Result<Self> {
        Ok(Self(Orm::builder(pool.clone()).embedded(EMBEDDED_BYTES).build().await?))
    }

    /// With none.
    pub(crate) async fn uncached(pool: &PgPool) -> Result<Self> {
        Ok(Self(Orm::builder(pool.clone()).uncached().build().await?))
    }
}

impl Reader for Ours {
    type Row = Item;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
        Ok(Item::fetch(&self.0, wanted.item.id).await?)
    }

    fn is_right(&self, wanted: &Wanted, row: &Item) -> bool {
        *row == wanted.item
    }

    fn loads(&self) -> u64 {
        self.0.statistics().loads
    }
}

impl ManyReader for Ours {
    async fn read_many(&self, wanted: &[&Wanted]) -> Result<Vec<Option<Item>>> {
        let ids = wanted.iter().map(|wanted| wanted.item.id);
        Ok(Item::fetch_many(&self.0, ids).await?)
    }
}

impl UniqueReader for Ours {
    async fn read_by_handle(&self, wanted: &Wanted) -> Result<Option<Item>> {
        Ok(Item::fetch_by_handle(&self.0, wanted.item.handle.as_str()).await?)
    }
}

impl Writer for Ours {
    async fn write(&self, mut row: Item) -> Result<()> {
        Ok(row.update(&self.0).await?)
    }
}

/// The same with copies in the process, before memcached.
#[derive(Debug)]
pub(crate) struct Near(pub(crate) Orm<Postgres>);

impl Near {
    /// Reads that a copy in the process has answered.
    pub(crate) fn near_hits(&self) -> u64 {
        self.0.statistics().near_hits
    }
}

impl Reader for Near {
    type Row = NearItem;

    async fn read(&self, wanted: &Wanted) -> Result<Option<NearItem>> {
        Ok(NearItem::fetch(&self.0, wanted.item.id).await?)
    }

    fn is_right(&self, wanted: &Wanted, row: &NearItem) -> bool {
        *row == wanted.item
    }

    fn loads(&self) -> u64 {
        self.0.statistics().loads
    }
}
