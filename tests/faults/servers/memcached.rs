//! memcached to kill, to stop and to overfill.

use super::{
    process::{self, User, free_port},
    programs,
};
use std::{
    io,
    path::{Path, PathBuf},
    process::Child,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

/// So small that a storm of junk fills it in no time.
const MEGABYTES: &str = "8";

pub(crate) struct Memcached {
    program: PathBuf,
    log: PathBuf,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl Memcached {
    /// A server that does not run yet.
    pub(crate) fn new(folder: &Path) -> Result<Self, String> {
        let port = free_port();
        Ok(Self {
            program: programs::find("MEMCACHED_BINARY", &["memcached"])?,
            log: folder.join(format!("memcached-{port}.log")),
            port,
            child: Mutex::default(),
        })
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts it, and waits until it listens.
    pub(crate) async fn start(&self) {
        let arguments = ["-l", "127.0.0.1", "-U", "0", "-t", "2", "-m", MEGABYTES, "-p"];
        let mut arguments: Vec<_> = arguments.map(str::to_owned).into();
        arguments.push(self.port.to_string());
        let child = process::start(&self.program, &arguments, User("memcache"), &self.log);
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(self.address()).await.is_err() {
            assert!(Instant::now() < deadline, "memcached does not listen; see {:?}", self.log);
            sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) fn kill(&self) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut child) = child {
            // It may have ended already.
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Lets it hang: it keeps its connections and answers nothing.
    pub(crate) fn stop(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(child) = &*child {
            process::signal(signal, &[child.id()]);
        }
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Stores so many items of this size that nobody wants.
pub(crate) async fn flood(address: &str, items: usize, size: usize) -> io::Result<()> {
    let work = async {
        let mut stream = TcpStream::connect(address).await?;
        let (mut reader, mut writer) = stream.split();
        let value = vec![b'.'; size];
        let salt: u32 = rand::random();
        let write = async {
            let mut batch = Vec::new();
            for item in 0..items {
                // Quiet: what goes well is not answered.
                batch.extend_from_slice(format!("ms junk:{salt}:{item} {size} q\r\n").as_bytes());
                batch.extend_from_slice(&value);
                batch.extend_from_slice(b"\r\n");
                if batch.len() > 64 << 10 || item + 1 == items {
                    writer.write_all(&batch).await?;
                    batch.clear();
                }
            }
            writer.write_all(b"mn\r\n").await
        };
        let read = async {
            let mut lines = BufReader::new(&mut reader).lines();
            while let Some(line) = lines.next_line().await? {
                if line.starts_with("MN") {
                    break;
                }
            }
            Ok(())
        };
        tokio::try_join!(write, read).map(drop)
    };
    // The server may be stopped meanwhile.
    timeout(Duration::from_secs(15), work).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

/// Whether an item lies under the key.
pub(crate) async fn holds(address: &str, key: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("mg {key}\r\n").as_bytes()).await?;
    let mut status = [0; 2];
    stream.read_exact(&mut status).await?;
    Ok(status == *b"HD")
}

/// Lets it forget everything at once.
pub(crate) async fn flush(address: &str) -> io::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.write_all(b"flush_all\r\n").await?;
    stream.read_line(&mut String::new()).await.map(drop)
}
