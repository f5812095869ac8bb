//! A list of servers that changes under load, in three roll-outs: all processes
//! fence on the new servers too, then reads move, then the old list is dropped. In
//! each, processes with the old options and with the new ones work side by side.

use crate::{
    arguments::Policy,
    engines::Engine,
    history::Offence,
    injector,
    report::Report,
    rows::KEYS,
    stage::{HOLD_OFF, Stage},
    trial::{PROCESSES, Trial},
    workload::Load,
};
use cached_orm::OrmBuilder;
use std::time::{Duration, SystemTime};
use tokio::time::sleep;

/// Changes the list so often.
pub(crate) async fn run<DB: Engine>(
    changes: usize,
    policy: Policy,
    seed: u64,
    rate: u32,
) -> Result<Report, String> {
    let trial = Trial::<DB>::begin(Stage::set(policy, KEYS).await?, seed).await;
    let load = Load::of_rate(rate, PROCESSES);
    let addresses = trial.stage.addresses();
    // Two servers of three, by the number of the server that is not used.
    let without = |unused: usize| {
        let mut list = addresses.clone();
        list.remove(unused % addresses.len());
        list
    };
    let mut processes = Vec::new();
    for number in 0..PROCESSES {
        let old = |builder: OrmBuilder<DB>| builder.memcached(without(0));
        processes.push(trial.start(number, load, old).await);
    }
    let roll_outs = async {
        for change in 0..changes {
            let (old, new) = (without(change), without(change + 1));
            // A server that comes back into the list must not have what it had.
            let comes_back = &trial.stage.caches[change % addresses.len()];
            let turn = comes_back.turn.lock().await;
            let began = SystemTime::now();
            comes_back.memcached.kill();
            comes_back.memcached.start().await;
            trial.tally.was_out(None, began);
            drop(turn);
            sleep(HOLD_OFF + Duration::from_secs(3)).await;
            for (kind, list, also) in [
                ("servers: the new list is fenced, too", &old, Some(&new)),
                ("servers: reads move to the new list", &new, Some(&old)),
                ("servers: the old list is dropped", &new, None),
            ] {
                trial.tally.began(kind, kind.to_owned());
                for (number, process) in (0..).zip(&mut processes) {
                    let options = |builder: OrmBuilder<DB>| {
                        let builder = builder.memcached(list.clone());
                        match also {
                            Some(also) => builder.also_fence(also.clone()),
                            None => builder,
                        }
                    };
                    let next = trial.start(number, load, options).await;
                    trial.end(std::mem::replace(process, next)).await;
                    sleep(Duration::from_millis(200)).await;
                }
                sleep(Duration::from_millis(500)).await;
            }
        }
    };
    // Faults beside it, as in a real week.
    let faults = injector::inject(&trial.stage, 3 * changes, seed, &trial.tally);
    tokio::join!(roll_outs, faults);
    trial.stage.heal().await;
    sleep(Duration::from_secs(1)).await;
    for process in processes {
        trial.end(process).await;
    }
    trial.tally.all_servers_matter();
    let list = without(changes);
    let last = |builder: OrmBuilder<DB>| builder.memcached(list);
    let (mut report, offences) = trial.finish("the list of servers changes", last).await?;
    report.must_be_zero("older than an earlier read", offences.of(Offence::WentBack));
    Ok(report)
}
