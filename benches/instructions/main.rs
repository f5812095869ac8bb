//! Reads so many cached rows on one thread, and ends: a program whose instructions
//! can be counted. `cargo run --release -p benches -- instructions` does that.

#![forbid(unsafe_code)]

use benches::{Result, item::Item, near_item::NearItem};
use cached_orm::{MemcachedOrm as _, Orm, Sqlite};
use clap::{Parser, ValueEnum};
use sqlx::SqlitePool;
use std::{hint::black_box, time::Duration};

/// Rows that are read in turn.
const ROWS: i64 = 100;

#[derive(Debug, Parser)]
struct Arguments {
    /// Which way of a read.
    path: Path,
    /// How often.
    count: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Path {
    /// The cache key alone.
    Key,
    /// A row from the store in the process.
    HitsEmbedded,
    /// The same, if entries are signed.
    HitsSigned,
    /// A row from a copy in the process.
    HitsNear,
    /// A row from memcached.
    HitsMemcached,
    /// A hundred rows from memcached at once.
    #[value(name = "many-100-memcached")]
    Many100Memcached,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Arguments { path, count } = Arguments::parse();
    let orm = open(path).await?;
    let items: Vec<_> = (1..=ROWS).map(Item::of).collect();
    match path {
        Path::Key => keys(&orm, &items, count)?,
        Path::HitsEmbedded | Path::HitsSigned | Path::HitsMemcached => {
            rows(&orm, &items, count).await?
        }
        Path::HitsNear => copies(&orm, &items, count).await?,
        Path::Many100Memcached => batches(&orm, &items, count).await?,
    }
    Ok(())
}

/// A table in memory, and the cache that the path goes through.
async fn open(path: Path) -> Result<Orm<Sqlite>> {
    let pool = SqlitePool::connect("sqlite::memory:").await?;
    let builder = Orm::builder(pool);
    let builder = match path {
        Path::Key | Path::HitsEmbedded | Path::HitsNear => builder.embedded(64 << 20),
        Path::HitsSigned => builder.embedded(64 << 20).sign_entries([[7; 32]]),
        Path::HitsMemcached | Path::Many100Memcached => {
            let url = std::env::var("TEST_MEMCACHED_URL")
                .map_err(|_| "TEST_MEMCACHED_URL is not set; run `tests/servers -- …`")?;
            let servers = url.strip_prefix("memcached://").unwrap_or(&url).to_owned();
            builder.memcached([servers])
        }
    };
    let orm = builder
        .namespace("instructions")
        // Nobody else uses this namespace, so there are no fences to be missed, and a
        // server that was started just now may be filled.
        .commit_window(Duration::from_millis(1))
        .hold_off(Duration::from_millis(2))
        .timeout(Duration::from_secs(30))
        .build()
        .await?;
    let table = "CREATE TABLE items (id BIGINT PRIMARY KEY, handle TEXT NOT NULL UNIQUE, \
                 owner BIGINT NOT NULL, kind INT NOT NULL, active BOOLEAN NOT NULL, \
                 score DOUBLE NOT NULL, title TEXT NOT NULL, note TEXT NOT NULL, \
                 created BIGINT NOT NULL, revision BIGINT NOT NULL)";
    sqlx::query(table).execute(orm.pool()).await?;
    for id in 1..=ROWS {
        insert(orm.pool(), &Item::of(id)).await?;
    }
    Ok(orm)
}

/// Past the cache, which may have the row from the run before.
async fn insert(pool: &SqlitePool, item: &Item) -> Result<()> {
    let Item { id, handle, owner, kind, active, score, title, note, created, revision } = item;
    sqlx::query("INSERT INTO items VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind(id)
        .bind(handle)
        .bind(owner)
        .bind(kind)
        .bind(active)
        .bind(score)
        .bind(title)
        .bind(note)
        .bind(created)
        .bind(revision)
        .execute(pool)
        .await?;
    Ok(())
}

fn keys(orm: &Orm<Sqlite>, items: &[Item], count: u64) -> Result<()> {
    let expected: Vec<_> =
        items.iter().map(|item| format!("instructions:items:({})", item.id)).collect();
    for ((item, expected), _) in items.iter().zip(&expected).cycle().zip(0..count) {
        let key = black_box(item).get_cache_key(orm);
        if key.as_str() != expected {
            return Err(format!("the key {key} in the place of {expected}").into());
        }
    }
    Ok(())
}

async fn rows(orm: &Orm<Sqlite>, items: &[Item], count: u64) -> Result<()> {
    for item in items {
        right(&Item::fetch_one(orm, item.id).await?, item)?;
    }
    let before = orm.statistics().hits;
    for (item, _) in items.iter().cycle().zip(0..count) {
        right(&Item::fetch_one(orm, item.id).await?, item)?;
    }
    all_hits(orm.statistics().hits - before, count)
}

async fn copies(orm: &Orm<Sqlite>, items: &[Item], count: u64) -> Result<()> {
    // The first read fills the cache, and the second takes the copy.
    for item in items.iter().chain(items) {
        right(&NearItem::fetch_one(orm, item.id).await?, item)?;
    }
    let before = orm.statistics().near_hits;
    for (item, _) in items.iter().cycle().zip(0..count) {
        right(&NearItem::fetch_one(orm, item.id).await?, item)?;
    }
    all_hits(orm.statistics().near_hits - before, count)
}

async fn batches(orm: &Orm<Sqlite>, items: &[Item], count: u64) -> Result<()> {
    batch(orm, items).await?;
    let before = orm.statistics().hits;
    for _ in 0..count {
        batch(orm, items).await?;
    }
    all_hits(orm.statistics().hits - before, count * ROWS as u64)
}

async fn batch(orm: &Orm<Sqlite>, items: &[Item]) -> Result<()> {
    let found = Item::fetch_many(orm, items.iter().map(|item| item.id)).await?;
    if found.len() != items.len() {
        return Err(format!("{} rows for {} keys", found.len(), items.len()).into());
    }
    for (found, item) in found.iter().zip(items) {
        right(found.as_ref().ok_or("a row is missing")?, item)?;
    }
    Ok(())
}

fn right<T: PartialEq<Item> + std::fmt::Debug>(found: &T, item: &Item) -> Result<()> {
    if found == item { Ok(()) } else { Err(format!("a wrong row: {found:?}").into()) }
}

/// A read that was no hit took another path than the one that is counted.
fn all_hits(hits: u64, reads: u64) -> Result<()> {
    if hits == reads {
        return Ok(());
    }
    Err(format!("{hits} of {reads} reads were hits; was the server restarted or full?").into())
}
