//! Processes that abort at each step of a write, and what they leave.
//!
//! Each child writes a key of its own, so that no later write hides what was
//! left. Readers go on meanwhile. When the fences have expired, the cache must say
//! what the database says, for every key.

use crate::{
    arguments::{Database, Policy},
    at_rest,
    engines::{Engine, pool},
    pending,
    report::Report,
    rows::HotRow as _,
    stage::{Stage, configure},
};
use cached_orm::{
    MemcachedOrm as _, Orm,
    test_kit::{Step, on_step},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// Children that run side by side.
const AT_ONCE: usize = 4;
/// A busy machine must not look like a cache that is away.
const PATIENCE: Duration = Duration::from_secs(5);
const SIGABRT: i32 = 6;
/// The exit code of a child that lived through its write.
const SURVIVED: i32 = 3;

/// How a child writes.
const WAYS: [&str; 4] = ["update", "transaction", "delete", "insert"];

/// Lets so many children abort at each step.
pub(crate) async fn run<DB: Engine>(
    database: Database,
    aborts: usize,
    policy: Policy,
    seed: u64,
) -> Result<Report, String> {
    let began = Instant::now();
    let stage = Stage::<DB>::set(policy, (Step::OF_A_WRITE.len() * aborts) as i64).await?;
    stage.insert_rows().await;
    let orm = stage.handle(|builder| builder.timeout(PATIENCE)).await;
    // Until the servers give leases: only then can a child's fence matter.
    sleep(crate::stage::HOLD_OFF + Duration::from_secs(2)).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(read::<DB>(orm.clone(), stage.keys, seed, Arc::clone(&is_over)));
    let mut children = JoinSet::new();
    let mut wrong_ends = Vec::new();
    for key in 0..stage.keys {
        let step = key as usize % Step::OF_A_WRITE.len();
        let way = match WAYS[key as usize / Step::OF_A_WRITE.len() % WAYS.len()] {
            // These two are steps of writes that are transactions of their own.
            "transaction" if matches!(Step::OF_A_WRITE[step], Step::Begun | Step::Written) => {
                "update"
            }
            way => way,
        };
        let words = [
            format!("{database:?}"),
            stage.database_port().to_string(),
            stage.folder.path().display().to_string(),
            policy.to_string(),
            stage.addresses().join(","),
            key.to_string(),
            step.to_string(),
            way.to_owned(),
        ];
        if children.len() == AT_ONCE {
            wrong_ends.extend(end_of(children.join_next().await));
        }
        let orm = orm.clone();
        children.spawn(async move {
            drop(DB::Old::fetch(&orm, key.into()).await);
            let child = tokio::process::Command::from(own_program())
                .arg("--child")
                .args(&words)
                .stdin(Stdio::null())
                .status();
            let ended = child.await;
            // At once: what it has left must not be filled over.
            drop(DB::Old::fetch(&orm, key.into()).await);
            (words.join(" "), ended)
        });
    }
    while !children.is_empty() {
        wrong_ends.extend(end_of(children.join_next().await));
    }
    is_over.store(true, Ordering::Relaxed);
    reader.await.expect("the reader does not panic");
    let mut report = Report::new(format!("{}, aborted writers, policy {policy}", DB::TITLE), seed);
    let undrained =
        if policy == Policy::Abort { 0 } else { pending::wait_until_drained(&orm).await };
    let differing = at_rest::differing(&orm, stage.keys).await;
    orm.close().await;
    report.took = began.elapsed();
    report.row("steps", Step::OF_A_WRITE.len());
    report.row("children aborted at each", aborts);
    report.must_be_zero("children that did not abort", wrong_ends.len() as u64);
    report.must_be_zero("rows left in the outbox", undrained);
    report.must_be_zero("differing at rest", differing.len() as u64);
    for text in wrong_ends.iter().chain(&differing) {
        eprintln!("crash steps: {text}");
    }
    Ok(report)
}

fn own_program() -> Command {
    Command::new(std::env::current_exe().expect("the harness is a file"))
}

/// What is wrong with a child's end.
fn end_of(
    ended: Option<Result<(String, std::io::Result<ExitStatus>), tokio::task::JoinError>>,
) -> Option<String> {
    let (words, status) = ended?.expect("no child's task panics");
    match status {
        Ok(status) if status.signal() == Some(SIGABRT) => None,
        Ok(status) => Some(format!("{words}: {status}")),
        Err(error) => Some(format!("{words}: {error}")),
    }
}

/// Reads rows beside the children, so that they are in the cache.
async fn read<DB: Engine>(orm: Orm<DB>, keys: i64, seed: u64, is_over: Arc<AtomicBool>) {
    let mut rng = StdRng::seed_from_u64(seed);
    while !is_over.load(Ordering::Relaxed) {
        drop(DB::Old::fetch(&orm, rng.random_range(0..keys).into()).await);
        sleep(Duration::from_millis(1)).await;
    }
}

/// What a child does: it writes its key once, and does not live to tell.
pub(crate) async fn child<DB: Engine>(words: &[String]) -> i32 {
    let [_, port, folder, policy, caches, key, step, way] = words else {
        panic!("a child is told eight things");
    };
    let port = port.parse().expect("a port");
    let policy = Policy::parse(policy).expect("a policy");
    let key: i64 = key.parse().expect("a key");
    let step = Step::OF_A_WRITE[step.parse::<usize>().expect("a step")];
    let builder = Orm::builder(pool::<DB>(DB::options(port, Path::new(folder)), 2));
    let addresses = caches.split(',').map(str::to_owned);
    let orm =
        configure(builder, addresses, policy).timeout(PATIENCE).build().await.expect("an Orm");
    let found = DB::Old::fetch(&orm, key.into()).await.expect("the row can be read");
    let mut row = found.expect("the row is there");
    if way == "insert" {
        row.delete(&orm).await.expect("the row can be deleted");
        if DB::KEYS_ARE_LOCKED_BY_US {
            let mut transaction = orm.begin().await.expect("a transaction");
            let noted = DB::note_revision(&mut transaction, key, 2).await;
            noted.expect("the revision is noted");
            transaction.commit().await.expect("a commit");
        }
        drop(DB::Old::fetch(&orm, key.into()).await);
    }
    on_step(move |reached| {
        if reached == step {
            std::process::abort();
        }
    });
    row = DB::Old::new(key, row.revision() + if way == "insert" { 2 } else { 1 }, -1);
    let written = match way.as_str() {
        "update" => row.update(&orm).await,
        "insert" => row.insert(&orm).await.map(drop),
        "delete" => row.delete(&orm).await.map(drop),
        _ => in_transaction(&orm, &mut row).await,
    };
    eprintln!("child {}: survived, {written:?}", words.join(" "));
    SURVIVED
}

async fn in_transaction<DB: Engine>(orm: &Orm<DB>, row: &mut DB::Old) -> cached_orm::Result<()> {
    let mut transaction = orm.begin().await?;
    row.update(&mut transaction).await?;
    transaction.commit().await.map(drop)
}
