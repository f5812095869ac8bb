//! Fences that memcached drops while their writers are alive: by `flush_all`, or
//! because it is so short of memory that it evicts what is new.
//!
//! This is weaker than the rest, and documented: nothing is stale after the
//! acknowledgement, but before it reads may go back and forth.

use crate::{
    arguments::Policy,
    engines::Engine,
    history::Offence,
    report::Report,
    rows::KEYS,
    servers::{flood, flush},
    stage::{HOLD_OFF, Stage},
    trial::{PROCESSES, Trial},
    workload::Load,
};
use cached_orm::OrmBuilder;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::Duration;
use tokio::time::sleep;

/// From a lease to the largest row.
const SIZES: [usize; 8] = [1, 20, 60, 120, 180, 260, 340, 420];

/// Lets fences be lost so often.
pub(crate) async fn run<DB: Engine>(
    times: usize,
    policy: Policy,
    seed: u64,
    rate: u32,
) -> Result<Report, String> {
    let trial = Trial::<DB>::begin(Stage::set(policy, KEYS).await?, seed).await;
    sleep(HOLD_OFF + Duration::from_secs(2)).await;
    // A writer that cannot reach memcached as well is another case, and not
    // protected: a busy machine must not look like it.
    let patient = |builder: OrmBuilder<DB>| builder.timeout(Duration::from_secs(5));
    let load = Load::of_rate(rate, PROCESSES);
    let mut processes = Vec::new();
    for number in 0..PROCESSES {
        processes.push(trial.start(number, load, patient).await);
    }
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..times {
        let cache = &trial.stage.caches[rng.random_range(0..trial.stage.caches.len())];
        let address = cache.memcached.address();
        if rng.random_bool(0.6) {
            trial.tally.began("memcached: flush_all", "flush_all".to_owned());
            drop(flush(&address).await);
        } else {
            trial.tally.began("memcached: everything evicted", "everything evicted".to_owned());
            for size in SIZES {
                drop(flood(&address, 20_000, size).await);
            }
        }
        sleep(Duration::from_millis(rng.random_range(50..600))).await;
    }
    for process in processes {
        trial.end(process).await;
    }
    let (mut report, offences) = trial.finish("fences lost", |builder| builder).await?;
    let name = "older than an earlier read, before the acknowledgement (allowed here)";
    report.row(name, offences.of(Offence::WentBack));
    Ok(report)
}
