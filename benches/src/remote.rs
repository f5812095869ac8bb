//! Contestants in processes of their own: one line of JSON for each round, and one
//! back.

use crate::{Result, drive::Measured};
use serde::{Deserialize, Serialize};
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// What a process is asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Round {
    /// The contestant, for processes that have several.
    pub contestant: String,
    /// `prepare` or a workload: `hits`, `misses`, `mix`, …
    pub workload: String,
    /// How many tasks read at once.
    pub tasks: usize,
    /// For how long.
    pub seconds: f64,
    /// For what is chosen by chance.
    pub seed: u64,
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The round's figures; all zero for `prepare`.
    Measured(Measured),
    /// A wrong answer, or what else went wrong.
    Error(String),
}

/// A process that contestants run in. It ends with its standard input.
#[derive(Debug)]
pub struct Remote {
    name: String,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Remote {
    /// Starts it. What it says on standard error is shown.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{name} could not be started: {error}"))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{name} has no pipes").into());
        };
        let stdout = BufReader::new(stdout).lines();
        Ok(Self { name: name.to_owned(), stdin, stdout, _child: child })
    }

    /// Has one round run.
    ///
    /// # Errors
    /// What went wrong there, or that the process has ended.
    pub async fn run(&mut self, round: &Round) -> Result<Measured> {
        let mut line = serde_json::to_string(round)?;
        line.push('\n');
        self.stdin.write_all(line.as_bytes()).await?;
        let Some(line) = self.stdout.next_line().await? else {
            return Err(format!("{} has ended; what it said is above", self.name).into());
        };
        match serde_json::from_str(&line)? {
            Answer::Measured(measured) => Ok(measured),
            Answer::Error(error) => Err(format!("{}: {error}", self.name).into()),
        }
    }

    /// The operating system's number for it.
    pub fn pid(&self) -> Option<u32> {
        self._child.id()
    }
}

/// The other end: answers rounds until standard input ends.
///
/// # Errors
/// Standard input or output is broken.
pub async fn serve<F>(mut run: impl FnMut(Round) -> F) -> Result<()>
where
    F: Future<Output = Result<Measured>>,
{
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut stdout = tokio::io::stdout();
    while let Some(line) = lines.next_line().await? {
        let answer = match run(serde_json::from_str(&line)?).await {
            Ok(measured) => Answer::Measured(measured),
            Err(error) => Answer::Error(error.to_string()),
        };
        let mut line = serde_json::to_string(&answer)?;
        line.push('\n');
        stdout.write_all(line.as_bytes()).await?;
        stdout.flush().await?;
    }
    Ok(())
}
