//! memcached servers of the run's own.

use crate::stage::variable;
use benches::Result;
use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::sleep,
};

/// A server, stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Memcached {
    child: Child,
    port: u16,
}

impl Memcached {
    /// Starts one that may use so many megabytes, on a free port.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) async fn start(megabytes: u32) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Self::start_at(port, megabytes).await
    }

    /// Starts one on this port, as after a crash.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) async fn start_at(port: u16, megabytes: u32) -> Result<Self> {
        let binary = variable("MEMCACHED_BINARY")?;
        let child = Command::new(&binary)
            .args(["-l", "127.0.0.1", "-U", "0", "-t", "2", "-c", "4096"])
            .args(["-p", &port.to_string(), "-m", &megabytes.to_string()])
            // It does not run as root of its own accord.
            .args(["-u", "nobody"])
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("{binary} could not be started: {error}"))?;
        let server = Self { child, port };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            if TcpStream::connect(server.address()).await.is_ok() {
                return Ok(server);
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(format!("memcached did not start on port {port}").into())
    }

    /// `127.0.0.1:port`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `memcached 1.6.18`.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn version(&self) -> Result<String> {
        let mut stream = BufReader::new(TcpStream::connect(self.address()).await?);
        stream.write_all(b"version\r\n").await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let version = line.trim().strip_prefix("VERSION ").ok_or("memcached has no version")?;
        Ok(format!("memcached {version}"))
    }

    /// The port, for a successor.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The operating system's number for it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.kill();
    }
}
