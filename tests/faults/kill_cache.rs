//! memcached dies under load: no read may fail, and the database must not be
//! asked for more rows at once than it was promised.

use crate::{
    arguments::Policy,
    engines::Engine,
    report::Report,
    rows::KEYS,
    stage::{HOLD_OFF, MAX_LOADS, Stage},
    workload::{Crew, Load, Shared},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;

const ROUNDS: usize = 3;

pub(crate) async fn run<DB: Engine>(seed: u64) -> Result<Report, String> {
    let began = Instant::now();
    let stage = Stage::<DB>::set(Policy::Abort, KEYS).await?;
    stage.insert_rows().await;
    let shared = Arc::new(Shared::with_rows(KEYS));
    sleep(HOLD_OFF + Duration::from_secs(2)).await;
    // Nothing but reads: whatever is asked of the database is a load.
    let orm = stage.handle(|builder| builder.drainer(false)).await;
    let load = Load {
        readers: 256,
        writers: 0,
        reader_pause: Duration::ZERO,
        writer_pause: Duration::ZERO,
    };
    let crew = Crew::at_work::<DB, DB::Old>(&orm, &shared, load, seed);
    let mut report = Report::new(format!("{}, memcached killed under load", DB::TITLE), seed);
    let mut while_away = 0;
    for _ in 0..ROUNDS {
        sleep(Duration::from_secs(1)).await;
        stage.caches.iter().for_each(|cache| cache.memcached.kill());
        let before = shared.counts.reads.get();
        sleep(Duration::from_secs(1)).await;
        while_away += shared.counts.reads.get() - before;
        for cache in &stage.caches {
            cache.memcached.start().await;
        }
    }
    crew.end().await;
    let loads = orm.statistics().loads;
    orm.close().await;
    report.took = began.elapsed();
    report.row("kills", ROUNDS * stage.caches.len());
    report.row("reads", shared.counts.reads.get());
    report.row("  of these while memcached was away", while_away);
    report.row("loads", loads);
    report.must_be_zero("reads that failed", shared.counts.failed_reads.get());
    report.failures.extend(shared.failures());
    let violations = shared.history.take_violations().len() as u64;
    report.must_be_zero("stale", violations);
    if let Some(proxy) = &stage.database_proxy {
        let most = proxy.take_most_busy();
        report.row("loads allowed at once", MAX_LOADS);
        report.row("most loads at once, as the database saw them", most);
        // One more: at a struct's first use the catalog is looked at beside the loads.
        if most > u64::from(MAX_LOADS) + 1 {
            report.failures.push(format!("{most} loads at once"));
        }
    }
    if while_away == 0 {
        report.failures.push("nothing was read while memcached was away".to_owned());
    }
    Ok(report)
}
