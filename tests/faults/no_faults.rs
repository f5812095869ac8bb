//! Readers beside writers, as fast as it goes, and nothing fails.

use crate::{
    arguments::Policy,
    engines::Engine,
    history::Offence,
    report::Report,
    rows::KEYS,
    stage::{HOLD_OFF, Stage},
    trial::{PROCESSES, Trial},
    workload::Load,
};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Reads so many rows.
pub(crate) async fn run<DB: Engine>(reads: u64, seed: u64) -> Result<Report, String> {
    let stage = Stage::<DB>::set(Policy::Abort, KEYS).await?.without_proxies();
    let trial = Trial::begin(stage, seed).await;
    // Until the servers give leases.
    sleep(HOLD_OFF + Duration::from_secs(2)).await;
    let load = Load {
        readers: 64,
        writers: 2,
        reader_pause: Duration::ZERO,
        writer_pause: Duration::from_millis(20),
    };
    let began = Instant::now();
    let mut processes = Vec::new();
    for number in 0..PROCESSES {
        // A busy machine must not look like a cache or a database that is away.
        let patient = |builder: cached_orm::OrmBuilder<DB>| {
            builder.timeout(Duration::from_secs(2)).load_timeout(Duration::from_secs(60))
        };
        processes.push(trial.start(number, load, patient).await);
    }
    let shared = trial.shared.clone();
    while shared.counts.reads.get() < reads {
        sleep(Duration::from_millis(50)).await;
    }
    let took = began.elapsed();
    for process in processes {
        trial.end(process).await;
    }
    let (mut report, offences) = trial.finish("no faults", |builder| builder).await?;
    let rate = shared.counts.reads.get() as f64 / took.as_secs_f64();
    report.row("reads a second", format!("{rate:.0}"));
    report.must_be_zero("older than an earlier read", offences.of(Offence::WentBack));
    if shared.counts.failed_reads.get() > 0 {
        report.failures.push("reads failed".to_owned());
        report.failures.extend(shared.failures());
    }
    Ok(report)
}
