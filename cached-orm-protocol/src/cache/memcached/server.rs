use super::{
    address::Address,
    command::Command,
    gets::Asker,
    lane::{Lane, Settings},
    options::MemcachedOptions,
    peer::Peer,
    request::Request,
    task,
};
use crate::{
    cache::{CacheError, ServerStatus},
    key::{CacheKey, Namespace},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};
use xxhash_rust::xxh3::xxh3_64;

/// Values above this go by a connection of their own, so that small commands
/// don't wait behind them.
const LARGE_VALUE: usize = 64 << 10;
/// Commands in one batch.
pub(super) const BATCH: usize = 128;
/// Large values in one batch: they are in memory together.
const LARGE_BATCH: usize = 4;
/// Large values that may wait.
const LARGE_QUEUE: usize = 64;

/// One server, and the lanes to it.
#[derive(Debug)]
pub(super) struct Server {
    peer: Arc<Peer>,
    lanes: Vec<mpsc::Sender<Request>>,
    large: mpsc::Sender<Request>,
    hold_off: Duration,
}

impl Server {
    /// Starts so many lanes, and one for large values. They dial in the background.
    pub(super) fn start(
        address: &Address,
        peer: Arc<Peer>,
        options: &MemcachedOptions,
        connections: usize,
        closing: &watch::Receiver<bool>,
        tasks: &mut Vec<JoinHandle<()>>,
    ) -> Self {
        let small = Settings {
            timeout: options.timeout,
            connect_timeout: options.connect_timeout,
            hold_off: options.hold_off,
            patience: options.patience,
            batch: BATCH,
            dial_early: true,
        };
        let mut start = |settings: Settings, queue: usize| {
            let (sender, requests) = mpsc::channel(queue);
            let lane = Lane {
                address: address.clone(),
                peer: Arc::clone(&peer),
                requests,
                closing: closing.clone(),
                settings,
            };
            tasks.push(tokio::spawn(lane.run()));
            sender
        };
        let lanes = (0..connections).map(|_| start(small, options.queue)).collect();
        let large = Settings { batch: LARGE_BATCH, dial_early: false, ..small };
        let large = start(large, options.queue.min(LARGE_QUEUE));
        Self { peer, lanes, large, hold_off: options.hold_off }
    }

    pub(super) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Asks the server for a key that nothing lies under, and tells how it is.
    pub(super) async fn status(&self) -> ServerStatus {
        let asked = Instant::now();
        let answered = self.probe().await.map(|()| asked.elapsed());
        let met = self.peer.met();
        let hold_off = met.map(|(_, age)| self.hold_off.saturating_sub(age));
        ServerStatus {
            incarnation: met.map(|(incarnation, _)| incarnation),
            hold_off: hold_off.filter(|left| !left.is_zero()),
            ..ServerStatus::new(&**self.peer.name(), answered)
        }
    }

    async fn probe(&self) -> Result<(), CacheError> {
        let key = CacheKey::of_index(&Namespace::default(), "cached_orm", "probe", "");
        let (caller, answer) = oneshot::channel();
        self.send(Request::new(key, Command::Get { lease: None, asker: Asker::One(caller) }))?;
        answer.await.unwrap_or(Err(CacheError::Closed)).map(drop)
    }

    /// Queues a request.
    ///
    /// The lane is chosen by the task that calls, so that what one task asks at once,
    /// such as the fences of a row with several keys, goes out at once: one system
    /// call, and one task to be woken. Commands need no order, and their CAS tokens
    /// are good on every lane unless the server has just started.
    pub(super) fn send(&self, request: Request) -> Result<(), CacheError> {
        let lane = if request.value_len() > LARGE_VALUE {
            &self.large
        } else {
            let hash = task::hash().unwrap_or_else(|| {
                let key = request.first_key().map_or(&[][..], CacheKey::as_bytes);
                xxh3_64(key)
            });
            // There are fewer lanes than a `usize` can count.
            &self.lanes[(hash % self.lanes.len() as u64) as usize]
        };
        lane.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => self.peer.overloaded(),
            mpsc::error::TrySendError::Closed(_) => CacheError::Closed,
        })
    }
}
