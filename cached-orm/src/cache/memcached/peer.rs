use super::identity::Identity;
use crate::cache::{CacheError, Incarnation};
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// One server, as its lanes share it: its name in errors, and whether the log
/// last said that it is down.
#[derive(Debug)]
pub(super) struct Peer {
    /// The address in its canonical form.
    name: Arc<str>,
    timeout: Duration,
    is_down: AtomicBool,
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
    pub(super) fn new(name: &str, timeout: Duration) -> Self {
        Self {
            name: name.into(),
            timeout,
            is_down: AtomicBool::new(false),
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
        if !self.is_down.swap(true, Ordering::Relaxed) {
            tracing::warn!(server = %self.name, reason, "memcached is down; redialling");
        }
    }

    /// Says once, for all lanes, that the server is back.
    pub(super) fn report_up(&self) {
        if self.is_down.swap(false, Ordering::Relaxed) {
            tracing::info!(server = %self.name, "memcached is back");
        }
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

    pub(super) fn timed_out(&self) -> CacheError {
        CacheError::TimedOut { server: Arc::clone(&self.name), after: self.timeout }
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
