//! Contestants take turns, round by round, so that whatever happens to the machine
//! meanwhile happens to all of them.

use crate::{
    contestants::Contestant,
    processes::{self, Processes},
    processors::Server,
    results::{Results, Series},
    stage::Stage,
};
use benches::{Result, drive::Measured};

/// Whoever takes part in a workload.
pub(crate) struct Field<'p> {
    /// Contestants in this process.
    pub(crate) here: Vec<Contestant>,
    /// Those that have processes of their own.
    pub(crate) elsewhere: Vec<&'static processes::Contestant>,
    /// Where these are.
    pub(crate) processes: &'p mut Processes,
}

/// Runs all rounds of a workload at each number of tasks.
///
/// # Errors
/// A wrong answer of anyone, or a stale one of ours.
pub(crate) async fn run(
    stage: &Stage,
    workload: &str,
    tasks: &[usize],
    field: &mut Field<'_>,
    results: &mut Results,
) -> Result<()> {
    let count = field.here.len() + field.elsewhere.len();
    for &tasks in tasks {
        let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); count];
        for round in 0..stage.plan.rounds {
            for turn in 0..count {
                // Another one begins each round: nobody always follows the same.
                let at = (turn + round) % count;
                let measured = one(stage, workload, tasks, round, at, field).await?;
                rounds[at].push(measured);
            }
        }
        let here = field.here.iter().map(|here| (here.name, here.what));
        let elsewhere = field.elsewhere.iter().map(|there| (there.name, there.what));
        for ((name, what), rounds) in here.chain(elsewhere).zip(rounds) {
            results.contestants.insert(name.to_owned(), what.to_owned());
            results.series.push(Series {
                workload: workload.to_owned(),
                contestant: name.to_owned(),
                tasks,
                rounds,
            });
        }
    }
    Ok(())
}

async fn one(
    stage: &Stage,
    workload: &str,
    tasks: usize,
    round: usize,
    at: usize,
    field: &mut Field<'_>,
) -> Result<Measured> {
    let seed = (round * 1000 + tasks) as u64;
    let slice = stage.plan.slice;
    let before = server_cpu(stage);
    let here = field.here.get(at);
    let name = here.map_or_else(|| field.elsewhere[at - field.here.len()].name, |here| here.name);
    let measured = match here {
        Some(contestant) => (contestant.run)(tasks, slice, seed).await,
        None => field.processes.run(name, workload, tasks, slice, seed).await,
    };
    let mut measured =
        measured.map_err(|error| format!("{workload}, {name}, {tasks} tasks: {error}"))?;
    let after = server_cpu(stage);
    (measured.cache_cpu, measured.database_cpu) = (after.0 - before.0, after.1 - before.1);
    if name.starts_with("cached-orm") && measured.stale > 0 {
        return Err(format!("{name} gave {} stale answers", measured.stale).into());
    }
    eprintln!(
        "{workload:>10} {tasks:>4} tasks  {name:<32} {:>10.0}/s {:>7.2} µs CPU, p50 {:.1} µs",
        measured.rate(),
        measured.cpu_per_unit(),
        measured.p50,
    );
    Ok(measured)
}

/// Of the cache, and of all databases: a contestant uses one of them.
fn server_cpu(stage: &Stage) -> (f64, f64) {
    let cache = Server::Alone(stage.memcached.pid()).cpu();
    (cache, stage.databases.iter().map(|server| server.cpu()).sum())
}
