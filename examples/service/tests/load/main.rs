//! The service under load, while memcached is killed, hung and restarted and the database
//! restarted; every answer is checked.
//!
//! `cargo test -p service --test load -- --help` says what can be run.

mod arguments;
mod check;
mod clients;
mod faults;
mod report;
#[path = "../running/mod.rs"]
mod running;
// The harness that kills servers under the runtime itself uses all of it.
#[allow(dead_code, unused_imports)]
#[path = "../../../../tests/faults/servers/mod.rs"]
mod servers;
mod watch;

use arguments::{Arguments, Run};
use check::Check;
use report::Report;
use running::Service;
use servers::{DatabaseServer, Memcached};
use std::{process::ExitCode, sync::Arc};
use watch::Watched;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("load: {message}");
            return ExitCode::from(2);
        }
    };
    match arguments.run {
        Run::Load => {}
        Run::Help => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Run::List => {
            println!("load: test");
            return ExitCode::SUCCESS;
        }
        Run::Nothing => return ExitCode::SUCCESS,
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let report = runtime.expect("a runtime").block_on(load(&arguments));
    println!("{report}");
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn load(arguments: &Arguments) -> Report {
    let folder = tempfile::tempdir_in("/tmp").expect("a folder");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(folder.path(), open).expect("the folder is ours");
    let memcached = Memcached::new(folder.path()).expect("memcached is installed");
    memcached.start().await;
    let database = DatabaseServer::postgres().expect("PostgreSQL is installed");
    database.start().await;
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", database.port());
    faults::wait_for_database(&url).await;

    let hold_off = arguments.hold_off.as_secs().to_string();
    let most_loads = arguments.max_database_loads.to_string();
    let service = Arc::new(Service::start(&[
        "--database",
        &url,
        "--memcached",
        &memcached.address(),
        "--hold-off",
        &hold_off,
        "--max-database-loads",
        &most_loads,
        "--when-cache-is-away",
        "refuse",
    ]));
    let check = Arc::new(Check::new());
    let clients = clients::start(arguments.clients, &service, &check);
    let watched = Arc::new(Watched::default());
    let watching = tokio::spawn(Arc::clone(&watched).watch(Arc::clone(&service), url.clone()));
    faults::inject(arguments, &memcached, &database, &url, &check).await;
    check.end();
    for client in clients {
        client.await.expect("a client does not panic");
    }
    watching.abort();
    Report::new(arguments, &check, watched.samples())
}
