//! A database server, whichever it is.

use super::process::{self, User};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

/// A server with an empty database of its own, which can be killed and started
/// again on the same data.
pub(crate) struct DatabaseServer {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) user: User,
    pub(super) port: u16,
    /// The signal that makes it end in good order.
    pub(super) good_end: &'static str,
    pub(super) child: Mutex<Option<Child>>,
    /// Removed with the server.
    pub(super) folder: TempDir,
}

impl DatabaseServer {
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Starts it, and waits until it listens.
    pub(crate) async fn start(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.try_start().await {
            // A process of its former life may still hold its memory.
            assert!(
                Instant::now() < deadline,
                "the database does not start:\n{}",
                self.last_words()
            );
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn try_start(&self) -> bool {
        let child = process::start(&self.program, &self.arguments, self.user, &self.log());
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return true;
            }
            if self.has_ended() || Instant::now() > deadline {
                return false;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn has_ended(&self) -> bool {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.as_mut().is_none_or(|child| child.try_wait().is_ok_and(|ended| ended.is_some()))
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(20).collect();
        lines.into_iter().rev().map(|line| format!("  {line}\n")).collect()
    }

    /// The server's own process and those that it has started.
    fn processes(&self) -> Vec<u32> {
        if self.has_ended() {
            // Its number may be another's by now.
            return Vec::new();
        }
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(child) = &*child else { return Vec::new() };
        let mut processes = vec![child.id()];
        processes.extend(process::children(child.id()));
        processes
    }

    /// Kills all of its processes at once, as a power cut would.
    pub(crate) fn kill(&self) {
        // Stopped first, so that it starts no process that is not seen.
        let main = self.processes().first().copied();
        if let Some(main) = main {
            process::signal("-STOP", &[main]);
            process::signal("-KILL", &self.processes());
        }
        self.forget();
    }

    /// Lets it end by itself, without waiting for its clients.
    pub(crate) async fn shut_down(&self) {
        if let Some(main) = self.processes().first() {
            process::signal(self.good_end, &[*main]);
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.has_ended() && Instant::now() < deadline {
            sleep(Duration::from_millis(10)).await;
        }
        self.kill();
    }

    fn forget(&self) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut child) = child {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Stops all of its processes, and returns them.
    pub(crate) fn stop(&self) -> Vec<u32> {
        let processes = self.processes();
        process::signal("-STOP", &processes);
        processes
    }

    pub(crate) fn go_on(&self, processes: &[u32]) {
        if !processes.is_empty() {
            process::signal("-CONT", processes);
        }
    }
}

impl Drop for DatabaseServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A folder that the server's user can reach and write to.
pub(super) fn folder_for(user: User) -> TempDir {
    // Not under TMPDIR: the path of a socket may have 107 bytes.
    let folder = tempfile::Builder::new().prefix("cached-orm-faults.").tempdir_in("/tmp");
    let folder = folder.expect("a temporary folder");
    if let Some(name) = user.name() {
        let given = Command::new("chown").arg(name).arg(folder.path()).status();
        assert!(given.is_ok_and(|status| status.success()), "the folder cannot be {name}'s");
    }
    folder
}

/// Runs a program to its end, as the server's user.
pub(super) fn run(
    program: &Path,
    arguments: &[String],
    user: User,
    folder: &TempDir,
) -> Result<(), String> {
    let log = folder.path().join("log");
    let mut child = process::start(program, arguments, user, &log);
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(());
    }
    let log = std::fs::read_to_string(log).unwrap_or_default();
    Err(format!("{} failed:\n{log}", program.display()))
}
