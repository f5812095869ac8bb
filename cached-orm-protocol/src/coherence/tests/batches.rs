//! Batches over the embedded store, beside other readers and writers.

use super::*;
use crate::{
    cache::{Cas, Lookup, Over, Replaced},
    coherence::{Found, Origin, fence::Fence},
};
use std::collections::BTreeMap;
use tokio::{
    task::JoinHandle,
    time::{Instant, advance, sleep},
};

const MINUTE: Duration = Duration::from_secs(60);

/// A database of several rows, which are numbers.
#[derive(Debug)]
struct Table {
    rows: Mutex<BTreeMap<u64, u64>>,
    /// What was loaded by each statement.
    statements: Mutex<Vec<Vec<u64>>>,
    gate: Semaphore,
}

impl Table {
    fn of(rows: impl IntoIterator<Item = u64>) -> Arc<Self> {
        Arc::new(Self {
            rows: Mutex::new(rows.into_iter().map(|n| (n, n * 10)).collect()),
            statements: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    fn held_up(rows: impl IntoIterator<Item = u64>) -> Arc<Self> {
        let table = Self::of(rows);
        table.gate.forget_permits(Semaphore::MAX_PERMITS);
        table
    }

    fn statements(&self) -> Vec<Vec<u64>> {
        self.statements.lock().expect("no panic").clone()
    }

    async fn begun(&self, statements: usize) {
        while self.statements().len() < statements {
            tokio::task::yield_now().await;
        }
    }

    fn sources(self: &Arc<Self>, rows: impl IntoIterator<Item = u64>) -> Vec<One> {
        rows.into_iter().map(|id| One { table: Arc::clone(self), id, key: key(id) }).collect()
    }
}

#[derive(Debug, Clone)]
struct One {
    table: Arc<Table>,
    id: u64,
    key: CacheKey,
}

fn key(id: u64) -> CacheKey {
    CacheKey::of_parts(&crate::key::Namespace::default(), "table", &[id.to_string()])
}

impl Source for One {
    type Row = u64;
    type Loaded = u64;
    type Error = &'static str;
    type Meter = ();

    fn key(&self) -> &CacheKey {
        &self.key
    }

    async fn load(&self) -> Result<Option<u64>, &'static str> {
        Self::load_many(std::slice::from_ref(self)).await.map(|rows| rows[0])
    }

    async fn load_many(sources: &[Self]) -> Result<Vec<Option<u64>>, &'static str> {
        let table = Arc::clone(&sources[0].table);
        let ids = sources.iter().map(|source| source.id).collect();
        table.statements.lock().expect("no panic").push(ids);
        let rows = table.rows.lock().expect("no panic").clone();
        table.gate.acquire().await.map_err(|_| "closed")?.forget();
        Ok(sources.iter().map(|source| rows.get(&source.id).copied()).collect())
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

type Batch = Result<Vec<Found<u64>>, &'static str>;

fn start(coherence: &Arc<Coherence>, sources: Vec<One>) -> JoinHandle<Batch> {
    let coherence = Arc::clone(coherence);
    tokio::spawn(async move { coherence.read_many(sources).await })
}

fn rows(batch: Batch) -> Vec<Option<u64>> {
    batch.expect("rows").into_iter().map(|found| found.row).collect()
}

fn tens(ids: impl IntoIterator<Item = u64>) -> Vec<Option<u64>> {
    ids.into_iter().map(|id| Some(id * 10)).collect()
}

async fn lease(coherence: &Coherence, id: u64) -> Cas {
    match coherence.store.get(&key(id), Some(MINUTE)).await {
        Ok(Lookup::Lease(cas)) => cas,
        other => panic!("no lease: {other:?}"),
    }
}

async fn lies_there(coherence: &Coherence, id: u64) -> Lookup {
    coherence.store.get(&key(id), None).await.expect("a store")
}

#[tokio::test]
async fn one_statement_loads_what_is_missing() {
    let (coherence, table) = (coherence(), Table::of(0..10));
    let found = coherence.read_many(table.sources(5..8)).await.expect("rows");
    assert!(found.iter().all(|found| found.origin == Origin::Filled));
    let found = coherence.read_many(table.sources((0..12).rev())).await.expect("rows");
    let expected: Vec<_> = (0..12).rev().map(|id| (id < 10).then_some(id * 10)).collect();
    let hits = found.iter().filter(|found| found.origin == Origin::Cache).count();
    assert_eq!(found.into_iter().map(|found| found.row).collect::<Vec<_>>(), expected);
    assert_eq!(hits, 3);
    assert_eq!(table.statements(), [vec![5, 6, 7], vec![11, 10, 9, 8, 4, 3, 2, 1, 0]]);
}

/// Its own rows are loaded and stored before it waits for anybody: the other may
/// wait for them.
#[tokio::test(start_paused = true)]
async fn somebody_elses_lease_is_waited_for_last_and_not_for_long() {
    let (coherence, table) = (coherence(), Table::of(0..4));
    let [filled, never] = [lease(&coherence, 1).await, lease(&coherence, 2).await];
    let began = Instant::now();
    let batch = start(&coherence, table.sources(0..4));
    table.begun(1).await;
    assert_eq!(table.statements(), [[0, 3]]);
    sleep(Duration::from_millis(12)).await;
    assert!(matches!(lies_there(&coherence, 0).await, Lookup::Item { .. }));
    let other = entry(Some(11));
    let stored = coherence.store.replace(&key(1), other.value, other.ttl, filled).await;
    assert!(matches!(stored, Ok(Replaced::Stored(_))));
    let found = batch.await.expect("a batch").expect("rows");
    assert!((50..60).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    let origins: Vec<_> = found.iter().map(|found| found.origin).collect();
    use Origin::*;
    assert_eq!(origins, [Filled, Cache, Database, Filled]);
    assert_eq!(found[1].row, Some(11), "the other's");
    assert_eq!(table.statements(), [vec![0, 3], vec![2]]);
    assert_eq!(lies_there(&coherence, 2).await, Lookup::Leased(never));
}

/// Whoever held it has given up.
#[tokio::test(start_paused = true)]
async fn a_lease_that_is_given_back_is_taken_over() {
    let (coherence, table) = (coherence(), Table::of(0..3));
    let held = lease(&coherence, 1).await;
    let batch = start(&coherence, table.sources(0..3));
    sleep(Duration::from_millis(12)).await;
    assert!(coherence.store.delete(&key(1), held).await.is_ok());
    let found = batch.await.expect("a batch").expect("rows");
    assert!(found.iter().all(|found| found.origin == Origin::Filled), "{found:?}");
}

#[tokio::test]
async fn batches_and_single_reads_of_one_process_share_loads() {
    let (coherence, table) = (coherence(), Table::held_up(0..20));
    let first = start(&coherence, table.sources(0..15));
    table.begun(1).await;
    let single = {
        let (coherence, source) = (Arc::clone(&coherence), table.sources([3]).remove(0));
        tokio::spawn(async move { coherence.read(source).await })
    };
    let second = start(&coherence, table.sources(10..20));
    let third = start(&coherence, table.sources(0..15));
    table.begun(2).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    table.gate.add_permits(2);
    assert_eq!(rows(first.await.expect("a batch")), tens(0..15));
    assert_eq!(rows(second.await.expect("a batch")), tens(10..20));
    assert_eq!(rows(third.await.expect("a batch")), tens(0..15));
    assert_eq!(single.await.expect("a read"), Ok(Some(30)));
    assert_eq!(table.statements(), [(0..15).collect::<Vec<_>>(), (15..20).collect()]);
}

#[tokio::test]
async fn a_fence_that_comes_during_the_load_keeps_its_row_out_and_no_other() {
    let ((coherence, counted), table) = (counting(), Table::held_up(0..3));
    let batch = start(&coherence, table.sources(0..3));
    table.begun(1).await;
    let fence = Fence::new().to_bytes();
    let fenced = coherence.store.fence(&key(1), fence.clone(), MINUTE, Over::Anything).await;
    assert!(matches!(fenced, Ok(Replaced::Stored(_))));
    table.rows.lock().expect("no panic").insert(1, 11);
    table.gate.add_permits(1);
    // It began before the write was acknowledged.
    assert_eq!(rows(batch.await.expect("a batch")), tens(0..3));
    let found = lies_there(&coherence, 1).await;
    assert!(matches!(found, Lookup::Item { value, .. } if value == fence));
    assert_eq!(counted.of(Event::FillRefused), 1);
    table.gate.add_permits(1);
    let found = coherence.read_many(table.sources(0..3)).await.expect("rows");
    let origins: Vec<_> = found.iter().map(|found| found.origin).collect();
    assert_eq!(origins, [Origin::Cache, Origin::Database, Origin::Cache]);
    assert_eq!(found[1].row, Some(11));
}

#[tokio::test]
async fn a_failed_load_gives_all_leases_back() {
    let (coherence, table) = (coherence(), Table::of(0..3));
    table.gate.close();
    assert_eq!(coherence.read_many(table.sources(0..3)).await.err(), Some("closed"));
    for id in 0..3 {
        assert_eq!(lies_there(&coherence, id).await, Lookup::Miss);
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_fails_nobody_and_leaves_no_lease() {
    let (coherence, table) = (coherence(), Table::held_up(0..6));
    let first = start(&coherence, table.sources(0..6));
    table.begun(1).await;
    let second = start(&coherence, table.sources(0..6));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    first.abort();
    table.gate.add_permits(1);
    assert_eq!(rows(second.await.expect("a batch")), tens(0..6));
    assert_eq!(table.statements().len(), 1);
    for id in 0..6 {
        assert!(matches!(lies_there(&coherence, id).await, Lookup::Item { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ran_out_while_the_load_hung_is_no_right_to_store() {
    let (coherence, table) = (coherence(), Table::held_up(0..2));
    let batch = start(&coherence, table.sources(0..2));
    table.begun(1).await;
    advance(Duration::from_secs(11)).await;
    let fresh = entry(Some(7));
    let cas = lease(&coherence, 0).await;
    let stored = coherence.store.replace(&key(0), fresh.value.clone(), MINUTE, cas).await;
    assert!(matches!(stored, Ok(Replaced::Stored(_))));
    table.gate.add_permits(1);
    assert_eq!(rows(batch.await.expect("a batch")), tens(0..2));
    let found = lies_there(&coherence, 0).await;
    assert!(matches!(found, Lookup::Item { value, .. } if value == fresh.value));
}

/// A store that answers less than it was asked is a store that did not answer.
#[tokio::test]
async fn a_store_that_forgets_keys_costs_a_load() {
    #[derive(Debug)]
    struct Forgetful(EmbeddedStore);

    impl CacheStore for Forgetful {
        fn get(&self, key: &CacheKey, lease: Option<Duration>) -> crate::StoreFuture<'_, Lookup> {
            self.0.get(key, lease)
        }

        fn get_many(&self, keys: &[CacheKey], lease: Option<Duration>) -> crate::StoreBatch<'_> {
            self.0.get_many(&keys[..keys.len() / 2], lease)
        }

        fn fence(
            &self,
            key: &CacheKey,
            fence: Bytes,
            ttl: Duration,
            over: Over,
        ) -> crate::StoreFuture<'_, Replaced> {
            self.0.fence(key, fence, ttl, over)
        }

        fn replace(
            &self,
            key: &CacheKey,
            value: Bytes,
            ttl: Duration,
            cas: Cas,
        ) -> crate::StoreFuture<'_, Replaced> {
            self.0.replace(key, value, ttl, cas)
        }

        fn delete(&self, key: &CacheKey, cas: Cas) -> crate::StoreFuture<'_, crate::Deleted> {
            self.0.delete(key, cas)
        }
    }

    let coherence = over(Arc::new(Forgetful(EmbeddedStore::new(1 << 20))));
    let table = Table::of(0..9);
    for _ in 0..2 {
        let found = coherence.read_many(table.sources(0..9)).await;
        assert_eq!(rows(found), tens(0..9));
    }
    assert_eq!(table.statements()[1], [4, 5, 6, 7, 8]);
}
