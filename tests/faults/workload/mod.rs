//! Readers and writers on the hot rows.

mod bulk;
mod lookup;
mod reader;
mod writer;

pub(crate) use lookup::read as look_up;

use crate::{counts::Counts, engines::Engine, history::History, report::SHOWN, rows::HotRowOf};
use cached_orm::Orm;
use rand::{SeedableRng, rngs::StdRng};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::RwLock, task::JoinSet};

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Reading tasks on each handle.
    pub(crate) readers: u32,
    pub(crate) writers: u32,
    /// Between two reads of a task; nothing for plain reads as fast as it goes.
    pub(crate) reader_pause: Duration,
    pub(crate) writer_pause: Duration,
}

impl Load {
    /// So many reads a second on so many handles, and a tenth of it in writes.
    pub(crate) fn of_rate(rate: u32, handles: u32) -> Self {
        let (readers, writers) = (6, 3);
        let tasks = |each: u32| f64::from(each * handles) / f64::from(rate);
        Self {
            readers,
            writers,
            reader_pause: Duration::from_secs_f64(tasks(readers)),
            writer_pause: Duration::from_secs_f64(10.0 * tasks(writers)),
        }
    }
}

/// What all readers and writers share.
pub(crate) struct Shared {
    pub(crate) history: History,
    pub(crate) counts: Counts,
    /// What the first reads said that failed.
    failures: Mutex<Vec<String>>,
    /// For databases where writers outside transactions need it.
    key_locks: Vec<RwLock<()>>,
}

impl Shared {
    fn new(keys: i64) -> Self {
        Self {
            history: History::new(keys),
            counts: Counts::default(),
            failures: Mutex::default(),
            key_locks: (0..keys).map(|_| RwLock::default()).collect(),
        }
    }

    /// With every row there at revision 1, as [`Stage::insert_rows`] leaves it.
    ///
    /// [`Stage::insert_rows`]: crate::stage::Stage::insert_rows
    pub(crate) fn with_rows(keys: i64) -> Self {
        let shared = Self::new(keys);
        for key in 0..keys {
            let attempt = shared.history.begin_write(key, 1, "inserts");
            shared.history.acknowledge(key, 1, attempt);
        }
        shared
    }

    /// Notes that a read has failed, which took so long.
    fn read_failed(&self, key: i64, error: &cached_orm::Error, took: Duration) {
        self.counts.failed_reads.add_one();
        let text = format!("a read failed after {took:.1?}: {error}");
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < SHOWN {
            failures.push(text.clone());
        }
        drop(failures);
        self.history.note(key, text);
    }

    /// What the first reads said that failed.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn key_lock(&self, key: i64) -> &RwLock<()> {
        &self.key_locks[usize::try_from(key).expect("keys count from 0")]
    }
}

/// The readers and writers on one handle.
pub(crate) struct Crew {
    is_over: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Crew {
    /// Sets readers and writers to work on a handle, which stands for a process
    /// in which rows are `T`s.
    pub(crate) fn at_work<DB: Engine, T: HotRowOf<DB>>(
        orm: &Orm<DB>,
        shared: &Arc<Shared>,
        load: Load,
        seed: u64,
    ) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        let worker = |number: u64| Worker {
            orm: orm.clone(),
            shared: Arc::clone(shared),
            is_over: Arc::clone(&is_over),
            rng: StdRng::seed_from_u64(seed ^ (number << 8)),
        };
        for number in 0..u64::from(load.readers) {
            tasks.spawn(reader::run::<DB, T>(worker(number), load.reader_pause));
        }
        for number in 0..u64::from(load.writers) {
            tasks.spawn(writer::run::<DB, T>(worker(number + 1000), load.writer_pause));
        }
        Self { is_over, tasks }
    }

    /// Lets everybody end what they are at.
    pub(crate) async fn end(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("no reader or writer panics");
        }
    }
}

/// What a reader or writer has.
struct Worker<DB: Engine> {
    orm: Orm<DB>,
    shared: Arc<Shared>,
    is_over: Arc<AtomicBool>,
    rng: StdRng,
}
