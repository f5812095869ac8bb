//! The program, and what it has printed.

use serde_json::Value;
use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The object that was printed.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The value on the line with this name.
    pub(crate) fn line(&self, name: &str) -> &str {
        let value = self.out.lines().find_map(|line| line.strip_prefix(name));
        value.unwrap_or_else(|| panic!("no line {name}: {self:?}")).trim()
    }
}

/// Runs it without variables of the environment.
pub(crate) fn run(arguments: &[&str]) -> Run {
    run_with(arguments, &[], "")
}

/// Runs it with these variables and this standard input.
pub(crate) fn run_with(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cached-orm"))
        .args(arguments)
        .env_remove("DATABASE_URL")
        .env_remove("CACHE_URL")
        .env_remove("CACHE_SIGNING_KEYS")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // It may end without reading it.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Run { code: status.code(), out: text(stdout), err: text(stderr) }
}
