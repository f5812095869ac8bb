//! Readers and writers beside faults: the heart of the harness.

use crate::{
    arguments::Policy,
    at_rest,
    engines::Engine,
    history::Offence,
    injector,
    report::{Offences, Report, Tally},
    rows::KEYS,
    stage::Stage,
    workload::{Load, Shared, Workload},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Handles, each of which stands for a process.
const HANDLES: u32 = 3;

/// Runs so many faults.
pub(crate) async fn run<DB: Engine>(
    faults: usize,
    policy: Policy,
    seed: u64,
    rate: u32,
) -> Result<Report, String> {
    let began = Instant::now();
    let stage = Stage::<DB>::set(policy).await?;
    stage.insert_rows().await;
    let shared = Arc::new(Shared::with_rows(KEYS));
    let mut workload = Workload::new(Arc::clone(&shared));
    let load = Load::of_rate(rate, HANDLES);
    let mut handles = Vec::new();
    for number in 0..HANDLES {
        let orm = stage.handle(|builder| builder).await;
        let seed = seed ^ (u64::from(number + 1) << 32);
        // Two processes run the old version of the program, one the new.
        if number < 2 {
            workload.employ::<DB, DB::Old>(&orm, load, seed);
        } else {
            workload.employ::<DB, DB::New>(&orm, load, seed);
        }
        handles.push(orm);
    }

    let tally = Arc::new(Tally::new());
    let offences = Arc::new(Mutex::new(Offences::default()));
    let watch = tokio::spawn(watch(
        DB::TITLE,
        faults,
        Arc::clone(&shared),
        Arc::clone(&tally),
        Arc::clone(&offences),
    ));
    injector::inject(&stage, faults, seed, &tally).await;
    stage.heal().await;
    sleep(Duration::from_secs(1)).await;
    workload.end().await;
    watch.abort();
    let mut hits = 0;
    let mut write_throughs = 0;
    for orm in &handles {
        // Waits for commits whose callers have gone.
        orm.close().await;
        hits += orm.statistics().hits;
        write_throughs += orm.statistics().write_throughs;
    }
    let differing = at_rest::differing(&stage).await;
    collect(&shared, &tally, &mut offences.lock().unwrap_or_else(PoisonError::into_inner));

    let offences = offences.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let title = format!("{}, memcached, policy {policy}", DB::TITLE);
    let mut report = Report::new(title, seed);
    report.took = began.elapsed();
    report.kinds = tally.kinds();
    report.row(
        "commands to memcached that the proxies disturbed",
        stage.caches.iter().map(|cache| cache.proxy.disturbed()).sum::<u64>(),
    );
    report.add_counts(&shared.counts);
    report.row("cache hits", hits);
    report.row("rows written through", write_throughs);
    report.must_be_zero("stale after acknowledgement", offences.of(Offence::Stale));
    report.must_be_zero("older than an earlier read", offences.of(Offence::WentBack));
    report.must_be_zero("never committed", offences.of(Offence::Uncommitted));
    report.must_be_zero("never written", offences.of(Offence::Torn));
    report.must_be_zero("differing at rest", differing.len() as u64);
    for difference in &differing {
        eprintln!("at rest: {difference}");
    }
    if shared.counts.acknowledged.get() < faults as u64 || hits < 10 * faults as u64 {
        report.failures.push("too little was read or written to show anything".to_owned());
    }
    Ok(report)
}

/// Reports violations as they are found, and now and then how far it is.
async fn watch(
    name: &'static str,
    faults: usize,
    shared: Arc<Shared>,
    tally: Arc<Tally>,
    offences: Arc<Mutex<Offences>>,
) {
    let mut round = 0_u32;
    loop {
        sleep(Duration::from_secs(1)).await;
        let mut offences = offences.lock().unwrap_or_else(PoisonError::into_inner);
        collect(&shared, &tally, &mut offences);
        round += 1;
        if round.is_multiple_of(20) {
            eprintln!(
                "{name}: {} of {faults} faults, {} reads, {} writes, {} violations",
                tally.total(),
                shared.counts.reads.get(),
                shared.counts.acknowledged.get(),
                offences.total(),
            );
        }
    }
}

fn collect(shared: &Shared, tally: &Tally, offences: &mut Offences) {
    for violation in shared.history.take_violations() {
        offences.add(&violation, tally);
    }
}
