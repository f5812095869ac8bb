//! Processes of the harness's own: the same program, with `child` for its first
//! argument. They are asked and answer in lines of JSON.

use crate::experiments::{memory, stampede};
use benches::Result;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// What a child answers.
#[derive(Debug, Serialize, Deserialize)]
enum Answer<A> {
    /// What was asked for.
    Done(A),
    /// What went wrong there.
    Error(String),
}

/// A child. It ends with its standard input.
#[derive(Debug)]
pub(crate) struct ChildProcess {
    kind: &'static str,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl ChildProcess {
    /// Starts one of this kind. What it says on standard error is shown.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(kind: &'static str, arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["child", kind])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the child for `{kind}` could not be started: {error}"))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("the child for `{kind}` has no pipes").into());
        };
        let stdout = BufReader::new(stdout).lines();
        Ok(Self { kind, stdin, stdout, _child: child })
    }

    /// Asks it something, and waits for the answer.
    ///
    /// # Errors
    /// What went wrong there, or that the process has ended.
    pub(crate) async fn ask<Q: Serialize, A: DeserializeOwned>(
        &mut self,
        question: &Q,
    ) -> Result<A> {
        let mut line = serde_json::to_string(question)?;
        line.push('\n');
        self.stdin.write_all(line.as_bytes()).await?;
        let Some(line) = self.stdout.next_line().await? else {
            let kind = self.kind;
            return Err(format!("the child for `{kind}` has ended; what it said is above").into());
        };
        match serde_json::from_str(&line)? {
            Answer::Done(answer) => Ok(answer),
            Answer::Error(error) => Err(format!("the child for `{}`: {error}", self.kind).into()),
        }
    }
}

/// The other end: answers until standard input ends.
///
/// # Errors
/// Standard input or output is broken.
pub(crate) async fn serve<Q, A, F>(mut answer: impl FnMut(Q) -> F) -> Result<()>
where
    Q: DeserializeOwned,
    A: Serialize,
    F: Future<Output = Result<A>>,
{
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut stdout = tokio::io::stdout();
    while let Some(line) = lines.next_line().await? {
        let answer = match answer(serde_json::from_str(&line)?).await {
            Ok(answer) => Answer::Done(answer),
            Err(error) => Answer::Error(error.to_string()),
        };
        let mut line = serde_json::to_string(&answer)?;
        line.push('\n');
        stdout.write_all(line.as_bytes()).await?;
        stdout.flush().await?;
    }
    Ok(())
}

/// Is a child: `arguments` are what follows `child`.
///
/// # Errors
/// No such kind, or what goes wrong before it can answer.
pub(crate) async fn child(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["memory", cache, postgres] => memory::child(cache, postgres).await,
        ["stampede", cache, postgres] => stampede::child(cache, postgres).await,
        _ => Err(format!("there is no child for {arguments:?}").into()),
    }
}
