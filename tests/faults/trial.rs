//! One run of readers and writers, from an empty database to the comparison at
//! rest.

use crate::{
    arguments::Policy,
    at_rest,
    engines::Engine,
    history::Offence,
    pending::{self, Drains},
    report::{Offences, Report, Tally},
    rows::KEYS,
    stage::Stage,
    watcher::Watcher,
    workload::{Crew, Load, Shared},
};
use cached_orm::{Orm, OrmBuilder};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::{sync::watch, task::JoinHandle};

/// Processes at work, as far as the library can tell.
pub(crate) const PROCESSES: u32 = 3;

/// One process: a handle, and those who work on it.
pub(crate) struct Process<DB: Engine> {
    orm: Orm<DB>,
    crew: Crew,
}

pub(crate) struct Trial<DB: Engine> {
    pub(crate) stage: Arc<Stage<DB>>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tally: Arc<Tally>,
    seed: u64,
    began: Instant,
    hits: AtomicU64,
    write_throughs: AtomicU64,
    is_over: watch::Sender<bool>,
    watcher: JoinHandle<Offences>,
}

impl<DB: Engine> Trial<DB> {
    pub(crate) async fn begin(stage: Stage<DB>, seed: u64) -> Self {
        let began = Instant::now();
        stage.insert_rows().await;
        let stage = Arc::new(stage);
        let shared = Arc::new(Shared::with_rows(KEYS));
        let tally = Arc::new(Tally::new());
        let (is_over, over) = watch::channel(false);
        // It must not drain: with its list of servers it might look in the wrong place.
        let orm = stage.handle(|builder| builder.drainer(false)).await;
        let watcher = Watcher::new(&stage, orm, &shared, &tally);
        let watcher = tokio::spawn(watcher.watch(over));
        let (hits, write_throughs) = Default::default();
        Self { stage, shared, tally, seed, began, hits, write_throughs, is_over, watcher }
    }

    /// Starts a process. Two of three run the old version of the program.
    pub(crate) async fn start(
        &self,
        number: u32,
        load: Load,
        options: impl FnOnce(OrmBuilder<DB>) -> OrmBuilder<DB>,
    ) -> Process<DB> {
        let orm = self.stage.handle(options).await;
        let seed = self.seed ^ (u64::from(number + 1) << 32);
        let crew = if number % 3 == 2 {
            Crew::at_work::<DB, DB::New>(&orm, &self.shared, load, seed)
        } else {
            Crew::at_work::<DB, DB::Old>(&orm, &self.shared, load, seed)
        };
        Process { orm, crew }
    }

    /// Ends a process in good order.
    pub(crate) async fn end(&self, process: Process<DB>) {
        process.crew.end().await;
        // Waits for commits whose callers have gone.
        process.orm.close().await;
        let statistics = process.orm.statistics();
        self.hits.fetch_add(statistics.hits, Ordering::Relaxed);
        self.write_throughs.fetch_add(statistics.write_throughs, Ordering::Relaxed);
    }

    /// Compares, and reports. All processes have ended.
    ///
    /// `options` are those of the last handles.
    pub(crate) async fn finish(
        self,
        title: &str,
        options: impl FnOnce(OrmBuilder<DB>) -> OrmBuilder<DB>,
    ) -> Result<(Report, Offences), String> {
        let Self { stage, shared, tally, seed, began, hits, write_throughs, is_over, watcher } =
            self;
        let orm = stage.handle(options).await;
        let uses_outbox = stage.policy != Policy::Abort;
        let undrained = if uses_outbox { pending::wait_until_drained(&orm).await } else { 0 };
        let differing = at_rest::differing(&orm, KEYS).await;
        for difference in &differing {
            eprintln!("at rest: {difference}");
        }
        is_over.send_replace(true);
        let offences = watcher.await.expect("the watcher does not panic");

        let title = format!("{}, policy {}: {title}", DB::TITLE, stage.policy);
        let mut report = Report::new(title, seed);
        report.took = began.elapsed();
        report.kinds = tally.kinds();
        report.add_counts(&shared.counts);
        report.row("cache hits", hits.load(Ordering::Relaxed));
        report.row("rows written through", write_throughs.load(Ordering::Relaxed));
        report.must_be_zero("stale after acknowledgement", offences.of(Offence::Stale));
        report.must_be_zero("never committed", offences.of(Offence::Uncommitted));
        report.must_be_zero("never written", offences.of(Offence::Torn));
        report.must_be_zero("differing at rest", differing.len() as u64);
        if uses_outbox {
            let name = "older than they should be while an outbox row was pending";
            report.row(name, offences.while_pending);
            report.must_be_zero("rows left in the outbox", undrained);
            let drains = Drains::read(&stage, &orm, &tally.outages()).await;
            let drains = drains.map_err(|error| format!("the outbox's log: {error}"))?;
            drains.add_to(&mut report);
        }
        orm.close().await;
        Ok((report, offences))
    }
}
