//! Writers to whom the table has no indexes, beside readers who look rows up by
//! them: nobody fences the entries, so lookups are stale without any fault. If this
//! harness does not see that, it sees nothing of lookups.

use crate::{
    arguments::Policy,
    engines::Engine,
    history::Offence,
    report::{Offences, Report, Tally},
    rows::{KEYS, Unindexed},
    stage::{HOLD_OFF, Stage},
    workload::{Shared, look_up},
};
use cached_orm::{Orm, Persist};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

const READERS: u64 = 8;
const AT_MOST: Duration = Duration::from_secs(10);

/// Runs until a stale lookup was seen, or ten seconds are over.
pub(crate) async fn run<DB: Engine>(seed: u64) -> Result<Report, String>
where
    Unindexed: Persist<DB>,
{
    let stage = Stage::<DB>::set(Policy::Abort, KEYS).await?.without_proxies();
    stage.insert_rows().await;
    // Until the servers give leases.
    sleep(HOLD_OFF + Duration::from_secs(2)).await;
    let shared = Arc::new(Shared::with_rows(KEYS));
    let is_over = Arc::new(AtomicBool::new(false));
    let reading = stage.handle(|builder| builder).await;
    let writing = stage.handle(|builder| builder).await;
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..READERS {
        let (orm, shared, is_over) = (reading.clone(), Arc::clone(&shared), Arc::clone(&is_over));
        let mut rng = StdRng::seed_from_u64(seed ^ number);
        tasks.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                look_up::<DB, DB::Old>(&orm, &shared, &mut rng).await;
            }
        });
    }
    tasks.spawn(write(writing.clone(), Arc::clone(&shared), Arc::clone(&is_over), seed));
    let tally = Tally::new();
    let mut offences = Offences::silent();
    while offences.of(Offence::Stale) == 0 && began.elapsed() < AT_MOST {
        sleep(Duration::from_millis(20)).await;
        for violation in shared.history.take_violations() {
            offences.add(&violation, &tally);
        }
    }
    let caught_after = began.elapsed();
    is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no reader or writer panics");
    }
    reading.close().await;
    writing.close().await;
    let mut report = Report::new(format!("{}, writers without indexes", DB::TITLE), seed);
    report.took = caught_after;
    report.row("lookups", shared.counts.lookups.get());
    report.row("writes acknowledged", shared.counts.acknowledged.get());
    report.row("stale after acknowledgement", offences.of(Offence::Stale));
    report.row("caught after", format!("{:.3} s", caught_after.as_secs_f64()));
    if offences.of(Offence::Stale) == 0 {
        report.failures.push("stale lookups were not caught: the harness is blind".to_owned());
    }
    Ok(report)
}

/// Updates one row after another.
async fn write<DB: Engine>(orm: Orm<DB>, shared: Arc<Shared>, is_over: Arc<AtomicBool>, seed: u64)
where
    Unindexed: Persist<DB>,
{
    let mut rng = StdRng::seed_from_u64(!seed);
    while !is_over.load(Ordering::Relaxed) {
        let key = rng.random_range(0..KEYS);
        let written = async {
            let mut transaction = orm.begin().await?;
            let locked = DB::lock(&mut transaction, key).await;
            let revision = locked.map_err(failed)?.revision + 1;
            let attempt = shared.history.begin_write(key, revision, "without indexes");
            let mut row = Unindexed::new(key, revision, attempt);
            row.update(&mut transaction).await?;
            DB::note_revision(&mut transaction, key, revision).await.map_err(failed)?;
            transaction.commit().await?;
            Ok::<_, cached_orm::Error>((revision, attempt))
        };
        // A write that fails is never acknowledged, and so nothing is expected of it.
        if let Ok((revision, attempt)) = written.await {
            shared.history.acknowledge(key, revision, attempt);
            shared.counts.acknowledged.add_one();
        }
        sleep(Duration::from_millis(5)).await;
    }
}

fn failed(error: sqlx::Error) -> cached_orm::Error {
    cached_orm::Error::Connect { source: Arc::new(error) }
}
