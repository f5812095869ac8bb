//! Readers and writers beside faults: the heart of the harness.

use crate::{
    arguments::Policy,
    engines::Engine,
    history::Offence,
    injector,
    report::Report,
    rows::KEYS,
    stage::Stage,
    trial::{PROCESSES, Trial},
    workload::Load,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long may be written after the last fault, until enough is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs so many faults.
pub(crate) async fn run<DB: Engine>(
    faults: usize,
    policy: Policy,
    seed: u64,
    rate: u32,
) -> Result<Report, String> {
    let trial = Trial::<DB>::begin(Stage::set(policy, KEYS).await?, seed).await;
    let load = Load::of_rate(rate, PROCESSES);
    let mut processes = Vec::new();
    for number in 0..PROCESSES {
        processes.push(trial.start(number, load, |builder| builder).await);
    }
    injector::inject(&trial.stage, faults, seed, &trial.tally).await;
    trial.stage.heal().await;
    sleep(Duration::from_secs(1)).await;
    // On a busy machine it goes on for longer, so that something is shown.
    let enough = 10 * faults as u64;
    let healed = Instant::now();
    while trial.shared.counts.acknowledged.get() < enough && healed.elapsed() < PATIENCE {
        sleep(Duration::from_millis(100)).await;
    }
    for process in processes {
        trial.end(process).await;
    }
    let (stage, shared) = (trial.stage.clone(), trial.shared.clone());
    let (mut report, offences) = trial.finish("faults of all kinds", |builder| builder).await?;
    report.must_be_zero("older than an earlier read", offences.of(Offence::WentBack));
    let disturbed: u64 = stage.caches.iter().map(|cache| cache.proxy.disturbed()).sum();
    report.row("requests and replies that the proxies disturbed", disturbed);
    if shared.counts.acknowledged.get() < enough {
        report.failures.push("too little was written to show anything".to_owned());
    }
    Ok(report)
}
