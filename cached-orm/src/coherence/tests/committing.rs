use super::*;
use crate::cache::{Cas, Deleted, Lookup, Replaced, StoreFuture};
use std::sync::atomic::AtomicBool;

/// A transaction that writes the row when it commits.
struct Writing {
    database: Arc<Database>,
    row: Option<u64>,
    ending: Ending,
    rolled_back: Arc<AtomicBool>,
    outbox: Outbox,
}

/// An outbox that takes keys or not, and says when the transaction is over.
#[derive(Debug, Clone, Default)]
struct Outbox {
    is_installed: bool,
    keys: Arc<Mutex<Vec<CacheKey>>>,
    is_over: Arc<AtomicBool>,
}

impl Outbox {
    fn installed() -> Self {
        Self { is_installed: true, ..Self::default() }
    }

    fn keys(&self) -> Vec<CacheKey> {
        self.keys.lock().expect("no panic").clone()
    }
}

impl Enlist for Outbox {
    async fn enlist(&mut self, keys: &[CacheKey]) -> bool {
        if self.is_installed {
            self.keys.lock().expect("no panic").extend_from_slice(keys);
        }
        self.is_installed
    }
}

impl Afterwards for Outbox {
    async fn is_over(&mut self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Commits,
    Refused,
    Aborted,
    Unknown,
}

impl Writing {
    fn new(row: &Row, value: Option<u64>, ending: Ending) -> Self {
        Self {
            database: Arc::clone(&row.database),
            row: value,
            ending,
            rolled_back: Arc::default(),
            outbox: Outbox::default(),
        }
    }

    fn with(mut self, outbox: &Outbox) -> Self {
        self.outbox = outbox.clone();
        self
    }
}

impl Enlist for Writing {
    async fn enlist(&mut self, keys: &[CacheKey]) -> bool {
        self.outbox.enlist(keys).await
    }
}

impl OpenTransaction for Writing {
    type Error = &'static str;
    type Afterwards = Outbox;

    async fn check(&mut self) -> Result<(), &'static str> {
        if self.ending == Ending::Aborted { Err("aborted") } else { Ok(()) }
    }

    async fn commit(&mut self) -> Ended<&'static str> {
        match self.ending {
            Ending::Commits => {
                self.database.write(self.row);
                Ended::Committed
            }
            Ending::Refused | Ending::Aborted => Ended::RolledBack("refused"),
            Ending::Unknown => Ended::Unknown("lost"),
        }
    }

    async fn rollback(&mut self) {
        self.rolled_back.store(true, Ordering::SeqCst);
    }

    fn afterwards(&mut self) -> Outbox {
        self.outbox.clone()
    }
}

fn journal(row: &Row, through: Option<u64>) -> Journal {
    let mut journal = Journal::default();
    journal.touch(row.key.clone());
    if let Some(value) = through {
        journal.store(&row.key, entry(Some(value)));
    }
    journal
}

#[tokio::test]
async fn a_final_row_takes_its_fences_place() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let writing = Writing::new(&row, Some(8), Ending::Commits);
    let unconfirmed = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    assert!(matches!(unconfirmed, Ok(0)));
    assert_eq!(coherence.read(row).await, Ok(Some(8)));
    assert_eq!(database.loads(), 0);
}

#[tokio::test]
async fn a_row_that_is_not_final_is_loaded_anew() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    assert_eq!(coherence.read(row.clone()).await, Ok(Some(7)));
    let writing = Writing::new(&row, Some(8), Ending::Commits);
    assert!(Arc::clone(&coherence).commit(writing, journal(&row, None)).await.is_ok());
    assert_eq!(coherence.read(row).await, Ok(Some(8)));
    assert_eq!(database.loads(), 2);
}

#[tokio::test]
async fn what_was_rolled_back_leaves_no_fence_and_no_row() {
    for ending in [Ending::Refused, Ending::Aborted] {
        let (coherence, database) = (coherence(), Database::open(Some(7)));
        let row = Row::of(&database);
        let writing = Writing::new(&row, Some(8), ending);
        let rolled_back = Arc::clone(&writing.rolled_back);
        let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
        assert!(matches!(outcome, Err(CommitFailure::RolledBack(_))), "{ending:?}");
        assert!(rolled_back.load(Ordering::SeqCst));
        assert_eq!(coherence.store.get(&row.key, None).await.expect("a store"), Lookup::Miss);
        assert_eq!(coherence.read(row).await, Ok(Some(7)));
    }
}

#[tokio::test]
async fn an_unknown_outcome_leaves_the_fence() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let writing = Writing::new(&row, Some(8), Ending::Unknown);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    assert!(matches!(outcome, Err(CommitFailure::Unknown("lost"))));
    for value in [7, 8] {
        database.write(Some(value));
        assert_eq!(coherence.read(row.clone()).await, Ok(Some(value)));
    }
}

#[tokio::test]
async fn a_marked_fence_is_deleted_and_not_replaced() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let marking = Arc::new(Marking { inner: EmbeddedStore::new(1 << 20), key: row.key.clone() });
    let coherence =
        Arc::new(Coherence { store: marking, ..Arc::into_inner(coherence).expect("one") });
    let writing = Writing::new(&row, Some(8), Ending::Commits);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    assert!(matches!(outcome, Ok(0)));
    assert_eq!(coherence.store.get(&row.key, None).await.expect("a store"), Lookup::Miss);
}

#[tokio::test]
async fn without_the_cache_nothing_is_written() {
    let store = Arc::new(Failing { inner: EmbeddedStore::new(1 << 20), fails: true.into() });
    let coherence = over(Arc::clone(&store) as Arc<dyn CacheStore>);
    let database = Database::open(Some(7));
    let row = Row::of(&database);
    let writing = Writing::new(&row, Some(8), Ending::Commits);
    let rolled_back = Arc::clone(&writing.rolled_back);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    assert!(matches!(outcome, Err(CommitFailure::NotFenced(_))));
    assert!(rolled_back.load(Ordering::SeqCst));
    assert_eq!(database.read(), Some(7));
    assert_eq!(coherence.read(row).await, Ok(Some(7)));
}

/// A store that marks every fence as soon as it is there, as an outbox's
/// drainer would.
#[derive(Debug)]
struct Marking {
    inner: EmbeddedStore,
    key: CacheKey,
}

impl CacheStore for Marking {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        self.inner.get(key, lease)
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        only_over: Option<Cas>,
    ) -> StoreFuture<'_, Replaced> {
        let first = self.inner.fence(key, fence.clone(), ttl, only_over);
        Box::pin(async move {
            let Replaced::Stored(cas) = first.await? else { panic!("not stored") };
            let marked = crate::coherence::fence::Fence::parse(&fence)
                .expect("a fence")
                .without_write_through()
                .to_bytes();
            self.inner.fence(&self.key, marked, ttl, Some(cas)).await?;
            Ok(Replaced::Stored(cas))
        })
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        self.inner.replace(key, value, ttl, cas)
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        self.inner.delete(key, cas)
    }
}

/// A store that can be switched off.
#[derive(Debug)]
struct Failing {
    inner: EmbeddedStore,
    fails: AtomicBool,
}

impl Failing {
    fn or_fail<'s, T: Send + 's>(&self, future: StoreFuture<'s, T>) -> StoreFuture<'s, T> {
        if self.fails.load(Ordering::SeqCst) {
            Box::pin(std::future::ready(Err(CacheError::Closed)))
        } else {
            future
        }
    }
}

impl CacheStore for Failing {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        self.or_fail(self.inner.get(key, lease))
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        only_over: Option<Cas>,
    ) -> StoreFuture<'_, Replaced> {
        self.or_fail(self.inner.fence(key, fence, ttl, only_over))
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        self.or_fail(self.inner.replace(key, value, ttl, cas))
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        self.or_fail(self.inner.delete(key, cas))
    }
}
