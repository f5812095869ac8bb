use super::{
    config::{Mutation, Policy},
    database::Database,
    history::Row,
    scheduler::By,
    store::Wire,
};
use crate::{
    coherence::{Coherence, Content, Entry, Source, Times, Unreadable, fence::Fence},
    key::{CacheKey, Namespace},
};
use bytes::Bytes;
use futures_util::future::join_all;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::sleep;

/// The defaults of `OrmBuilder`.
pub(super) const TIMES: Times = Times {
    lease_ttl: Duration::from_secs(10),
    fence_ttl: Duration::from_secs(60),
    commit_window: Duration::from_secs(5),
    renew_after: Duration::from_secs(5),
    write_timeout: Duration::from_millis(500),
    lease_wait: Duration::from_millis(50),
    lease_poll: Duration::from_millis(5),
};
pub(super) const HOLD_OFF: Duration = Duration::from_secs(15);

/// How often the outbox is looked at: often, for a whole run may take less than
/// a second.
const POLL: Duration = Duration::from_millis(20);
/// The same when there is nothing to be found out any more.
const CALM_POLL: Duration = Duration::from_secs(20);

/// The cache keys of the database's rows, and of a list of all of them if there
/// is one: its number is that after the rows'.
#[derive(Clone)]
pub(super) struct Keys {
    keys: Arc<[CacheKey]>,
    rows: usize,
}

impl Keys {
    pub(super) fn new(rows: usize, has_list: bool) -> Self {
        let key = |n: usize| CacheKey::of_parts(&Namespace::default(), "rows", &[n.to_string()]);
        Self { keys: (0..rows + usize::from(has_list)).map(key).collect(), rows }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// How many there are, with the list.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn list(&self) -> Option<usize> {
        (self.len() > self.rows).then_some(self.rows)
    }

    pub(super) fn get(&self, number: usize) -> &CacheKey {
        &self.keys[number]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &CacheKey> {
        self.keys.iter()
    }

    pub(super) fn numbers(&self, keys: &[CacheKey]) -> Vec<usize> {
        let number = |key| self.keys.iter().position(|own| own == key).expect("a key of ours");
        keys.iter().map(number).collect()
    }
}

/// One process: an `Orm` without SQL.
pub(super) struct Process {
    pub(super) by: By,
    pub(super) coherence: Arc<Coherence>,
    pub(super) database: Arc<Database>,
    pub(super) keys: Keys,
    pub(super) policy: Policy,
    pub(super) is_cut_off: Arc<AtomicBool>,
}

impl Process {
    pub(super) fn start(
        wire: Wire,
        database: &Arc<Database>,
        keys: &Keys,
        policy: Policy,
    ) -> Arc<Self> {
        let (by, is_cut_off) = (wire.by, Arc::clone(&wire.is_cut_off));
        let enlists_every_key = policy == Policy::Always;
        let coherence = Coherence::new(Arc::new(wire), TIMES, enlists_every_key, 0, Arc::new(()));
        let (database, keys) = (Arc::clone(database), keys.clone());
        let process = Arc::new(Self {
            by,
            coherence: Arc::new(coherence),
            database,
            keys,
            policy,
            is_cut_off,
        });
        if policy != Policy::Abort {
            tokio::spawn(Arc::clone(&process).drain_for_ever());
        }
        process
    }

    pub(super) fn die(&self) {
        self.database.scheduler.kill(self.by);
        self.database.abandon_all_of(self.by);
    }

    pub(super) fn cut_off(&self, is_cut_off: bool) {
        self.is_cut_off.store(is_cut_off, SeqCst);
    }

    fn loaded(&self, number: usize) -> Loaded {
        let (database, by) = (Arc::clone(&self.database), self.by);
        Loaded { database, by, number, key: self.keys.get(number).clone() }
    }

    pub(super) fn row(&self, number: usize) -> LoadedRow {
        LoadedRow(self.loaded(number))
    }

    pub(super) fn list(&self, number: usize) -> LoadedList {
        LoadedList { from: self.loaded(number), rows: self.keys.rows() }
    }

    /// What the crate's drainer does.
    async fn drain_for_ever(self: Arc<Self>) {
        let scheduler = &self.database.scheduler;
        loop {
            sleep(if scheduler.is_calm() { CALM_POLL } else { POLL }).await;
            scheduler.turn(self.by).await;
            let rows = self.database.take(self.by, 4);
            if rows.is_empty() {
                continue;
            }
            let draining = rows.iter().map(|(_, number)| self.drain(*number));
            let drained = join_all(draining).await;
            let drained = rows.iter().zip(drained).filter(|(_, drained)| *drained);
            let mut ids: Vec<u64> = drained.map(|((id, _), _)| *id).collect();
            scheduler.turn(self.by).await;
            if scheduler.fault(self.database.faults.database_failed) {
                ids.clear();
            }
            self.database.remove(self.by, &ids);
            scheduler.turn(self.by).await;
        }
    }

    async fn drain(&self, number: usize) -> bool {
        let key = self.keys.get(number);
        match self.database.mutation {
            Some(Mutation::DrainerDoesNothing) => true,
            Some(Mutation::DrainerDeletesFences) => {
                let found = self.coherence.store.get(key, None).await;
                match found {
                    Ok(crate::cache::Lookup::Item { cas, .. }) => {
                        self.coherence.store.delete(key, cas).await.is_ok()
                    }
                    Ok(_) => self.coherence.invalidate(key).await.is_ok(),
                    Err(_) => false,
                }
            }
            _ => self.coherence.invalidate(key).await.is_ok(),
        }
    }
}

/// Something as one process loads it.
#[derive(Clone)]
struct Loaded {
    database: Arc<Database>,
    by: By,
    number: usize,
    key: CacheKey,
}

impl Loaded {
    async fn load<T: std::fmt::Debug>(
        &self,
        query: impl FnOnce(&Database) -> T,
    ) -> Result<T, &'static str> {
        let Self { database, by, number, .. } = self;
        let (scheduler, faults) = (&database.scheduler, database.faults);
        scheduler.turn(*by).await;
        if scheduler.fault(faults.load_failed) {
            scheduler.turn(*by).await;
            return Err("failed");
        }
        let loaded = query(database);
        scheduler.note("load", *by, || format!("key {number}: {loaded:?}"));
        if scheduler.fault(faults.load_slow) {
            sleep(scheduler.millis(1, 20_000)).await;
        }
        scheduler.turn(*by).await;
        Ok(loaded)
    }

    /// Some entries are not stored, and some not for long.
    fn entry(&self, entry: Entry) -> Option<Entry> {
        let scheduler = &self.database.scheduler;
        if scheduler.fault(20) {
            return None;
        }
        let ttl = if scheduler.fault(10) { scheduler.millis(20_000, 60_000) } else { LONG };
        Some(Entry { ttl, ..entry })
    }
}

#[derive(Clone)]
pub(super) struct LoadedRow(Loaded);

impl Source for LoadedRow {
    type Row = u64;
    type Loaded = u64;
    type Error = &'static str;
    type Meter = ();

    fn key(&self) -> &CacheKey {
        &self.0.key
    }

    async fn load(&self) -> Result<Row, &'static str> {
        self.0.load(|database| database.row(self.0.number)).await
    }

    fn row(loaded: u64) -> u64 {
        loaded
    }

    fn decode(&self, value: &Bytes) -> Content<u64> {
        match rows_of(value).as_deref() {
            Some([Some(row)]) => Content::Row(*row),
            Some([None]) => Content::Absent,
            _ => Content::Unreadable(Unreadable::Foreign),
        }
    }

    fn encode(&self, row: Option<&u64>) -> Option<Entry> {
        self.0.entry(entry(&[row.copied()]))
    }

    fn abandoned(&self) -> &'static str {
        "abandoned"
    }

    fn panicked(&self) -> &'static str {
        "panicked"
    }
}

/// A list of all rows, in one statement.
#[derive(Clone)]
pub(super) struct LoadedList {
    from: Loaded,
    rows: usize,
}

impl Source for LoadedList {
    type Row = Vec<Row>;
    type Loaded = Vec<Row>;
    type Error = &'static str;
    type Meter = ();

    fn key(&self) -> &CacheKey {
        &self.from.key
    }

    async fn load(&self) -> Result<Option<Vec<Row>>, &'static str> {
        let list = |database: &Database| (0..self.rows).map(|row| database.row(row)).collect();
        self.from.load(list).await.map(Some)
    }

    fn row(loaded: Vec<Row>) -> Vec<Row> {
        loaded
    }

    fn decode(&self, value: &Bytes) -> Content<Vec<Row>> {
        match rows_of(value) {
            Some(rows) if rows.len() == self.rows => Content::Row(rows),
            _ => Content::Unreadable(Unreadable::Foreign),
        }
    }

    fn encode(&self, list: Option<&Vec<Row>>) -> Option<Entry> {
        self.from.entry(entry(list?))
    }

    fn abandoned(&self) -> &'static str {
        "abandoned"
    }

    fn panicked(&self) -> &'static str {
        "panicked"
    }
}

/// Longer than any run.
const LONG: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Each row with a zero if there is none, or a one and its number.
pub(super) fn entry(rows: &[Row]) -> Entry {
    let mut value = b"rows".to_vec();
    for row in rows {
        value.push(u8::from(row.is_some()));
        value.extend(row.unwrap_or_default().to_le_bytes());
    }
    Entry { value: value.into(), ttl: LONG }
}

/// The rows that an entry says; `None` if it is no entry.
pub(super) fn rows_of(value: &Bytes) -> Option<Vec<Row>> {
    if Fence::parse(value).is_some() {
        return None;
    }
    let (rows, left) = value.strip_prefix(b"rows")?.as_chunks::<9>();
    let row = |row: &[u8; 9]| {
        let number = u64::from_le_bytes(row[1..].try_into().expect("8 bytes"));
        (row[0] == 1).then_some(number)
    };
    left.is_empty().then(|| rows.iter().map(row).collect())
}
