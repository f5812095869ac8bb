//! Between the library and its database.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::broadcast,
    task::JoinHandle,
    time::timeout,
};

/// Where the connection of the next COMMIT ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitCut {
    /// The database never hears of it.
    Before = 1,
    /// The database has answered, and the answer is lost.
    After = 2,
}

pub(crate) struct DatabaseProxy {
    shared: Arc<Shared>,
    port: u16,
    task: JoinHandle<()>,
}

struct Shared {
    upstream: u16,
    /// A [`CommitCut`] that waits for its COMMIT, or 0.
    cut: AtomicU8,
    cuts: AtomicU64,
    /// Connections on which an answer is awaited.
    busy: AtomicU64,
    most_busy: AtomicU64,
    /// Told when all connections are to end.
    reset: broadcast::Sender<()>,
}

impl DatabaseProxy {
    pub(crate) async fn to(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a port").port();
        let shared = Arc::new(Shared {
            upstream,
            cut: AtomicU8::new(0),
            cuts: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            most_busy: AtomicU64::new(0),
            reset: broadcast::channel(1).0,
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { shared, port, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Lets the connection of the next COMMIT end there.
    pub(crate) fn cut_next_commit(&self, cut: CommitCut) {
        self.shared.cut.store(cut as u8, Ordering::Relaxed);
    }

    /// How many COMMITs have lost their connection so far.
    pub(crate) fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::Relaxed)
    }

    /// On how many connections an answer was awaited at once, at most, since the
    /// last call.
    pub(crate) fn take_most_busy(&self) -> u64 {
        self.shared.most_busy.swap(0, Ordering::Relaxed)
    }

    /// Ends every connection, wherever it stands.
    pub(crate) fn reset(&self) {
        // Nobody may be connected.
        drop(self.shared.reset.send(()));
    }
}

impl Drop for DatabaseProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut reset = shared.reset.subscribe();
            tokio::select! {
                // However it ends, both sides see the end.
                _ = forward(client, &shared) => {}
                _ = reset.recv() => {}
            }
        });
    }
}

async fn forward(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", shared.upstream)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let busy = Busy { shared, is_busy: AtomicBool::new(false) };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let mut buffer = vec![0; 16 << 10];
    let requests = async {
        loop {
            let read = from_client.read(&mut buffer).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let sent = &buffer[..read];
            if !is_ping(sent) {
                busy.asked();
            }
            if is_commit(sent)
                && let cut @ 1..=2 = shared.cut.swap(0, Ordering::Relaxed)
            {
                shared.cuts.fetch_add(1, Ordering::Relaxed);
                if cut == CommitCut::After as u8 {
                    to_server.write_all(sent).await?;
                }
                return io::Result::Ok(cut);
            }
            to_server.write_all(sent).await?;
        }
    };
    let answers = async {
        let mut buffer = vec![0; 16 << 10];
        loop {
            let read = from_server.read(&mut buffer).await?;
            if read == 0 {
                return io::Result::Ok(());
            }
            busy.answered();
            to_client.write_all(&buffer[..read]).await?;
        }
    };
    let cut = tokio::select! {
        // In this order: an answer to COMMIT must not slip through.
        biased;
        cut = requests => cut?,
        _ = answers => return Ok(()),
    };
    if cut == CommitCut::After as u8 {
        // The answer is lost, but the server was given time for it.
        let answer = from_server.read(&mut buffer);
        drop(timeout(Duration::from_secs(5), answer).await);
    }
    Ok(())
}

/// Whether one connection awaits an answer.
struct Busy<'s> {
    shared: &'s Shared,
    is_busy: AtomicBool,
}

impl Busy<'_> {
    fn asked(&self) {
        if !self.is_busy.swap(true, Ordering::Relaxed) {
            let busy = self.shared.busy.fetch_add(1, Ordering::Relaxed) + 1;
            self.shared.most_busy.fetch_max(busy, Ordering::Relaxed);
        }
    }

    fn answered(&self) {
        if self.is_busy.swap(false, Ordering::Relaxed) {
            self.shared.busy.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.answered();
    }
}

/// PostgreSQL's Sync by itself, or MySQL's COM_PING. The pools send them when a
/// connection comes back, and whoever used it has its answer already.
fn is_ping(sent: &[u8]) -> bool {
    matches!(sent, b"S\0\0\0\x04" | b"\x01\0\0\0\x0e")
}

/// Both drivers send COMMIT by itself, as text.
fn is_commit(sent: &[u8]) -> bool {
    sent.len() < 32 && sent.windows(6).any(|bytes| bytes == b"COMMIT")
}
