//! memcached as the tests handle it: a few raw commands, and servers to kill.

use crate::{databases::variable, polling::until};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// The address of the server that all tests share.
pub(crate) fn shared_address() -> String {
    let url = variable("TEST_MEMCACHED_URL");
    let address = url.strip_prefix("memcached://").unwrap_or(&url);
    address.trim_end_matches('/').to_owned()
}

/// A connection that speaks memcached's meta protocol, and knows nothing of what
/// the library stores.
pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(crate) fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("memcached listens");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        Self(BufReader::new(stream))
    }

    pub(crate) fn shared() -> Self {
        Self::to(&shared_address())
    }

    /// Puts `value` under `key`, whatever lay there.
    pub(crate) fn set(&mut self, key: &str, value: &[u8]) {
        let mut command = format!("ms {key} {} T300\r\n", value.len()).into_bytes();
        command.extend_from_slice(value);
        command.extend_from_slice(b"\r\n");
        assert_eq!(self.exchange(&command), "HD");
    }

    pub(crate) fn get(&mut self, key: &str) -> Option<Vec<u8>> {
        let answer = self.exchange(format!("mg {key} v\r\n").as_bytes());
        let length = answer.strip_prefix("VA ")?.trim().parse().expect("a length");
        let mut value = vec![0; length];
        self.0.read_exact(&mut value).expect("the value");
        self.line();
        Some(value)
    }

    /// Marks the item as out of date, but leaves it there.
    pub(crate) fn mark_stale(&mut self, key: &str) {
        assert_eq!(self.exchange(format!("md {key} I T300\r\n").as_bytes()), "HD");
    }

    pub(crate) fn stat(&mut self, name: &str) -> u64 {
        let prefix = format!("STAT {name} ");
        let mut line = self.exchange(b"stats\r\n");
        let mut found = None;
        while line != "END" {
            found = found.or(line.strip_prefix(&prefix).and_then(|value| value.parse().ok()));
            line = self.line();
        }
        found.expect("memcached tells it")
    }

    fn exchange(&mut self, command: &[u8]) -> String {
        self.0.get_mut().write_all(command).expect("memcached takes commands");
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("memcached answers");
        line.trim_end().to_owned()
    }
}

/// Waits until a server is older than this even by the library's careful count,
/// in which it is up to three seconds younger than it says.
pub(crate) async fn wait_for_age(address: &str, age: Duration) {
    let enough = age.as_secs() + 4;
    while Wire::to(address).stat("uptime") < enough {
        sleep(Duration::from_millis(100)).await;
    }
}

/// A server of the test's own; killed when dropped.
pub(crate) struct OwnServer {
    child: Option<Child>,
    port: u16,
    /// Where it keeps its items over a restart, if it does.
    memory_file: Option<PathBuf>,
}

impl OwnServer {
    /// A server that is not there yet, on a port that nobody else gets: the
    /// system's own ports might be given to a connection meanwhile.
    pub(crate) fn absent() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let first = process::id() % 8_000;
        let port = loop {
            let next = first + u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = u16::try_from(12_000 + next % 20_000).expect("a port");
            if TcpListener::bind(("127.0.0.1", port)).is_ok() {
                break port;
            }
        };
        Self { child: None, port, memory_file: None }
    }

    /// A server that keeps its items in this file when it is stopped.
    pub(crate) async fn started_with_memory(file: PathBuf) -> Self {
        let mut server = Self::absent();
        server.memory_file = Some(file);
        server.start().await;
        server
    }

    pub(crate) async fn started() -> Self {
        let mut server = Self::absent();
        server.start().await;
        server
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) async fn start(&mut self) {
        // `-u` counts for root only, whom memcached does not run as unasked.
        let mut command = Command::new(variable("MEMCACHED_BINARY"));
        if let Some(file) = &self.memory_file {
            command.arg("-e").arg(file);
        }
        let child = command
            .args(["-u", "nobody", "-l", "127.0.0.1", "-U", "0", "-t", "1"])
            .args(["-p", &self.port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("memcached starts"));
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(self.address()).is_err() {
            assert!(Instant::now() < deadline, "memcached does not listen");
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Lets it write its memory file and end.
    pub(crate) async fn stop_gracefully(&mut self) {
        self.signal("-USR1");
        let mut child = self.child.take().expect("it runs");
        until("memcached ends", async || {
            child.try_wait().expect("it is a child of ours").is_some()
        })
        .await;
        // Started again within the second, it takes the items for those of a
        // clock that went back, and drops them.
        sleep(Duration::from_millis(1100)).await;
    }

    /// Lets it hang: it keeps its connections and answers nothing.
    pub(crate) fn hang(&self) {
        self.signal("-STOP");
        // `kill` returns before the threads have stopped; until then they answer.
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.every_thread_is_stopped() {
            assert!(Instant::now() < deadline, "memcached does not stop");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn every_thread_is_stopped(&self) -> bool {
        let child = self.child.as_ref().expect("it runs");
        let threads = fs::read_dir(format!("/proc/{}/task", child.id())).expect("it is there");
        // "PID (NAME) STATE …"; a name may hold anything.
        threads.map(|thread| thread.expect("it is there").path().join("stat")).all(|stat| {
            let stat = fs::read_to_string(stat).expect("it is there");
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
        })
    }

    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("it runs");
        let status = Command::new("kill").arg(signal).arg(child.id().to_string()).status();
        assert!(status.expect("there is a `kill`").success());
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.kill();
    }
}
