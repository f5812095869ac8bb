use super::{connection::Connection, options::Address, peer::Peer, request::Request};
use crate::cache::CacheError;
use std::{future::pending, io, pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

/// The first pause between two attempts to dial.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// A connection that lasted this long was a good one, even if idle.
const GOOD_CONNECTION: Duration = Duration::from_secs(1);

/// A task that owns one connection. It takes whatever is queued, runs it as one
/// batch, and answers each caller; meanwhile the next batch gathers.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) address: Address,
    pub(super) peer: Arc<Peer>,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) closing: watch::Receiver<bool>,
    pub(super) settings: Settings,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) hold_off: Duration,
    /// Commands in one batch.
    pub(super) batch: usize,
    /// Whether to dial at once, or when there is a request.
    pub(super) dial_early: bool,
}

/// The store is being closed, or is gone.
struct Closing;

/// How a connection ended.
struct Broken {
    error: CacheError,
    /// Whether it had been of use.
    was_good: bool,
}

impl Lane {
    pub(super) async fn run(mut self) {
        let mut waiting = Vec::with_capacity(self.settings.batch);
        let Err(Closing) = self.live(&mut waiting).await;
        self.requests.close();
        while let Ok(request) = self.requests.try_recv() {
            waiting.push(request);
        }
        for request in waiting {
            request.fail(CacheError::Closed);
        }
    }

    /// Dials and serves, for ever.
    ///
    /// Until the first dial has failed, requests wait for it. A connection that
    /// broke after good service is redialled at once, and requests wait again;
    /// but a server that has stopped to answer counts as down at once.
    async fn live(
        &mut self,
        waiting: &mut Vec<Request>,
    ) -> Result<std::convert::Infallible, Closing> {
        if !self.settings.dial_early {
            self.receive(waiting).await?;
        }
        let mut down = None;
        let mut pause = FIRST_PAUSE;
        loop {
            let address = self.address.clone();
            let limit = self.settings.connect_timeout;
            let dial = async move {
                timeout(limit, Connection::dial(&address)).await.unwrap_or_else(|_| {
                    Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "it did not answer the dial in time",
                    ))
                })
            };
            let reason = match self.attend(dial, waiting, down.as_ref()).await? {
                Ok(connection) => {
                    self.peer.report_up();
                    self.peer.meet(connection.identity());
                    let Broken { error, was_good } = self.serve(connection, waiting).await?;
                    tracing::debug!(server = %self.peer.name(), %error, "connection dropped");
                    if was_good {
                        pause = FIRST_PAUSE;
                    }
                    if was_good && !matches!(error, CacheError::TimedOut { .. }) {
                        down = None;
                        continue;
                    }
                    reason_of(&error)
                }
                Err(error) => error.to_string(),
            };
            self.peer.report_down(&reason);
            down = Some(Arc::from(reason));
            let jitter = rand::random_range(0.5..1.0);
            let [least, most] = [FIRST_PAUSE, pause].map(|pause| pause.mul_f64(jitter));
            let peer = Arc::clone(&self.peer);
            let resting = async move {
                // Lest two lanes whose connections break at once drive each other on.
                sleep(least).await;
                timeout(most.saturating_sub(least), peer.is_back()).await.is_ok()
            };
            let another_lane_has_reached_it = self.attend(resting, waiting, down.as_ref()).await?;
            pause = match another_lane_has_reached_it {
                true => FIRST_PAUSE,
                false => (pause * 2).min(LONGEST_PAUSE),
            };
        }
    }

    /// Runs batches until the connection breaks.
    async fn serve(
        &mut self,
        mut connection: Connection,
        waiting: &mut Vec<Request>,
    ) -> Result<Broken, Closing> {
        let dialled = Instant::now();
        let mut was_good = false;
        loop {
            if waiting.is_empty() {
                let Settings { batch, .. } = self.settings;
                tokio::select! {
                    biased;
                    _ = self.closing.changed() => return Err(Closing),
                    // Before requests: what is known to be broken gets none.
                    error = connection.broken() => {
                        let error = self.peer.disconnected(error);
                        let was_good = was_good || dialled.elapsed() >= GOOD_CONNECTION;
                        return Ok(Broken { error, was_good });
                    }
                    taken = self.requests.recv_many(waiting, batch) => {
                        if taken == 0 {
                            return Err(Closing);
                        }
                    }
                }
            }
            let Settings { timeout, hold_off, batch, .. } = self.settings;
            match connection.run(waiting, batch, timeout, hold_off, &self.peer).await {
                Ok(()) => was_good = true,
                Err(error) => return Ok(Broken { error, was_good }),
            }
        }
    }

    /// Waits for a request.
    async fn receive(&mut self, waiting: &mut Vec<Request>) -> Result<(), Closing> {
        tokio::select! {
            biased;
            _ = self.closing.changed() => Err(Closing),
            taken = self.requests.recv_many(waiting, self.settings.batch) => {
                if taken == 0 { Err(Closing) } else { Ok(()) }
            }
        }
    }

    /// Does `work` while there is no connection. Requests are answered at once
    /// if the server is down, and else wait as long as they may.
    async fn attend<T>(
        &mut self,
        work: impl Future<Output = T>,
        waiting: &mut Vec<Request>,
        down: Option<&Arc<str>>,
    ) -> Result<T, Closing> {
        let mut work = pin!(work);
        loop {
            // If another lane has reached it, this one soon does.
            if let Some(reason) = down.filter(|_| self.peer.is_down()) {
                for request in waiting.drain(..) {
                    request.fail(self.peer.down(reason));
                }
            }
            let oldest = waiting.first().map(|request| request.queued + self.settings.timeout);
            let expiry = async {
                match oldest {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            let room = self.settings.batch.saturating_sub(waiting.len());
            tokio::select! {
                biased;
                _ = self.closing.changed() => return Err(Closing),
                done = &mut work => return Ok(done),
                () = expiry => {
                    let now = Instant::now();
                    let is_due = |request: &mut Request| request.queued + self.settings.timeout <= now;
                    for request in waiting.extract_if(.., is_due) {
                        request.fail(self.peer.timed_out());
                    }
                }
                taken = self.requests.recv_many(waiting, room), if room > 0 => {
                    if taken == 0 {
                        return Err(Closing);
                    }
                }
            }
        }
    }
}

/// The error without the server's name, which the reader has read already.
fn reason_of(error: &CacheError) -> String {
    match error {
        CacheError::TimedOut { .. } => "it does not answer".to_owned(),
        CacheError::Disconnected { source, .. } => source.to_string(),
        CacheError::Protocol { message, .. } => message.to_string(),
        other => other.to_string(),
    }
}
