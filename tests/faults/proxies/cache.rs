//! Between the library and one memcached.
//!
//! Only replies are spoilt. A spoilt request is a valid other request: a fence
//! under another key, confirmed. memcached's protocol has no checksum that would
//! tell, so no client can. Requests are late or lost instead.

use super::frames;
use bytes::{Bytes, BytesMut};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// How late a request may be.
const LATEST: Duration = Duration::from_secs(6);

/// How a proxy misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// Requests arrive late, maybe when their sender has given up and gone.
    LateRequests(Duration),
    /// Requests never arrive.
    LostRequests,
    LateReplies(Duration),
    LostReplies,
    /// The connection ends in the middle of a reply.
    Cut,
    /// Replies come twice.
    Doubled,
    /// Two replies change places.
    Swapped,
    /// A bit is wrong in a value.
    SpoiltValue,
    /// A bit is wrong in a line.
    SpoiltLine,
    /// A reply lacks bytes.
    Shortened,
    /// Lines come that nobody asked for.
    Garbage,
}

pub(crate) struct CacheProxy {
    shared: Arc<Shared>,
    port: u16,
    task: JoinHandle<()>,
}

struct Shared {
    upstream: String,
    disturbance: Mutex<Option<Disturbance>>,
    /// How many replies and requests were disturbed.
    disturbed: AtomicU64,
}

impl CacheProxy {
    pub(crate) async fn to(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a port").port();
        let shared = Arc::new(Shared {
            upstream,
            disturbance: Mutex::default(),
            disturbed: AtomicU64::new(0),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { shared, port, task }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn disturb(&self, disturbance: Option<Disturbance>) {
        *self.shared.disturbance.lock().unwrap_or_else(PoisonError::into_inner) = disturbance;
    }

    pub(crate) fn disturbed(&self) -> u64 {
        self.shared.disturbed.load(Ordering::Relaxed)
    }
}

impl Drop for CacheProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// What to do with the next request or reply: not every one is disturbed.
    fn next(&self, rng: &mut StdRng) -> Option<Disturbance> {
        let disturbance = *self.disturbance.lock().unwrap_or_else(PoisonError::into_inner);
        disturbance.filter(|_| rng.random_bool(0.3))
    }

    fn count(&self) {
        self.disturbed.fetch_add(1, Ordering::Relaxed);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with their proxy.
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(&shared.upstream).await else { return };
            // Without a delay of their own packets keep their times.
            if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
                return;
            }
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let requests = forward_requests(from_client, to_server, Arc::clone(&shared));
            // A task of its own: a client that goes away takes nothing back, and
            // what it has sent still arrives.
            let requests = tokio::spawn(requests);
            drop(forward_replies(from_server, to_client, &shared).await);
            drop(timeout(LATEST, requests).await);
        });
    }
}

async fn forward_requests(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let mut rng = StdRng::seed_from_u64(rand::random());
    let mut buffer = BytesMut::with_capacity(16 << 10);
    while client.read_buf(&mut buffer).await? > 0 {
        match shared.next(&mut rng) {
            Some(Disturbance::LateRequests(delay)) => {
                shared.count();
                sleep(delay).await;
            }
            Some(Disturbance::LostRequests) => {
                shared.count();
                buffer.clear();
                // From here on the stream would be out of step.
                while client.read_buf(&mut buffer).await? > 0 {
                    buffer.clear();
                }
                return Ok(());
            }
            _ => {}
        }
        server.write_all_buf(&mut buffer).await?;
    }
    server.shutdown().await
}

async fn forward_replies(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    shared: &Shared,
) -> io::Result<()> {
    let mut rng = StdRng::seed_from_u64(rand::random());
    let mut buffer = BytesMut::with_capacity(16 << 10);
    let mut out = BytesMut::new();
    let mut held: Option<Bytes> = None;
    loop {
        while let Some(frame) = frames::take(&mut buffer) {
            let disturbance = shared.next(&mut rng).filter(|_| frames::is_reply(&frame));
            if disturbance.is_some() {
                shared.count();
            }
            match disturbance {
                Some(Disturbance::LateReplies(delay)) => {
                    client.write_all_buf(&mut out).await?;
                    sleep(delay).await;
                    out.extend_from_slice(&frame);
                }
                Some(Disturbance::LostReplies) => {}
                Some(Disturbance::Cut) => {
                    out.extend_from_slice(&frame[..rng.random_range(0..frame.len())]);
                    client.write_all_buf(&mut out).await?;
                    return Ok(());
                }
                Some(Disturbance::Doubled) => {
                    out.extend_from_slice(&frame);
                    out.extend_from_slice(&frame);
                }
                Some(Disturbance::Swapped) if held.is_none() => {
                    held = Some(frame);
                    continue;
                }
                Some(Disturbance::SpoiltValue) => {
                    out.extend_from_slice(&frames::flip_in_value(&frame, &mut rng));
                }
                Some(Disturbance::SpoiltLine) => {
                    out.extend_from_slice(&frames::flip_in_line(&frame, &mut rng));
                }
                Some(Disturbance::Shortened) => {
                    out.extend_from_slice(&frames::shorten(&frame, &mut rng));
                }
                Some(Disturbance::Garbage) => {
                    out.extend_from_slice(b"VALUE garbage 0 7\r\n");
                    out.extend_from_slice(&frame);
                }
                _ => out.extend_from_slice(&frame),
            }
            if let Some(first) = held.take() {
                out.extend_from_slice(&first);
            }
        }
        client.write_all_buf(&mut out).await?;
        // The reply that is to change places waits a little for the next one.
        let patience = if held.is_some() { Duration::from_millis(20) } else { Duration::MAX };
        match timeout(patience, server.read_buf(&mut buffer)).await {
            Ok(Ok(0)) => return Ok(()),
            Ok(read) => drop(read?),
            Err(_) => out.extend_from_slice(&held.take().unwrap_or_default()),
        }
    }
}
