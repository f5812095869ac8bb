//! Readers and writers beside faults: the heart of the harness.

use crate::{
    arguments::Policy,
    at_rest,
    engines::Engine,
    history::{Offence, Violation},
    injector,
    pending::{self, Drains},
    report::{Offences, Report, Tally},
    rows::KEYS,
    stage::Stage,
    workload::{Load, Shared, Workload},
};
use cached_orm::Orm;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

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
    let stage = Arc::new(Stage::<DB>::set(policy, KEYS).await?);
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
    let watcher = Watcher {
        stage: Arc::clone(&stage),
        orm: handles[0].clone(),
        faults,
        shared: Arc::clone(&shared),
        tally: Arc::clone(&tally),
        undecided: Vec::new(),
        offences: Offences::default(),
    };
    let (is_over, over) = watch::channel(false);
    let watcher = tokio::spawn(watcher.watch(over));
    injector::inject(&stage, faults, seed, &tally).await;
    stage.heal().await;
    sleep(Duration::from_secs(1)).await;
    workload.end().await;
    let mut hits = 0;
    let mut write_throughs = 0;
    for orm in &handles {
        // Waits for commits whose callers have gone.
        orm.close().await;
        hits += orm.statistics().hits;
        write_throughs += orm.statistics().write_throughs;
    }
    let orm = stage.handle(|builder| builder).await;
    let mut undrained = 0;
    if policy != Policy::Abort {
        undrained = pending::wait_until_drained(&orm).await;
    }
    let differing = at_rest::differing(&orm, KEYS).await;
    is_over.send_replace(true);
    let offences = watcher.await.expect("the watcher does not panic");

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
    if policy != Policy::Abort {
        report.row(
            "older than they should be while an outbox row was pending",
            offences.while_pending,
        );
        report.must_be_zero("rows left in the outbox", undrained);
        let drains = Drains::read(&stage, &orm, &tally.outages()).await;
        let drains = drains.map_err(|error| format!("the outbox's log: {error}"))?;
        report.row("rows in the outbox", drains.rows);
        report.row("  of these drained when all was well", drains.counted());
        report.row("drained after, p50", format!("{:.0} ms", drains.quantile(0.5)));
        report.row("drained after, p99", format!("{:.0} ms", drains.quantile(0.99)));
        if drains.quantile(0.99) > 1000.0 {
            report.failures.push("rows wait in the outbox for more than a second".to_owned());
        }
    }
    orm.close().await;
    for difference in &differing {
        eprintln!("at rest: {difference}");
    }
    if shared.counts.acknowledged.get() < faults as u64 || hits < 10 * faults as u64 {
        report.failures.push("too little was read or written to show anything".to_owned());
    }
    Ok(report)
}

/// Reports violations as they are found, and now and then how far it is.
struct Watcher<DB: Engine> {
    stage: Arc<Stage<DB>>,
    orm: Orm<DB>,
    faults: usize,
    shared: Arc<Shared>,
    tally: Arc<Tally>,
    /// The database could not be asked yet whether the outbox excuses them.
    undecided: Vec<Violation>,
    offences: Offences,
}

impl<DB: Engine> Watcher<DB> {
    async fn watch(mut self, mut over: watch::Receiver<bool>) -> Offences {
        let mut round = 0_u32;
        while timeout(Duration::from_secs(1), over.wait_for(|over| *over)).await.is_err() {
            self.collect().await;
            round += 1;
            if round.is_multiple_of(20) {
                eprintln!(
                    "{}: {} of {} faults, {} reads, {} writes, {} violations, {} excused",
                    DB::TITLE,
                    self.tally.total(),
                    self.faults,
                    self.shared.counts.reads.get(),
                    self.shared.counts.acknowledged.get(),
                    self.offences.total(),
                    self.offences.while_pending,
                );
            }
        }
        self.collect().await;
        for violation in self.undecided {
            // Nobody could be asked for an excuse.
            self.offences.add(&violation, &self.tally);
        }
        self.offences
    }

    async fn collect(&mut self) {
        self.undecided.extend(self.shared.history.take_violations());
        for violation in std::mem::take(&mut self.undecided) {
            let excused = match self.stage.policy {
                Policy::Abort => Ok(false),
                Policy::Outbox | Policy::Always => {
                    pending::excuses(&self.stage, &self.orm, &violation).await
                }
            };
            match excused {
                Ok(true) => self.offences.while_pending += 1,
                Ok(false) => self.offences.add(&violation, &self.tally),
                Err(_) => self.undecided.push(violation),
            }
        }
    }
}
