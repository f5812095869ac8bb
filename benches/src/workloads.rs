//! Which contestants take part in which workload, and at how many tasks.

use crate::{
    contestants,
    processes::{self, Processes},
    results::Results,
    rounds::{self, Field},
    stage::Stage,
};
use benches::Result;

/// How many rows batches have.
const BATCHES: [usize; 3] = [10, 100, 1000];

/// Runs a workload.
///
/// # Errors
/// A wrong answer, or what else goes wrong.
pub(crate) async fn run(
    stage: &Stage,
    workload: &str,
    processes: &mut Processes,
    results: &mut Results,
) -> Result<()> {
    if workload == "many" {
        for count in BATCHES {
            let here = contestants::many(stage, count).await?;
            let mut field = Field { here, elsewhere: Vec::new(), processes };
            rounds::run(stage, &format!("many-{count}"), &[1, 16], &mut field, results).await?;
        }
        return Ok(());
    }
    let (here, tasks) = match workload {
        "hits" => (contestants::hits(stage).await?, stage.plan.tasks),
        "by-handle" => (contestants::by_handle(stage).await?, few(stage)),
        "cities" => (contestants::cities(stage).await?, few(stage)),
        "misses" => (contestants::misses(stage).await?, few(stage)),
        "mix" => (contestants::mix(stage).await?, stage.plan.tasks),
        "writes" => (contestants::writes(stage).await?, few(stage)),
        _ => return Err(format!("there is no workload `{workload}`").into()),
    };
    let takes_part = |there: &&processes::Contestant| there.workloads.contains(&workload);
    let elsewhere: Vec<_> = processes::CONTESTANTS.iter().filter(takes_part).collect();
    for there in &elsewhere {
        processes.run(there.name, "prepare", 1, stage.plan.slice, 0).await?;
    }
    let mut field = Field { here, elsewhere, processes };
    rounds::run(stage, workload, tasks, &mut field, results).await
}

/// Where the database does the work, its connections are soon all taken.
fn few(stage: &Stage) -> &'static [usize] {
    if stage.plan.quick { &[1, 16] } else { &[1, 16, 64] }
}
