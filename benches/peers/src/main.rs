//! Contestants whose dependencies the rest of the repository should not need. Reads
//! rounds from standard input and answers on standard output.

#![forbid(unsafe_code)]

mod by_hand;
mod database;
mod through_cache_kit;
mod workloads;

use benches::{Result, item::WorkingSet, remote};
use by_hand::ByHand;
use clap::Parser;
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
    /// Rows of the table.
    #[arg(long)]
    rows: i64,
    /// Rows that are read again and again.
    #[arg(long)]
    working_set: usize,
    /// The mixes write rows, and nobody else may read those: the rows of the working
    /// set, so many ids on, and one more for each contestant.
    #[arg(long)]
    mix_offset: i64,
}

/// The contestants of this process.
struct Contestants {
    by_hand: Workloads<ByHand>,
    through_cache_kit: Workloads<ThroughCacheKit>,
}

impl Contestants {
    async fn new(arguments: &Arguments) -> Result<Self> {
        let Arguments { database, memcached, rows, working_set, mix_offset } = arguments;
        // The client below both takes an address for a URL, and wants a scheme.
        let memcached = &format!("tcp://{memcached}");
        let set = WorkingSet::new(*working_set, *rows);
        let by_hand = ByHand::new(database, memcached).await?;
        let through_cache_kit = ThroughCacheKit::new(database, memcached).await?;
        Ok(Self {
            by_hand: Workloads::new(by_hand, &set, *rows, *mix_offset)?,
            through_cache_kit: Workloads::new(through_cache_kit, &set, *rows, mix_offset + 1)?,
        })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let contestants = Contestants::new(&Arguments::parse()).await?;
    remote::serve(async |round| match round.contestant.as_str() {
        "deadpool-memcached" => contestants.by_hand.run(&round).await,
        "cache-kit" => contestants.through_cache_kit.run(&round).await,
        other => Err(format!("there is no contestant {other} here").into()),
    })
    .await
}
