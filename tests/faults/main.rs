//! Shows that nothing stale is read, whatever fails: readers and writers beside
//! faults, and a check of every read against the history.
//!
//! `cargo test --test faults -- --help` says what can be run. The servers are the
//! harness's own, for it kills them.

mod arguments;
mod at_rest;
mod beside_faults;
mod counts;
mod crash_steps;
mod engines;
mod fences_lost;
mod history;
mod injector;
mod kill_cache;
mod naive;
mod no_faults;
mod pending;
mod proxies;
mod report;
mod roll_outs;
mod rows;
mod schedule;
mod servers;
mod short;
mod stage;
mod trial;
mod unindexed;
mod watcher;
mod workload;

use arguments::{Arguments, Database, Run};
use report::Report;
use sqlx::{MySql, Postgres, Sqlite};
use std::process::ExitCode;

/// Calls a function for the database that was asked for.
macro_rules! on {
    ($database:expr, $module:ident::$function:ident($($argument:expr),*)) => {
        match $database {
            Database::Postgres => $module::$function::<Postgres>($($argument),*).await,
            Database::MariaDb => $module::$function::<MySql>($($argument),*).await,
            Database::Sqlite => $module::$function::<Sqlite>($($argument),*).await,
        }
    };
}

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
    let runtime = runtime.expect("a runtime");
    if arguments.run == Run::Child {
        let code = runtime.block_on(child(&arguments.child));
        // At once: nobody is to tidy up.
        std::process::exit(code);
    }
    runtime.block_on(run(&arguments))
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

async fn child(words: &[String]) -> i32 {
    let database = arguments::database(&words[0]).expect("a database");
    on!(database, crash_steps::child(words))
}

async fn reports(arguments: &Arguments) -> Vec<Result<Report, String>> {
    let &Arguments { run, database, policy, seed, rate, .. } = arguments;
    match run {
        Run::Short => short::run(seed).await,
        Run::Faults(faults) => {
            let (changes, losses) = (faults.div_ceil(100), faults.div_ceil(20));
            vec![
                on!(database, beside_faults::run(faults, policy, seed, rate)),
                on!(database, roll_outs::run(changes, policy, seed, rate)),
                on!(database, fences_lost::run(losses, policy, seed, rate)),
            ]
        }
        Run::NoFaults(reads) => vec![on!(database, no_faults::run(reads, seed))],
        Run::KillCache => vec![on!(database, kill_cache::run(seed))],
        Run::Naive => {
            vec![on!(database, naive::run(seed)), on!(database, unindexed::run(seed))]
        }
        Run::Aborts(aborts) => {
            vec![on!(database, crash_steps::run(database, aborts, policy, seed))]
        }
        Run::Child | Run::Help | Run::List | Run::Nothing => Vec::new(),
    }
}
