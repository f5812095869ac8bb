use super::{TARGET, address::Address, connection::Connection, peer::Peer, request::Request};
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
    /// How long requests wait for a server whose connection broke.
    pub(super) patience: Duration,
    /// Commands in one batch.
    pub(super) batch: usize,
    /// Whether to dial at once, or when there is a request.
    pub(super) dial_early: bool,
}

/// The store is being closed, or is gone.
struct Closing;

/// Why requests are answered without having been sent.
struct Down {
    reason: Arc<str>,
    /// From when on.
    from: Instant,
}

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
    /// broke after good service is redialled at once, and requests wait again, for
    /// as long as they have the patience; but a server that has stopped to answer
    /// counts as down at once.
    async fn live(
        &mut self,
        waiting: &mut Vec<Request>,
    ) -> Result<std::convert::Infallible, Closing> {
        if !self.settings.dial_early {
            self.receive(waiting).await?;
        }
        let mut down = None;
        let mut broke_at = None;
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
                    tracing::debug!(target: TARGET, server = %self.peer.name(), %error, "connection dropped");
                    let is_hung = matches!(error, CacheError::TimedOut { .. });
                    if was_good {
                        pause = FIRST_PAUSE;
                        broke_at = None;
                    }
                    // Requests have waited for one that hangs already.
                    broke_at = (!is_hung).then(|| broke_at.unwrap_or_else(Instant::now));
                    if was_good && !is_hung {
                        down = None;
                        continue;
                    }
                    reason_of(&error)
                }
                Err(error) => error.to_string(),
            };
            self.peer.report_down(&reason);
            let patient_until = broke_at.map(|at| at + self.settings.patience);
            down = Some(Down {
                reason: Arc::from(reason),
                from: patient_until.unwrap_or_else(Instant::now),
            });
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
                Err(error) => {
                    let was_good = was_good || dialled.elapsed() >= GOOD_CONNECTION;
                    return Ok(Broken { error, was_good });
                }
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
        down: Option<&Down>,
    ) -> Result<T, Closing> {
        let mut work = pin!(work);
        loop {
            // If another lane has reached it, this one soon does.
            let now = Instant::now();
            let is_over = |down: &&Down| down.from <= now && self.peer.is_down();
            if let Some(down) = down.filter(is_over) {
                for request in waiting.drain(..) {
                    request.fail(self.peer.down(&down.reason));
                }
            }
            let oldest = waiting.first().map(|request| request.queued + self.settings.timeout);
            let patient_until = down.map(|down| down.from).filter(|from| *from > now);
            let next = oldest.map(|oldest| patient_until.map_or(oldest, |at| at.min(oldest)));
            let expiry = async {
                match next {
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
                        request.fail(self.peer.timed_out(self.settings.timeout));
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
