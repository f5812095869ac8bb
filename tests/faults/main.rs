//! Shows that nothing stale is read, whatever fails: readers and writers beside
//! faults, and a check of every read against the history.
//!
//! `cargo test --test faults -- --help` says what can be run. The servers are the
//! harness's own, for it kills them.

mod arguments;
mod at_rest;
mod beside_faults;
mod counts;
mod engines;
mod history;
mod injector;
mod naive;
mod pending;
mod proxies;
mod report;
mod rows;
mod schedule;
mod servers;
mod stage;
mod workload;

use arguments::{Arguments, Database, Run};
use report::Report;
use sqlx::{MySql, Postgres, Sqlite};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("faults: {message}");
            return ExitCode::from(2);
        }
    };
    match arguments.run {
        Run::Help => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Run::List => {
            println!("faults: test");
            return ExitCode::SUCCESS;
        }
        Run::Nothing => return ExitCode::SUCCESS,
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run(&arguments))
}

async fn run(arguments: &Arguments) -> ExitCode {
    eprintln!("seed {}", arguments.seed);
    let mut is_good = true;
    for report in reports(arguments).await {
        match report {
            Ok(report) => {
                println!("{}", report.table());
                is_good &= report.failures.is_empty();
            }
            Err(reason) => {
                eprintln!("faults: cannot run: {reason}");
                is_good = false;
            }
        }
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn reports(arguments: &Arguments) -> Vec<Result<Report, String>> {
    let &Arguments { run, database, policy, seed, rate } = arguments;
    match run {
        Run::Faults(faults) => vec![match database {
            Database::Postgres => beside_faults::run::<Postgres>(faults, policy, seed, rate).await,
            Database::MariaDb => beside_faults::run::<MySql>(faults, policy, seed, rate).await,
            Database::Sqlite => beside_faults::run::<Sqlite>(faults, policy, seed, rate).await,
        }],
        Run::Naive => vec![match database {
            Database::Postgres => naive::run::<Postgres>(seed).await,
            Database::MariaDb => naive::run::<MySql>(seed).await,
            Database::Sqlite => naive::run::<Sqlite>(seed).await,
        }],
        _ => vec![Err("not there yet".to_owned())],
    }
}
