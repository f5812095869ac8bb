//! Memory of an idle `Orm`, of a connection to memcached, and of a read in flight.
//! Each is measured in a process that has done nothing else.

use super::resident::resident_bytes;
use crate::{
    children::{ChildProcess, serve},
    memcached::Memcached,
    results::Results,
    stage::Stage,
};
use benches::{Result, item::Item};
use cached_orm::{Orm, Postgres};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::{
    fs,
    sync::Mutex,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// `Orm`s that the memory of one is taken from.
const ORMS: usize = 50;
/// As many connections as an `Orm` has by default.
const CONNECTIONS: usize = 2;
/// Connections beyond them, that the memory of one is taken from.
const FURTHER: usize = 8;
/// Reads that wait at once.
const READS: usize = 10_000;
/// Connections that they wait for. With two, more would wait for each than may, and
/// be loaded instead.
const CONNECTIONS_OF_READS: usize = 8;
/// Longer than the reads are waited for.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Until nothing starts any more that has been started.
const SETTLED: Duration = Duration::from_millis(500);

/// What a child is asked.
#[derive(Debug, Serialize, Deserialize)]
enum Question {
    /// How many bytes these `Orm`s take, beside a first one.
    Orms { count: usize, connections: usize },
    /// To be ready for reads.
    Prepare,
    /// How many bytes so many reads take while memcached does not answer.
    Reads,
}

/// Measures all three.
///
/// # Errors
/// A server that does not do, or an operating system without `/proc`.
pub(crate) async fn run(stage: &Stage, results: &mut Results) -> Result<()> {
    let mut fact = |name: &str, bytes: f64| {
        results.fact("memory", name, bytes / 1024.0, "KiB");
    };
    let cache = stage.cache();
    let few = orms(&cache, stage, CONNECTIONS).await?;
    let many = orms(&cache, stage, CONNECTIONS + FURTHER).await?;
    fact("an idle Orm", few);
    fact("each further connection to memcached", (many - few) / FURTHER as f64);

    let server = Memcached::start(64).await?;
    let mut child = ChildProcess::start("memory", &[&server.address(), &stage.postgres])?;
    let _: f64 = child.ask(&Question::Prepare).await?;
    kill(Pid::from_raw(i32::try_from(server.pid())?), Signal::SIGSTOP)?;
    let bytes: f64 = child.ask(&Question::Reads).await?;
    fact("each read in flight, its task included", bytes / READS as f64);
    Ok(())
}

/// Bytes of one of many `Orm`s with so many connections.
async fn orms(cache: &str, stage: &Stage, connections: usize) -> Result<f64> {
    let mut child = ChildProcess::start("memory", &[cache, &stage.postgres])?;
    let bytes: f64 = child.ask(&Question::Orms { count: ORMS, connections }).await?;
    Ok(bytes / ORMS as f64)
}

/// The process that is measured.
///
/// # Errors
/// Standard input or output is broken.
pub(crate) async fn child(cache: &str, postgres: &str) -> Result<()> {
    let kept = Mutex::new(None);
    // The runtime has some itself.
    let sockets = sockets()?;
    serve(async |question| match question {
        Question::Orms { count, connections } => {
            let _first = orm(cache, postgres, connections).await?;
            dialled(sockets + connections).await?;
            let before = resident_bytes("self")?;
            let mut all = Vec::with_capacity(count);
            for _ in 0..count {
                all.push(orm(cache, postgres, connections).await?);
            }
            dialled(sockets + connections * (count + 1)).await?;
            Ok(resident_bytes("self")? - before)
        }
        Question::Prepare => {
            let orm = orm(cache, postgres, CONNECTIONS_OF_READS).await?;
            dialled(sockets + CONNECTIONS_OF_READS).await?;
            *kept.lock().map_err(|_| "a thread has panicked")? = Some(orm);
            Ok(0.0)
        }
        Question::Reads => {
            let orm = kept.lock().map_err(|_| "a thread has panicked")?.clone();
            reads(&orm.ok_or("reads were asked for before they were prepared")?).await
        }
    })
    .await
}

/// Pools open their connections when they are used, which here they are not.
async fn orm(cache: &str, postgres: &str, connections: usize) -> Result<Orm<Postgres>> {
    let orm = Orm::builder(PgPool::connect_lazy(postgres)?)
        .memcached([cache])
        .connections(connections)
        .timeout(TIMEOUT)
        // It looks for an outbox, on a connection to the database.
        .drainer(false)
        .build();
    Ok(orm.await?)
}

async fn reads(orm: &Orm<Postgres>) -> Result<f64> {
    let mut tasks = Vec::with_capacity(READS);
    let before = resident_bytes("self")?;
    for id in 1..=i64::try_from(READS)? {
        let orm = orm.clone();
        tasks.push(tokio::spawn(async move { Item::fetch(&orm, id).await }));
    }
    sleep(SETTLED).await;
    let bytes = resident_bytes("self")? - before;
    let answered = tasks.iter().filter(|task| task.is_finished()).count();
    if answered > 0 {
        return Err(format!("{answered} reads were answered by a server that is stopped").into());
    }
    Ok(bytes)
}

/// Waits until this process has so many sockets, and things have settled.
async fn dialled(wanted: usize) -> Result<()> {
    let begun = Instant::now();
    while sockets()? < wanted {
        if begun.elapsed() > Duration::from_secs(10) {
            let open = sockets()?;
            return Err(format!("{open} sockets are open after 10 s, of {wanted}").into());
        }
        sleep(Duration::from_millis(10)).await;
    }
    sleep(SETTLED).await;
    Ok(())
}

/// How many sockets this process has.
fn sockets() -> Result<usize> {
    let mut sockets = 0;
    for entry in fs::read_dir("/proc/self/fd")? {
        // One that was closed meanwhile is none.
        let target = fs::read_link(entry?.path()).unwrap_or_default();
        sockets += usize::from(target.to_string_lossy().starts_with("socket:"));
    }
    Ok(sockets)
}
