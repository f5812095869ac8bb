//! cached-orm beside what else could be used, in the same run and with every answer
//! checked. `cargo run --release -p benches -- --help` tells what can be chosen.

#![forbid(unsafe_code)]

mod children;
mod city;
mod contestants;
mod experiments;
mod goals;
mod instructions;
mod machine;
mod memcached;
mod plan;
mod processes;
mod processors;
mod report;
mod results;
mod rounds;
mod stage;
mod tables;
mod workloads;

use crate::{goals::Goal, plan::Plan, results::Results, stage::Stage};
use benches::Result;
use clap::{Parser, Subcommand};
use std::{
    env,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// Measures cached-orm beside what else could be used.
///
/// Starts memcached, PostgreSQL and MariaDB, checks every answer, and writes tables
/// and plots: those of a whole run into `benches/results`, others into
/// `benches/results/partial`.
#[derive(Debug, Parser)]
#[command(name = "benches")]
struct Arguments {
    /// The short form: two minutes, and figures that mean little.
    #[arg(long)]
    quick: bool,
    /// Some parts only: hits, misses, mix, many, by-handle, cities, writes,
    /// stampede, cache-dead, growth, memory, compile.
    #[arg(long, value_delimiter = ',', value_parser = parts())]
    only: Vec<String>,
    #[command(subcommand)]
    command: Option<Other>,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// Counts the instructions of a hit, with valgrind.
    Instructions,
    /// A process of an experiment.
    #[command(hide = true)]
    Child {
        /// Which, and what it is told.
        arguments: Vec<String>,
    },
}

/// What a run is made of, in this order.
const PARTS: [&str; 12] = [
    "hits",
    "by-handle",
    "many",
    "cities",
    "misses",
    "mix",
    "writes",
    "stampede",
    "cache-dead",
    "growth",
    "memory",
    "compile",
];

fn parts() -> impl clap::builder::TypedValueParser<Value = String> {
    clap::builder::TypedValueParser::map(
        clap::builder::PossibleValuesParser::new(PARTS),
        |part: String| part,
    )
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let servers = ["TEST_POSTGRES_URL", "TEST_MYSQL_URL", "MEMCACHED_BINARY"];
    if servers.iter().any(|name| env::var_os(name).is_none()) {
        // Replaces this process by one that has servers, and stops them after it.
        let mut command = Command::new(root.join("tests/servers"));
        command.arg("--").arg(env::current_exe()?).args(env::args_os().skip(1));
        return Err(format!("tests/servers could not be run: {}", command.exec()).into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match &arguments.command {
            Some(Other::Child { arguments }) => children::child(arguments).await,
            Some(Other::Instructions) => instructions::run(&root).await,
            None => everything(&arguments, root).await,
        }
    })
}

async fn everything(arguments: &Arguments, root: PathBuf) -> Result<()> {
    let begun = Instant::now();
    let plan = if arguments.quick { Plan::quick() } else { Plan::full() };
    let is_whole = !arguments.quick && arguments.only.is_empty();
    let folder = root.join(if is_whole { "benches/results" } else { "benches/results/partial" });
    let mut results = Results {
        machine: machine::machine(),
        date: machine::today(),
        quick: plan.quick,
        ..Results::default()
    };
    let stage = Stage::set(plan, root, &mut results).await?;
    let is_wanted =
        |part: &&str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == part);
    let mut processes = processes::start(&stage).await?;
    for part in PARTS.into_iter().filter(is_wanted) {
        eprintln!("{part}, after {:.0?}", begun.elapsed());
        match part {
            "stampede" => experiments::stampede::run(&stage, &mut results).await?,
            "cache-dead" => experiments::cache_dead::run(&stage, &mut results).await?,
            "growth" => experiments::growth::run(&stage, &mut results).await?,
            "memory" => experiments::memory::run(&stage, &mut results).await?,
            "compile" => experiments::compile::run(&stage, &mut results).await?,
            workload => workloads::run(&stage, workload, &mut processes, &mut results).await?,
        }
        // What was measured is kept, should a later part fail.
        report::write(&results, &folder)?;
    }
    println!("{} written after {:.0?}", folder.display(), begun.elapsed());
    for Goal { what, goal, measured, met } in goals::goals(&results) {
        let verdict = match met {
            Some(true) => "met",
            Some(false) => "not met",
            None => "-",
        };
        let measured = measured.unwrap_or_else(|| "not measured".to_owned());
        println!("{verdict:>8}  {what}: {goal}; {measured}");
    }
    Ok(())
}
