//! Who takes part in this process, and in what.

mod by_hand;
mod cities;
mod classic;
mod floor;
mod hydra;
mod moka_by_hand;
mod names;
mod nothing;
mod ours;
mod own_rows;
mod pipelined;
mod plain;
mod preparing;
mod raw_socket;

pub(crate) use cities::cities;

use crate::stage::Stage;
use benches::{
    Result,
    contestant::{ByHandle, Hits, Many, Misses, Reader, Writer, Writes},
    drive::{Measured, Operation, drive},
    item::{Item, WorkingSet},
    mix::Mix,
    near_item::NearItem,
};
use by_hand::ByHand;
use classic::Classic;
use floor::{BareLanes, PingPong, Stored};
use futures_util::future::BoxFuture;
use hydra::Hydra;
use moka_by_hand::MokaByHand;
use names::{
    BY_HAND, CLASSIC, EMBEDDED, HYDRA, LANES, MARIADB, MEMCACHED, MOKA, NEAR, NOTHING, Name,
    PING_PONG, PIPELINED, POSTGRES, RAW_BATCH, SQLITE, TRANSACTION, TRANSACTION_AND_DELETE,
    UNCACHED,
};
use nothing::Nothing;
use ours::{Near, Ours};
use own_rows::own_rows;
use pipelined::Pipelined;
use plain::Plain;
use preparing::{held, held_by_handle, read_once};
use sqlx::{PgPool, mysql::MySqlPoolOptions, postgres::PgPoolOptions, sqlite::SqlitePoolOptions};
use std::{sync::Arc, time::Duration};

/// Connections of each pool to a server.
const CONNECTIONS: u32 = 32;
/// Connections to a file; each has a thread of its own.
const FILE_CONNECTIONS: u32 = 8;

type Run = dyn Fn(usize, Duration, u64) -> BoxFuture<'static, Result<Measured>> + Send + Sync;

/// Somebody who does one workload, prepared for it.
pub(crate) struct Contestant {
    /// As it stands in tables.
    pub(crate) name: &'static str,
    /// What it is, in a sentence.
    pub(crate) what: &'static str,
    /// Runs a round: in so many tasks, for so long, with this seed.
    pub(crate) run: Box<Run>,
}

impl Contestant {
    fn new((name, what): Name, operation: impl Operation) -> Self {
        let operation = Arc::new(operation);
        let run = move |tasks, duration, seed| -> BoxFuture<'static, Result<Measured>> {
            let operation = Arc::clone(&operation);
            Box::pin(async move { drive(&operation, tasks, duration, seed).await })
        };
        Self { name, what, run: Box::new(run) }
    }
}

/// Reads of rows that caches have.
pub(crate) async fn hits(stage: &Stage) -> Result<Vec<Contestant>> {
    let (pool, set, cache) = (postgres(stage).await?, &stage.set, stage.cache());
    let first = first(set)?;
    let ours = held(ours(stage, &pool, "hits", first).await?, set).await?;
    let near = ours::memcached::<NearItem>(&pool, &cache, "near", first).await?;
    let near = held(Near(near), set).await?;
    let before = near.reader.near_hits();
    near.prepare().await?;
    if near.reader.near_hits() - before < set.0.len() as u64 {
        return Err("copies in the process do not answer; they are too large, or too old".into());
    }
    let stored = Stored::by(&ours.reader.0, set).await?;
    let lanes = held(BareLanes::connect(&pool, &cache, &stored).await?, set).await?;
    let pipelined = held(Pipelined::connect(&cache, &stored).await?, set).await?;
    let ping_pong = held(PingPong::new(&cache, &stored), set).await?;
    let by_hand = held(ByHand::new(&pool, &cache, "by-hand-hits").await?, set).await?;
    let classic = held(Classic::new(&pool, &cache, "classic-hits").await?, set).await?;
    let mariadb = MySqlPoolOptions::new().max_connections(CONNECTIONS).connect(&stage.mysql);
    let sqlite = SqlitePoolOptions::new().max_connections(FILE_CONNECTIONS).connect(&stage.sqlite);
    let (mariadb, sqlite) = (Plain::new(mariadb.await?), Plain::new(sqlite.await?));
    Ok(vec![
        Contestant::new(MEMCACHED, ours),
        Contestant::new(NEAR, near),
        Contestant::new(EMBEDDED, held(Ours::embedded(&pool).await?, set).await?),
        Contestant::new(UNCACHED, read_once(Ours::uncached(&pool).await?, set).await?),
        Contestant::new(NOTHING, held(Nothing, set).await?),
        Contestant::new(LANES, lanes),
        Contestant::new(PIPELINED, pipelined),
        Contestant::new(PING_PONG, ping_pong),
        Contestant::new(BY_HAND, by_hand),
        Contestant::new(CLASSIC, classic),
        Contestant::new(MOKA, held(MokaByHand::new(&pool), set).await?),
        Contestant::new(HYDRA, held(Hydra::new(&pool), set).await?),
        Contestant::new(POSTGRES, read_once(Plain::new(pool), set).await?),
        Contestant::new(MARIADB, read_once(mariadb, set).await?),
        Contestant::new(SQLITE, read_once(sqlite, set).await?),
    ])
}

/// Reads of rows that nobody has read before.
pub(crate) async fn misses(stage: &Stage) -> Result<Vec<Contestant>> {
    let (pool, cache, rows) = (postgres(stage).await?, stage.cache(), stage.plan.rows);
    // The last row shows that the server keeps rows; reads begin at the first.
    let ours = ours(stage, &pool, "misses", rows).await?;
    let by_hand = ByHand::new(&pool, &cache, "by-hand-misses").await?;
    let classic = Classic::new(&pool, &cache, "classic-misses").await?;
    Ok(vec![
        Contestant::new(MEMCACHED, Misses::new(ours, rows)),
        Contestant::new(EMBEDDED, Misses::new(Ours::embedded(&pool).await?, rows)),
        Contestant::new(BY_HAND, Misses::new(by_hand, rows)),
        Contestant::new(CLASSIC, Misses::new(classic, rows)),
        Contestant::new(POSTGRES, Misses::new(Plain::new(pool), rows)),
    ])
}

/// Reads with writes among them.
pub(crate) async fn mix(stage: &Stage) -> Result<Vec<Contestant>> {
    let (pool, cache) = (postgres(stage).await?, stage.cache());
    let set = own_rows(stage, &pool, 0).await?;
    let ours = held(ours(stage, &pool, "mix", first(&set)?).await?, &set).await?;
    let set = own_rows(stage, &pool, 1).await?;
    let by_hand = held(ByHand::new(&pool, &cache, "by-hand-mix").await?, &set).await?;
    let set = own_rows(stage, &pool, 2).await?;
    let classic = held(Classic::new(&pool, &cache, "classic-mix").await?, &set).await?;
    let set = own_rows(stage, &pool, 3).await?;
    let plain = read_once(Plain::new(pool), &set).await?;
    Ok(vec![
        mixed(MEMCACHED, ours)?,
        mixed(BY_HAND, by_hand)?,
        mixed(CLASSIC, classic)?,
        mixed(POSTGRES, plain)?,
    ])
}

fn mixed<C: Reader<Row = Item> + Writer>(name: Name, read: Hits<C>) -> Result<Contestant> {
    Ok(Contestant::new(name, Mix::new(read.reader, read.set)?))
}

/// Reads of so many rows at once that caches have.
pub(crate) async fn many(stage: &Stage, count: usize) -> Result<Vec<Contestant>> {
    let (pool, set, cache) = (postgres(stage).await?, &stage.set, stage.cache());
    let ours = held(ours(stage, &pool, "many", first(set)?).await?, set).await?;
    let stored = Stored::by(&ours.reader.0, set).await?;
    let lanes = held(BareLanes::connect(&pool, &cache, &stored).await?, set).await?;
    let raw = held(PingPong::new(&cache, &stored), set).await?;
    let by_hand = held(ByHand::new(&pool, &cache, "by-hand-many").await?, set).await?;
    let plain = read_once(Plain::new(pool), set).await?;
    Ok(vec![
        Contestant::new(MEMCACHED, Many { hits: ours, count }),
        Contestant::new(LANES, Many { hits: lanes, count }),
        Contestant::new(RAW_BATCH, Many { hits: raw, count }),
        Contestant::new(BY_HAND, Many { hits: by_hand, count }),
        Contestant::new(POSTGRES, Many { hits: plain, count }),
    ])
}

/// Reads by handle of rows that caches have.
pub(crate) async fn by_handle(stage: &Stage) -> Result<Vec<Contestant>> {
    let (pool, set, cache) = (postgres(stage).await?, &stage.set, stage.cache());
    let ours = ours(stage, &pool, "by-handle", first(set)?).await?;
    let by_hand = ByHand::new(&pool, &cache, "by-hand-by-handle").await?;
    Ok(vec![
        Contestant::new(MEMCACHED, held_by_handle(ours, set).await?),
        Contestant::new(BY_HAND, held_by_handle(by_hand, set).await?),
        Contestant::new(POSTGRES, ByHandle(read_once(Plain::new(pool), set).await?)),
    ])
}

/// Writes, each in a transaction of its own.
pub(crate) async fn writes(stage: &Stage) -> Result<Vec<Contestant>> {
    let (pool, cache) = (postgres(stage).await?, stage.cache());
    // Past those of the mix.
    let set = own_rows(stage, &pool, 4).await?;
    let ours = held(ours(stage, &pool, "writes", first(&set)?).await?, &set).await?;
    let set = own_rows(stage, &pool, 5).await?;
    let plain = read_once(Plain::new(pool.clone()), &set).await?;
    let set = own_rows(stage, &pool, 6).await?;
    let by_hand = held(ByHand::new(&pool, &cache, "by-hand-writes").await?, &set).await?;
    Ok(vec![
        writing(MEMCACHED, ours),
        writing(TRANSACTION, plain),
        writing(TRANSACTION_AND_DELETE, by_hand),
    ])
}

fn writing<C: Writer>(name: Name, read: Hits<C>) -> Contestant {
    Contestant::new(name, Writes { writer: read.reader, set: read.set })
}

async fn postgres(stage: &Stage) -> Result<PgPool> {
    Ok(PgPoolOptions::new().max_connections(CONNECTIONS).connect(&stage.postgres).await?)
}

/// With memcached, in a namespace of this workload's own.
async fn ours(stage: &Stage, pool: &PgPool, namespace: &str, id: i64) -> Result<Ours> {
    Ok(Ours(ours::memcached::<Item>(pool, &stage.cache(), namespace, id).await?))
}

fn first(set: &WorkingSet) -> Result<i64> {
    Ok(set.0.first().ok_or("the working set is empty")?.item.id)
}
