//! Readers that share sockets: what has gathered goes out in one write.

use super::{floor::Stored, raw_socket::Socket};
use benches::{Result, contestant::Reader, item::Wanted};
use bytes::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{mpsc, oneshot};

/// As many connections as cached-orm has.
const SOCKETS: usize = 2;
/// Gets in one write.
const BATCH: usize = 256;

/// A place in the working set, and who asks for it.
type Request = (usize, oneshot::Sender<Option<Bytes>>);

/// The fewest steps by which tasks can share sockets: a queue, a write, a read, and
/// an answer to each.
#[derive(Debug)]
pub(crate) struct Pipelined {
    queues: Vec<mpsc::Sender<Request>>,
    turn: AtomicUsize,
    stored: Arc<Stored>,
}

impl Pipelined {
    /// To the server at `address`.
    pub(crate) async fn connect(address: &str, stored: &Arc<Stored>) -> Result<Self> {
        let mut queues = Vec::new();
        for _ in 0..SOCKETS {
            let socket = Socket::connect(address).await?;
            let (queue, requests) = mpsc::channel(4 * BATCH);
            tokio::spawn(serve(socket, requests, Arc::clone(stored)));
            queues.push(queue);
        }
        Ok(Self { queues, turn: AtomicUsize::new(0), stored: Arc::clone(stored) })
    }
}

/// Runs until the queue ends or the socket breaks, which readers notice.
async fn serve(
    mut socket: Socket,
    mut requests: mpsc::Receiver<Request>,
    stored: Arc<Stored>,
) -> Result<()> {
    let (mut places, mut callers) = (Vec::new(), Vec::new());
    let mut waiting = Vec::with_capacity(BATCH);
    while requests.recv_many(&mut waiting, BATCH).await > 0 {
        places.clear();
        for (place, caller) in waiting.drain(..) {
            places.push(place);
            callers.push(caller);
        }
        let mut callers = callers.drain(..);
        let answer = |value| {
            // At the end of a round a reader may be gone.
            let _ = callers.next().map(|caller| caller.send(value));
        };
        socket.ask(places.iter().map(|&place| &stored.keys[place]), answer).await?;
    }
    Ok(())
}

impl Reader for Pipelined {
    type Row = Bytes;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Bytes>> {
        let (caller, answer) = oneshot::channel();
        let queue = &self.queues[self.turn.fetch_add(1, Ordering::Relaxed) % self.queues.len()];
        let broken = "a raw socket has broken; look for what ended memcached";
        queue.send((wanted.place, caller)).await.map_err(|_| broken)?;
        Ok(answer.await.map_err(|_| broken)?)
    }

    fn is_right(&self, wanted: &Wanted, value: &Bytes) -> bool {
        self.stored.is_right(wanted, value)
    }

    fn loads(&self) -> u64 {
        0
    }
}
