use super::{
    config::{Config, Faults, Mutation, Store},
    reference::ReferenceStore,
    scheduler::{By, Scheduler},
};
use crate::{
    cache::{
        CacheError, CacheStore, Cas, Deleted, EmbeddedStore, Incarnation, Lookup, Over, Replaced,
        StoreFuture,
    },
    coherence::{fence::Fence, shared_fence::SharedFence},
    key::CacheKey,
};
use bytes::Bytes;
use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{sync::oneshot, time::sleep};

/// A cache server.
pub(super) struct Server {
    store: Box<dyn CacheStore>,
    /// The same, if it can be restarted.
    reference: Option<Arc<ReferenceStore>>,
    /// Counts its lives. A command dies with the connection it was sent on.
    life: AtomicU64,
    /// Commands that are not carried out yet.
    on_their_way: AtomicUsize,
    mutation: Option<Mutation>,
}

impl Server {
    pub(super) fn new(config: &Config, hold_off: Duration) -> Self {
        let mutation = config.mutation;
        let reference = (config.store != Store::Embedded).then(|| {
            Arc::new(match mutation {
                Some(Mutation::TokensOutliveARestart) => {
                    ReferenceStore::confusing_incarnations(hold_off)
                }
                Some(Mutation::NoHoldOff) => ReferenceStore::new(Duration::ZERO),
                _ => ReferenceStore::new(hold_off),
            })
        });
        let store: Box<dyn CacheStore> = match &reference {
            Some(reference) => Box::new(Arc::clone(reference)),
            None => Box::new(EmbeddedStore::new(1 << 20)),
        };
        let (life, on_their_way) = (AtomicU64::new(0), AtomicUsize::new(0));
        Self { store, reference, life, on_their_way, mutation }
    }

    pub(super) fn restart(&self) {
        if let Some(reference) = &self.reference {
            self.life.fetch_add(1, SeqCst);
            reference.restart();
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.on_their_way.load(SeqCst) == 0
    }

    /// What lies there, without a turn.
    pub(super) async fn look(&self, key: &CacheKey) -> Lookup {
        self.store.get(key, None).await.expect("it does not fail")
    }

    /// Drops what lies under the key, be it a fence if `fences` says so. Returns
    /// whether it did.
    pub(super) async fn evict(&self, key: &CacheKey, fences: bool) -> bool {
        let cas = match self.look(key).await {
            Lookup::Leased(cas) => cas,
            Lookup::Item { value, cas, .. } if fences == Fence::parse(&value).is_some() => cas,
            _ => return false,
        };
        let deleted = self.store.delete(key, cas).await;
        matches!(deleted, Ok(Deleted::Deleted))
    }

    async fn carry_out(&self, key: &CacheKey, command: Command) -> Result<Answer, CacheError> {
        Ok(match command {
            Command::Get { lease } => Answer::Found(self.store.get(key, lease).await?),
            Command::Fence { .. } if self.mutation == Some(Mutation::FenceDoesNothing) => {
                let incarnation = Incarnation { process: 0, started: 0 };
                Answer::Replaced(Replaced::Stored(Cas { incarnation, token: 0 }))
            }
            Command::Fence { value, ttl, over } => {
                Answer::Replaced(self.store.fence(key, value, ttl, over).await?)
            }
            Command::Replace { value, ttl, .. }
                if self.mutation == Some(Mutation::ReplaceIgnoresCas) =>
            {
                Answer::Replaced(self.store.fence(key, value, ttl, Over::Anything).await?)
            }
            Command::Replace { value, ttl, cas } => {
                Answer::Replaced(self.store.replace(key, value, ttl, cas).await?)
            }
            Command::Delete { cas } => Answer::Deleted(self.store.delete(key, cas).await?),
        })
    }
}

/// Restarts and conformance want the store itself, the server a store.
impl CacheStore for Arc<ReferenceStore> {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        (**self).get(key, lease)
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        (**self).fence(key, fence, ttl, over)
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        (**self).replace(key, value, ttl, cas)
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        (**self).delete(key, cas)
    }
}

#[derive(Clone)]
enum Command {
    Get { lease: Option<Duration> },
    Fence { value: Bytes, ttl: Duration, over: Over },
    Replace { value: Bytes, ttl: Duration, cas: Cas },
    Delete { cas: Cas },
}

#[derive(Debug)]
enum Answer {
    Found(Lookup),
    Replaced(Replaced),
    Deleted(Deleted),
}

/// What becomes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    /// Not carried out.
    Lost,
    /// Carried out, and the caller gets an error before or after that.
    ReplyLost,
    /// The same, and it takes long.
    Late,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Lost => "command lost",
            Self::ReplyLost => "reply lost",
            Self::Late => "command late",
        }
    }
}

/// The way of one process to the server.
///
/// A command is carried out by a task of its own: once it is sent it goes on,
/// even if its caller goes away or dies.
pub(super) struct Wire {
    pub(super) by: By,
    pub(super) server: Arc<Server>,
    pub(super) also: Option<Box<Wire>>,
    pub(super) scheduler: Arc<Scheduler>,
    pub(super) faults: Faults,
    pub(super) is_cut_off: Arc<AtomicBool>,
}

impl Wire {
    fn fate(&self) -> Fate {
        if self.is_cut_off.load(SeqCst) || self.scheduler.fault(self.faults.command_lost) {
            Fate::Lost
        } else if self.scheduler.fault(self.faults.reply_lost) {
            Fate::ReplyLost
        } else if self.scheduler.fault(self.faults.command_late) {
            Fate::Late
        } else {
            Fate::Answered
        }
    }

    async fn send(&self, key: CacheKey, command: Command) -> Result<Answer, CacheError> {
        let Self { by, scheduler, .. } = self;
        scheduler.turn(*by).await;
        let fate = self.fate();
        if fate != Fate::Answered {
            scheduler.note(fate.name(), *by, || format!("{command} {key}"));
        }
        let answer = (fate != Fate::Lost).then(|| self.dispatch(key, command, fate));
        match (fate, answer) {
            (Fate::Answered, Some(answer)) => {
                let answer = answer.await;
                scheduler.turn(*by).await;
                answer.unwrap_or_else(|_| Err(gone()))
            }
            _ => {
                if scheduler.once_in(2) {
                    sleep(Duration::from_millis(50)).await;
                }
                scheduler.turn(*by).await;
                Err(if scheduler.once_in(2) { broken() } else { gone() })
            }
        }
    }

    fn dispatch(
        &self,
        key: CacheKey,
        command: Command,
        fate: Fate,
    ) -> oneshot::Receiver<Result<Answer, CacheError>> {
        let (reply, answer) = oneshot::channel();
        let (by, server, scheduler) =
            (self.by, Arc::clone(&self.server), Arc::clone(&self.scheduler));
        let life = server.life.load(SeqCst);
        server.on_their_way.fetch_add(1, SeqCst);
        tokio::spawn(async move {
            if fate == Fate::Late {
                let longest = if scheduler.once_in(4) { 20_000 } else { 400 };
                sleep(scheduler.millis(1, longest)).await;
            }
            scheduler.turn(By::World).await;
            if server.life.load(SeqCst) == life {
                let answer = server.carry_out(&key, command.clone()).await;
                if command.tokens() > 1
                    && matches!(answer, Ok(Answer::Replaced(Replaced::Stored(_))))
                {
                    scheduler.note("fence shared", by, || key.to_string());
                }
                scheduler.note("command", by, || format!("{command} {key}: {}", show(&answer)));
                // The caller may have gone away.
                let _ = reply.send(answer);
            }
            server.on_their_way.fetch_sub(1, SeqCst);
        });
        answer
    }
}

impl Command {
    /// How many transactions share the fence that it puts.
    fn tokens(&self) -> usize {
        match self {
            Self::Fence { value, .. } => {
                SharedFence::parse(value).map_or(0, |fence| fence.tokens().len())
            }
            Self::Get { .. } | Self::Replace { .. } | Self::Delete { .. } => 0,
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get { lease: None } => f.write_str("get"),
            Self::Get { lease: Some(_) } => f.write_str("get or lease"),
            Self::Fence { value, over: Over::Anything, .. } => {
                write!(f, "set {}", show_value(value))
            }
            Self::Fence { value, over: Over::Nothing, .. } => {
                write!(f, "add {}", show_value(value))
            }
            Self::Fence { value, over: Over::Version(cas), .. } => {
                write!(f, "set {} over {}", show_value(value), cas.token)
            }
            Self::Replace { value, cas, .. } => {
                write!(f, "replace {} by {}", cas.token, show_value(value))
            }
            Self::Delete { cas } => write!(f, "delete {}", cas.token),
        }
    }
}

/// A fence's random token is left out, so that every run of a seed has the same
/// trace; the item's version tells as much.
fn show_value(value: &Bytes) -> String {
    match Fence::parse(value) {
        Some(_)
            if let Some(tokens) = SharedFence::parse(value).map(|fence| fence.tokens().len())
                && tokens > 1 =>
        {
            format!("fence of {tokens}")
        }
        Some(fence) if fence == fence.without_write_through() => "marked fence".to_owned(),
        Some(_) => "fence".to_owned(),
        None => format!("{:?}", super::process::rows_of(value)),
    }
}

fn show(answer: &Result<Answer, CacheError>) -> String {
    match answer {
        Ok(Answer::Found(Lookup::Item { value, cas, .. })) => {
            format!("{} at {}", show_value(value), cas.token)
        }
        Ok(Answer::Found(Lookup::Lease(cas))) => format!("lease {}", cas.token),
        Ok(Answer::Found(Lookup::Leased(cas))) => format!("somebody's lease {}", cas.token),
        Ok(Answer::Replaced(Replaced::Stored(cas))) => format!("stored {}", cas.token),
        Ok(Answer::Found(other)) => format!("{other:?}"),
        Ok(Answer::Replaced(other)) => format!("{other:?}"),
        Ok(Answer::Deleted(other)) => format!("{other:?}"),
        Err(error) => error.to_string(),
    }
}

/// What a write tries again after.
fn broken() -> CacheError {
    let source = Arc::new(io::Error::from(io::ErrorKind::ConnectionReset));
    CacheError::Disconnected { server: "simulated".into(), source }
}

fn gone() -> CacheError {
    CacheError::TimedOut { server: "simulated".into(), after: Duration::from_millis(50) }
}

impl CacheStore for Wire {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        let key = key.clone();
        Box::pin(async move {
            match self.send(key, Command::Get { lease }).await? {
                Answer::Found(found) => Ok(found),
                other => panic!("{other:?}"),
            }
        })
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        let key = key.clone();
        Box::pin(async move {
            match self.send(key, Command::Fence { value: fence, ttl, over }).await? {
                Answer::Replaced(replaced) => Ok(replaced),
                other => panic!("{other:?}"),
            }
        })
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        let key = key.clone();
        Box::pin(async move {
            match self.send(key, Command::Replace { value, ttl, cas }).await? {
                Answer::Replaced(replaced) => Ok(replaced),
                other => panic!("{other:?}"),
            }
        })
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        let key = key.clone();
        Box::pin(async move {
            match self.send(key, Command::Delete { cas }).await? {
                Answer::Deleted(deleted) => Ok(deleted),
                other => panic!("{other:?}"),
            }
        })
    }

    fn also(&self, _: &CacheKey) -> Option<&dyn CacheStore> {
        self.also.as_deref().map(|wire| wire as &dyn CacheStore)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("by", &self.by).finish_non_exhaustive()
    }
}
