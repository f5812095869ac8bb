//! `cached-orm`: what operators ask of the cache, the outbox and the database, without
//! the program's structs at hand.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod connection;
mod failure;
mod instance_key;
mod output;
mod progress;
mod signing_keys;
mod time_span;

use crate::{
    arguments::{Cli, Command, OutboxCommand},
    connection::{Reachable, System},
    failure::{Failure, Outcome},
};
use cached_orm::{MySql, Postgres, Sqlite};
use clap::{CommandFactory as _, Parser as _};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(outcome) => outcome.code(),
        Err(failure) => {
            failure.tell(cli.is_json);
            failure.code()
        }
    }
}

async fn run(cli: &Cli) -> Result<Outcome, Failure> {
    if let Command::Completions { shell } = cli.command {
        clap_complete::generate(shell, &mut Cli::command(), "cached-orm", &mut std::io::stdout());
        return Ok(Outcome::Fine);
    }
    match System::of(cli)? {
        System::Postgres => on::<Postgres>(cli).await,
        System::MySql => on::<MySql>(cli).await,
        System::Sqlite => on::<Sqlite>(cli).await,
    }
}

async fn on<DB: Reachable>(cli: &Cli) -> Result<Outcome, Failure> {
    match &cli.command {
        Command::Status => commands::status::<DB>(cli).await,
        Command::Explain(explain) => commands::explain::<DB>(cli, explain).await,
        Command::Audit(audit) => commands::audit::<DB>(cli, audit).await,
        Command::Outbox(OutboxCommand::Status) => commands::outbox_status::<DB>(cli).await,
        Command::Outbox(OutboxCommand::Drain(drain)) => commands::drain::<DB>(cli, drain).await,
        Command::Verify(verify) => commands::verify::<DB>(cli, verify).await,
        Command::Migrate(migrate) => commands::migrate::<DB>(cli, migrate).await,
        // It is of no database.
        Command::Completions { .. } => Ok(Outcome::Fine),
    }
}
