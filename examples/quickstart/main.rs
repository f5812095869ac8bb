//! Loads 24,440 cities, reads them from many tasks while others update them,
//! and looks for a stale read.
//!
//! ```sh
//! cargo run --release --example quickstart
//! ```
//!
//! needs no server: it uses an SQLite file and a cache inside the process. To
//! use others, name them:
//!
//! ```sh
//! export DATABASE_URL=postgres://user:password@localhost/db   # or mysql://…, sqlite:file.db?mode=rwc
//! export MEMCACHED_URL=memcached://localhost:11211
//! ```
//!
//! It drops and creates the table `quickstart_cities`, and leaves it there.

mod city;
mod crowd;
#[path = "../environment/mod.rs"]
mod environment;
mod solo;

use cached_orm::{Backend, MemcachedOrm, Orm, Persist};
use city::City;
use crowd::{Crowd, READERS, READS, UPDATERS};
use environment::{AnyOrm, Result};
use indicatif::HumanCount;
use std::time::Instant;

#[tokio::main]
async fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    match environment::connect(directory.path(), city::SCHEMA).await? {
        AnyOrm::Postgres(orm) => tour(&orm).await,
        AnyOrm::MySql(orm) => tour(&orm).await,
        AnyOrm::Sqlite(orm) => tour(&orm).await,
    }
}

async fn tour<DB: Backend>(orm: &Orm<DB>) -> Result<()>
where
    City: Persist<DB>,
{
    let begun = Instant::now();
    let ids = city::load(orm).await?;
    let cities = HumanCount(ids.len() as u64);
    println!("{cities} cities were inserted in {:.1?}.\n", begun.elapsed());
    environment::wait_for_cache::<City, DB>(orm, ids[0]).await?;

    println!("{READERS} tasks read cities, while {UPDATERS} tasks update them:\n");
    let before = orm.statistics();
    let crowd = Crowd::new(orm, ids.clone())?.run().await?;
    let after = orm.statistics();
    let rate = HumanCount((READS as f64 / crowd.took.as_secs_f64()) as u64);
    line("reads", READS as u64, &format!("{rate} a second"));
    line("  found", crowd.found, "as new as the last update that had returned, or newer");
    line("  absent", crowd.absent, "every tenth id asked for is one that no city has");
    line("  stale", crowd.stale, "older than that update; must be 0");
    line("updates", crowd.updates, "each after a read of its own");
    println!();
    line("cache hits", after.hits - before.hits, "rows, and answers \"no such row\"");
    line("cache misses", after.misses - before.misses, "");
    line("shared loads", after.coalesced - before.coalesced, "reads that waited for another's");
    line("fenced", after.fenced - before.fenced, "reads of a row that was being written");
    line("database loads", after.loads - before.loads, "");

    let popular = &ids[..2_000.min(ids.len())];
    let (cached, hits) = solo::cached(orm, popular).await?;
    let uncached = solo::uncached(orm, popular).await?;
    println!("\nOne task reads {} cities, one after another:\n", popular.len());
    println!("  from the cache      p50 {:>7.1?}   p99 {:>7.1?}", cached.p50, cached.p99);
    println!("  from the database   p50 {:>7.1?}   p99 {:>7.1?}", uncached.p50, uncached.p99);
    println!("\n  {hits} of the first were hits.");

    let city = City::fetch_one(orm, ids[0]).await?;
    println!("\nThe most popular city lies in the cache as {}:\n", city.get_cache_key(orm));
    match City::get_cached_instance(orm, city.id).await? {
        Some(cached) => println!("{cached:#?}"),
        None => println!("(it does not just now)"),
    }

    orm.close().await;
    match crowd.stale {
        0 => Ok(()),
        stale => Err(format!("{stale} reads were stale").into()),
    }
}

fn line(what: &str, count: u64, remark: &str) {
    let line = format!("  {what:<16}{:>9}   {remark}", HumanCount(count).to_string());
    println!("{}", line.trim_end());
}
