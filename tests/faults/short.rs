//! What every test run includes: everything, briefly, on all databases.

use crate::{
    arguments::{Database, Policy},
    beside_faults, crash_steps,
    engines::Engine,
    fences_lost, kill_cache, naive, no_faults,
    report::Report,
    roll_outs, unindexed,
};
use sqlx::{MySql, Postgres, Sqlite};
use tokio::sync::Mutex;

/// For three databases at once on a small machine.
const RATE: u32 = 600;
const FAULTS: usize = 20;
const ABORTS: usize = 2;
const READS: u64 = 100_000;

type Outcomes = Vec<Result<Report, String>>;

pub(crate) async fn run(seed: u64) -> Outcomes {
    // First, and alone: a harness that is blind need not look further.
    let mut outcomes =
        vec![naive::run::<Postgres>(seed).await, unindexed::run::<Postgres>(seed).await];
    let (abort, outbox, always) = (Policy::Abort, Policy::Outbox, Policy::Always);
    let others = [
        tokio::spawn(on::<Postgres>(Database::Postgres, [abort, outbox, always], seed)),
        tokio::spawn(on::<MySql>(Database::MariaDb, [outbox, abort, always], seed)),
        tokio::spawn(on::<Sqlite>(Database::Sqlite, [always, outbox, abort], seed)),
    ];
    for other in others {
        outcomes.extend(other.await.expect("no run panics"));
    }
    outcomes
}

/// For what goes as fast as it can: hundreds of tasks that are always ready would leave
/// another database's loads waiting for longer than a load may take.
static TURN: Mutex<()> = Mutex::const_new(());

async fn on<DB: Engine>(database: Database, policies: [Policy; 3], seed: u64) -> Outcomes {
    let [first, second, third] = policies;
    let mut outcomes = vec![
        beside_faults::run::<DB>(FAULTS, first, seed, RATE).await,
        beside_faults::run::<DB>(FAULTS, second, seed, RATE).await,
        roll_outs::run::<DB>(1, first, seed, RATE).await,
        fences_lost::run::<DB>(5, second, seed, RATE).await,
        crash_steps::run::<DB>(database, ABORTS, third, seed).await,
    ];
    let _mine = TURN.lock().await;
    outcomes.push(kill_cache::run::<DB>(seed).await);
    outcomes.push(no_faults::run::<DB>(READS, seed).await);
    outcomes
}
