//! The contestants that run as processes of their own: building, starting, asking.

use crate::stage::Stage;
use benches::{
    Result,
    drive::Measured,
    remote::{Remote, Round},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// A contestant, for tables.
#[derive(Debug)]
pub(crate) struct Contestant {
    /// What `Processes::run` is told.
    pub(crate) name: &'static str,
    /// What it is, in a sentence.
    pub(crate) what: &'static str,
    /// What it can be asked to do, after `prepare`.
    pub(crate) workloads: &'static [&'static str],
}

/// All of them.
pub(crate) const CONTESTANTS: &[Contestant] = &[
    Contestant {
        name: "deadpool-memcached by hand",
        what: "get, else SELECT and set; after UPDATE and COMMIT delete: deadpool-memcached's \
               pool (32 connections), rmp-serde and sqlx.",
        workloads: &["hits", "misses", "mix"],
    },
    Contestant {
        name: "cache-kit",
        what: "cache-kit with its memcached backend and sqlx on PostgreSQL: `Refresh` to \
               read, `Invalidate` after a write.",
        workloads: &["hits", "misses", "mix"],
    },
    Contestant {
        name: ORIGINAL,
        what: "The original idea in Python: SQLAlchemy's objects, pickled into memcached by \
               pymemcache, with threads for tasks.",
        workloads: &["hits", "misses"],
    },
];

const ORIGINAL: &str = "the original, in Python";

/// The rows that the mixes of `benches/peers` write lie this many working sets past
/// the table's end, where nobody else has rows of its own.
const OWN_ROWS: i64 = 100;

/// The processes, ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Processes {
    peers: Remote,
    original: Remote,
}

/// Installs and builds what is not there yet, and starts the processes. The first time
/// takes minutes.
///
/// # Errors
/// Something is missing and may not be installed, or does not build or start.
pub(crate) async fn start(stage: &Stage) -> Result<Processes> {
    // Folders of their own, since features would fight over a shared one.
    let built = stage.root.join("target").join("benches");
    succeed(&mut Command::new(stage.root.join("benches/prepare"))).await?;
    let peers = build_peers(&stage.root.join("benches/peers"), &built.join("peers")).await?;
    let python =
        make_environment(&stage.root.join("benches/original"), &built.join("python")).await?;

    let mut peers = Command::new(peers);
    let own_rows = stage.plan.rows + 1 + OWN_ROWS * stage.plan.working_set as i64;
    peers.args(["--own-rows", &own_rows.to_string()]);
    let mut original = Command::new(python);
    // Nothing is left in the repository.
    original.arg("-B").arg(stage.root.join("benches/original/serve.py"));
    for command in [&mut peers, &mut original] {
        command
            .args(["--database", &stage.postgres, "--memcached", &stage.cache()])
            .args(["--rows", &stage.plan.rows.to_string()])
            .args(["--working-set", &stage.plan.working_set.to_string()]);
    }
    Ok(Processes {
        peers: Remote::start("benches/peers", &mut peers)?,
        original: Remote::start("benches/original/serve.py", &mut original)?,
    })
}

impl Processes {
    /// Has a contestant run one round: `prepare`, or one of its workloads. The CPU of
    /// servers is not among the figures.
    ///
    /// # Errors
    /// What went wrong there.
    pub(crate) async fn run(
        &mut self,
        contestant: &str,
        workload: &str,
        tasks: usize,
        slice: Duration,
        seed: u64,
    ) -> Result<Measured> {
        let round = Round {
            contestant: contestant.to_owned(),
            workload: workload.to_owned(),
            tasks,
            seconds: slice.as_secs_f64(),
            seed,
        };
        let process = if contestant == ORIGINAL { &mut self.original } else { &mut self.peers };
        process.run(&round).await
    }
}

/// The program of the package in `source`.
async fn build_peers(source: &Path, target: &Path) -> Result<PathBuf> {
    // The one that runs this, where there is one; else the one that built it.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(source.join("Cargo.toml"));
    succeed(build.env("CARGO_TARGET_DIR", target)).await?;
    Ok(target.join("release").join("peers"))
}

/// The Python of an environment that has what `source` requires.
async fn make_environment(source: &Path, environment: &Path) -> Result<PathBuf> {
    let requirements = source.join("requirements.txt");
    let python = environment.join("bin").join("python");
    // Written last, so that what was interrupted is begun anew.
    let installed = environment.join("requirements.txt");
    let wanted = fs::read(&requirements)?;
    if python.exists() && fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    succeed(make.args(["-m", "venv", "--clear"]).arg(environment)).await?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    succeed(install.arg(&requirements)).await?;
    fs::write(&installed, wanted)?;
    Ok(python)
}

/// Runs a command whose errors are shown, and whose output is not.
async fn succeed(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().await;
    let shown = command.as_std();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{shown:?} failed: {status}; what it said is above").into()),
        Err(error) => Err(format!("{shown:?} could not be started: {error}").into()),
    }
}
