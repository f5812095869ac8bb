//! The protocol over the embedded store, with a database of one row whose
//! loads a test holds up and lets go.

mod batches;
mod committing;
mod early;
mod reading;
mod sharing;
mod simulation;
mod stores;

use super::*;
use crate::cache::EmbeddedStore;
use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Semaphore;

/// A database of one row, which is a number.
#[derive(Debug)]
struct Database {
    row: Mutex<Option<u64>>,
    /// A load takes a permit when it has read the row.
    gate: Semaphore,
    loads: AtomicUsize,
}

impl Database {
    fn open(row: Option<u64>) -> Arc<Self> {
        let gate = Semaphore::new(Semaphore::MAX_PERMITS);
        Arc::new(Self { row: Mutex::new(row), gate, loads: AtomicUsize::new(0) })
    }

    /// Holds every load up until [`let_go`](Self::let_go).
    fn held_up(row: Option<u64>) -> Arc<Self> {
        let database = Self::open(row);
        database.gate.forget_permits(Semaphore::MAX_PERMITS);
        database
    }

    fn let_go(&self, loads: usize) {
        self.gate.add_permits(loads);
    }

    fn write(&self, row: Option<u64>) {
        *self.row.lock().expect("no panic") = row;
    }

    fn read(&self) -> Option<u64> {
        *self.row.lock().expect("no panic")
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    /// Waits until that many loads have begun.
    async fn loads_begun(&self, loads: usize) {
        while self.loads() < loads {
            tokio::task::yield_now().await;
        }
    }
}

#[derive(Debug, Clone)]
struct Row {
    database: Arc<Database>,
    key: CacheKey,
}

impl Row {
    fn of(database: &Arc<Database>) -> Self {
        let key = CacheKey::of_parts(&crate::key::Namespace::default(), "rows", &["1"]);
        Self { database: Arc::clone(database), key }
    }
}

impl Source for Row {
    type Row = u64;
    type Loaded = u64;
    type Error = &'static str;
    type Meter = ();

    fn key(&self) -> &CacheKey {
        &self.key
    }

    async fn load(&self) -> Result<Option<u64>, &'static str> {
        self.database.loads.fetch_add(1, Ordering::SeqCst);
        let row = self.database.read();
        self.database.gate.acquire().await.map_err(|_| "closed")?.forget();
        Ok(row)
    }

    fn row(loaded: u64) -> u64 {
        loaded
    }

    fn decode(&self, value: &Bytes) -> Content<u64> {
        match value.strip_prefix(b"row ") {
            Some([]) => Content::Absent,
            Some(row) => match row.try_into() {
                Ok(row) => Content::Row(u64::from_le_bytes(row)),
                Err(_) => Content::Unreadable(Unreadable::Body),
            },
            None => Content::Unreadable(Unreadable::Foreign),
        }
    }

    fn encode(&self, row: Option<&u64>) -> Option<Entry> {
        Some(entry(row.copied()))
    }

    fn abandoned(&self) -> &'static str {
        "abandoned"
    }

    fn panicked(&self) -> &'static str {
        "panicked"
    }
}

fn entry(row: Option<u64>) -> Entry {
    let row = row.map(u64::to_le_bytes);
    let value = [&b"row "[..], row.as_ref().map_or(&[][..], |row| row)].concat();
    Entry { value: value.into(), ttl: Duration::from_secs(60) }
}

/// What was counted so far.
#[derive(Debug, Default)]
struct Counted(Mutex<HashMap<Event, u64>>);

impl Counted {
    fn of(&self, event: Event) -> u64 {
        self.0.lock().expect("no panic").get(&event).copied().unwrap_or_default()
    }
}

impl Meter for Counted {
    fn count(&self, event: Event, times: u64) {
        *self.0.lock().expect("no panic").entry(event).or_default() += times;
    }
}

fn coherence() -> Arc<Coherence> {
    counting().0
}

fn counting() -> (Arc<Coherence>, Arc<Counted>) {
    let counted = Arc::<Counted>::default();
    let store = Arc::new(EmbeddedStore::new(1 << 20));
    (metered(store, Arc::clone(&counted) as Arc<dyn Meter>), counted)
}

fn over(store: Arc<dyn CacheStore>) -> Arc<Coherence> {
    metered(store, Arc::new(()))
}

fn metered(store: Arc<dyn CacheStore>, meter: Arc<dyn Meter>) -> Arc<Coherence> {
    let times = Times {
        lease_ttl: Duration::from_secs(10),
        fence_ttl: Duration::from_secs(60),
        commit_window: Duration::from_secs(5),
        renew_after: Duration::from_secs(5),
        write_timeout: Duration::from_millis(500),
        lease_wait: Duration::from_millis(50),
        lease_poll: Duration::from_millis(5),
    };
    Arc::new(Coherence::new(store, times, false, 0, meter))
}
