//! Contestants whose dependencies the rest of the repository should not need. Reads
//! rounds from standard input and answers on standard output.

#![forbid(unsafe_code)]

mod by_hand;
mod database;
mod through_cache_kit;
mod workloads;

use benches::{
    Result,
    item::{Item, Wanted, WorkingSet},
    remote,
};
use by_hand::ByHand;
use clap::Parser;
use database::Database;
use std::sync::Arc;
use through_cache_kit::ThroughCacheKit;
use workloads::Workloads;

/// Where everything is, and how much of it.
#[derive(Debug, Parser)]
struct Arguments {
    /// `postgres://…`, with the table `items` filled.
    #[arg(long)]
    database: String,
    /// `host:port` of memcached.
    #[arg(long)]
    memcached: String,
    /// Rows that everybody reads, and nobody writes.
    #[arg(long)]
    rows: i64,
    /// Rows that are read again and again.
    #[arg(long)]
    working_set: usize,
    /// The first of the rows that the mixes write. They are made anew: as many as the
    /// working set has, for each contestant.
    #[arg(long)]
    own_rows: i64,
}

/// The contestants of this process.
struct Contestants {
    by_hand: Workloads<ByHand>,
    through_cache_kit: Workloads<ThroughCacheKit>,
}

impl Contestants {
    async fn new(arguments: &Arguments) -> Result<Self> {
        let Arguments { database, memcached, rows, working_set, own_rows } = arguments;
        // The client below both takes an address for a URL, and wants a scheme.
        let memcached = &format!("tcp://{memcached}");
        let set = WorkingSet::new(*working_set, *rows);
        let (first, second) = (*own_rows, own_rows + *working_set as i64);

        let pool = Arc::new(Database::connect(database).await?);
        let own = make_rows(&pool, first, *working_set).await?;
        let by_hand = Workloads::new(ByHand::new(pool, memcached)?, set.clone(), *rows, own)?;

        let pool = Arc::new(Database::connect(database).await?);
        let own = make_rows(&pool, second, *working_set).await?;
        let through_cache_kit = ThroughCacheKit::new(pool, memcached).await?;
        let through_cache_kit = Workloads::new(through_cache_kit, set, *rows, own)?;
        Ok(Self { by_hand, through_cache_kit })
    }
}

/// Rows for a mix, that nobody else writes.
async fn make_rows(database: &Database, first: i64, count: usize) -> Result<WorkingSet> {
    let wanted = |place| Wanted { place, item: Item::of(first + place as i64) };
    let set: Vec<_> = (0..count).map(wanted).collect();
    database.replace(&set.iter().map(|wanted| &wanted.item).collect::<Vec<_>>()).await?;
    Ok(WorkingSet(Arc::new(set)))
}

#[tokio::main]
async fn main() -> Result<()> {
    let contestants = Contestants::new(&Arguments::parse()).await?;
    remote::serve(async |round| match round.contestant.as_str() {
        "deadpool-memcached by hand" => contestants.by_hand.run(&round).await,
        "cache-kit" => contestants.through_cache_kit.run(&round).await,
        other => Err(format!("there is no contestant {other} here").into()),
    })
    .await
}
