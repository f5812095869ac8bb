use super::{TARGET, identity::Identity};
use crate::cache::{CacheError, Incarnation};
use std::{
    io, mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// One server, as its lanes share it: its name in errors, and whether it is down.
#[derive(Debug)]
pub(super) struct Peer {
    /// The address in its canonical form.
    name: Arc<str>,
    /// What a lane has found last, and the log has said.
    is_down: watch::Sender<bool>,
    writes: AtomicU64,
    met: Mutex<Option<Met>>,
}

/// The life of the server that a lane has met last.
#[derive(Debug, Clone, Copy)]
struct Met {
    incarnation: Incarnation,
    /// Its age, at most, at that time.
    age: Duration,
    at: Instant,
}

impl Peer {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            is_down: watch::Sender::new(false),
            writes: AtomicU64::new(0),
            met: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Notes whom a lane has met.
    pub(super) fn meet(&self, identity: &Identity) {
        let at = Instant::now();
        let met = Met { incarnation: identity.incarnation, age: identity.age(at), at };
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = Some(met);
    }

    /// The life of the server that was met last, and its age by now.
    pub(super) fn met(&self) -> Option<(Incarnation, Duration)> {
        let met = (*self.met.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some((met.incarnation, met.age.saturating_add(met.at.elapsed())))
    }

    /// Says once, for all lanes, that the server is down.
    pub(super) fn report_down(&self, reason: &str) {
        if self.is_down.send_if_modified(|is_down| !mem::replace(is_down, true)) {
            tracing::warn!(target: TARGET, server = %self.name, reason, "memcached is down; redialling");
        }
    }

    /// Says once, for all lanes, that the server is back.
    pub(super) fn report_up(&self) {
        if self.is_down.send_if_modified(mem::take) {
            tracing::info!(target: TARGET, server = %self.name, "memcached is back");
        }
    }

    pub(super) fn is_down(&self) -> bool {
        *self.is_down.borrow()
    }

    /// Waits until a lane has reached the server, if it is down.
    pub(super) async fn is_back(&self) {
        // It fails if the sender is gone, which is here.
        drop(self.is_down.subscribe().wait_for(|is_down| !is_down).await);
    }

    /// Counts a write system call.
    pub(super) fn note_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    #[cfg(test)]
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    pub(super) fn timed_out(&self, after: Duration) -> CacheError {
        CacheError::TimedOut { server: Arc::clone(&self.name), after }
    }

    pub(super) fn down(&self, reason: &Arc<str>) -> CacheError {
        CacheError::Down { server: Arc::clone(&self.name), reason: Arc::clone(reason) }
    }

    pub(super) fn disconnected(&self, source: io::Error) -> CacheError {
        CacheError::Disconnected { server: Arc::clone(&self.name), source: Arc::new(source) }
    }

    pub(super) fn protocol(&self, message: &str) -> CacheError {
        CacheError::Protocol { server: Arc::clone(&self.name), message: message.into() }
    }

    pub(super) fn refused(&self, message: &str) -> CacheError {
        CacheError::Refused { server: Arc::clone(&self.name), message: message.into() }
    }

    pub(super) fn overloaded(&self) -> CacheError {
        CacheError::Overloaded { server: Arc::clone(&self.name) }
    }
}
