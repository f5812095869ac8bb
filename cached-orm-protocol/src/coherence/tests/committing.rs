use super::stores::{Breaking, Failing, Marking, Slow, failing};
use super::*;
use crate::cache::{self, Lookup, Replaced};
use crate::coherence::fence::Fence;
use std::{collections::HashMap, sync::atomic::AtomicBool};
use tokio::time::sleep;

/// A transaction that writes the row when it commits.
pub(super) struct Writing {
    database: Arc<Database>,
    row: Option<u64>,
    ending: Ending,
    rolled_back: Arc<AtomicBool>,
    outbox: Outbox,
}

/// An outbox that takes keys or not, and says when the transaction is over.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbox {
    is_installed: bool,
    keys: Arc<Mutex<Vec<CacheKey>>>,
    pub(super) is_over: Arc<AtomicBool>,
    /// How long the answer to that takes.
    answers_after: Duration,
}

impl Outbox {
    pub(super) fn installed() -> Self {
        Self { is_installed: true, ..Self::default() }
    }

    pub(super) fn keys(&self) -> Vec<CacheKey> {
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
    async fn is_over(&mut self) -> IsOver {
        sleep(self.answers_after).await;
        if self.is_over.load(Ordering::SeqCst) { IsOver::Committed } else { IsOver::NotYet }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Ending {
    Commits,
    /// After three lives of a fence.
    CommitsLate,
    /// And the store fails from then on.
    CommitsWithout(Arc<Failing>),
    Refused,
    Aborted,
    Unknown,
}

impl Writing {
    pub(super) fn new(row: &Row, value: Option<u64>, ending: Ending) -> Self {
        Self {
            database: Arc::clone(&row.database),
            row: value,
            ending,
            rolled_back: Arc::default(),
            outbox: Outbox::default(),
        }
    }

    pub(super) fn with(mut self, outbox: &Outbox) -> Self {
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
        if matches!(self.ending, Ending::Aborted) { Err("aborted") } else { Ok(()) }
    }

    async fn commit(&mut self) -> Ended<&'static str> {
        match &self.ending {
            Ending::Commits => {
                self.database.write(self.row);
                Ended::Committed
            }
            Ending::CommitsLate => {
                sleep(Duration::from_secs(180)).await;
                self.database.write(self.row);
                Ended::Committed
            }
            Ending::CommitsWithout(store) => {
                self.database.write(self.row);
                store.fails.store(true, Ordering::SeqCst);
                Ended::Committed
            }
            Ending::Refused | Ending::Aborted => Ended::RolledBack("refused"),
            Ending::Unknown => Ended::Unknown("lost"),
        }
    }

    async fn rollback(&mut self) -> bool {
        self.rolled_back.store(true, Ordering::SeqCst);
        true
    }

    fn afterwards(&mut self) -> Outbox {
        self.outbox.clone()
    }
}

fn journal(row: &Row, through: Option<u64>) -> Journal {
    let mut journal = Journal::default();
    journal.touch(row.key.clone());
    if let Some(value) = through {
        journal.store(&HashMap::from([(row.key.clone(), entry(Some(value)))]));
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
        let writing = Writing::new(&row, Some(8), ending.clone());
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

/// What lies under the row's key.
pub(super) async fn lies(coherence: &Coherence, row: &Row) -> Lookup {
    coherence.store.get(&row.key, None).await.expect("a store")
}

pub(super) fn is_fence(lookup: &Lookup) -> bool {
    matches!(lookup, Lookup::Item { value, .. } if Fence::parse(value).is_some())
}

#[tokio::test(start_paused = true)]
async fn the_fence_outlives_its_ttl_until_the_outcome_is_known() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let outbox = Outbox::default();
    let writing = Writing::new(&row, Some(8), Ending::Unknown).with(&outbox);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    assert!(matches!(outcome, Err(CommitFailure::Unknown(_))));
    for _ in 0..10 {
        sleep(coherence.times.fence_ttl / 2).await;
        assert!(is_fence(&lies(&coherence, &row).await));
    }
    outbox.is_over.store(true, Ordering::SeqCst);
    sleep(coherence.times.commit_window).await;
    assert_eq!(lies(&coherence, &row).await, Lookup::Miss);
}

#[tokio::test(start_paused = true)]
async fn a_writer_without_its_lock_leaves_the_next_writer_a_fence() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let outbox = Outbox::default();
    let writing = Writing::new(&row, Some(8), Ending::Unknown).with(&outbox);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    assert!(matches!(outcome, Err(CommitFailure::Unknown(_))));
    let (key, ttl) = (&row.key, coherence.times.fence_ttl);
    let next = Fence::new().to_bytes();
    let stored = coherence.store.fence(key, next, ttl, cache::Over::Anything).await;
    assert!(matches!(stored, Ok(Replaced::Stored(_))));
    // It renews, finds that it is over, and goes.
    sleep(coherence.times.commit_window * 2).await;
    outbox.is_over.store(true, Ordering::SeqCst);
    sleep(coherence.times.commit_window * 2).await;
    assert!(is_fence(&lies(&coherence, &row).await));
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_takes_long_keeps_its_fence() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let writing = Writing::new(&row, Some(8), Ending::CommitsLate);
    let committing = tokio::spawn(Arc::clone(&coherence).commit(writing, journal(&row, Some(8))));
    sleep(coherence.times.fence_ttl * 3 - Duration::from_secs(1)).await;
    assert!(is_fence(&lies(&coherence, &row).await));
    assert_eq!(coherence.read(row.clone()).await, Ok(Some(7)));
    assert!(matches!(committing.await, Ok(Ok(0))));
    assert_eq!(lies(&coherence, &row).await, Lookup::Miss);
    assert_eq!(coherence.read(row).await, Ok(Some(8)));
}

#[tokio::test]
async fn a_key_that_cannot_be_fenced_goes_to_the_outbox() {
    let (store, coherence) = failing();
    let database = Database::open(Some(7));
    let row = Row::of(&database);
    let outbox = Outbox::installed();
    let writing = Writing::new(&row, Some(8), Ending::Commits).with(&outbox);
    store.fails.store(true, Ordering::SeqCst);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    assert!(matches!(outcome, Ok(0)));
    assert_eq!(outbox.keys(), std::slice::from_ref(&row.key));
    assert_eq!(database.read(), Some(8));
}

#[tokio::test]
async fn a_release_without_an_answer_goes_to_the_outbox_or_is_reported() {
    for (outbox, reported) in [(Outbox::installed(), 0), (Outbox::default(), 1)] {
        let (store, coherence) = failing();
        let database = Database::open(Some(7));
        let row = Row::of(&database);
        let writing = Writing::new(&row, Some(8), Ending::CommitsWithout(store)).with(&outbox);
        let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
        assert!(matches!(outcome, Ok(unconfirmed) if unconfirmed == reported));
        assert_eq!(outbox.keys().len(), 1 - reported);
    }
}

#[tokio::test]
async fn every_key_goes_to_the_outbox_if_that_is_wanted() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let coherence =
        Arc::new(Coherence { enlists_every_key: true, ..Arc::into_inner(coherence).expect("one") });
    let row = Row::of(&database);
    let outbox = Outbox::installed();
    let writing = Writing::new(&row, Some(8), Ending::Commits).with(&outbox);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    assert!(matches!(outcome, Ok(0)));
    assert_eq!(outbox.keys(), std::slice::from_ref(&row.key));

    let writing = Writing::new(&row, Some(9), Ending::Commits);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(9))).await;
    assert!(matches!(outcome, Err(CommitFailure::NotFenced(CacheError::NotEnlisted))));
    assert_eq!(database.read(), Some(8));
}

#[tokio::test]
async fn a_marked_fence_is_deleted_and_not_replaced() {
    let database = Database::open(Some(7));
    let row = Row::of(&database);
    let marking = Arc::new(Marking { inner: EmbeddedStore::new(1 << 20), key: row.key.clone() });
    let coherence = over(marking);
    let writing = Writing::new(&row, Some(8), Ending::Commits);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    assert!(matches!(outcome, Ok(0)));
    assert_eq!(coherence.store.get(&row.key, None).await.expect("a store"), Lookup::Miss);
}

#[tokio::test]
async fn without_the_cache_nothing_is_written() {
    let (store, coherence) = failing();
    store.fails.store(true, Ordering::SeqCst);
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

#[tokio::test(start_paused = true)]
async fn a_fence_whose_connection_breaks_is_put_again_and_is_another_one() {
    let store = Arc::new(Breaking::under(2));
    let (coherence, database) = (over(Arc::clone(&store) as _), Database::open(Some(7)));
    let row = Row::of(&database);
    let writing = Writing::new(&row, Some(8), Ending::CommitsLate);
    let committing = tokio::spawn(Arc::clone(&coherence).commit(writing, journal(&row, None)));
    sleep(Duration::from_secs(1)).await;
    let Lookup::Item { value, .. } = lies(&coherence, &row).await else { panic!("no fence") };
    let put = Fence::parse(&value).expect("a fence");
    let lost = store.on_their_way.lock().expect("no panic").clone();
    let [first, second] = &lost[..] else { panic!("{} were lost", lost.len()) };
    let [first, second] = [first, second].map(|lost| Fence::parse(lost).expect("a fence"));
    assert!(!first.same_writer(second) && !put.same_writer(first) && !put.same_writer(second));

    // It comes late, and may lie in the place of the next writer's: it stays.
    let (ttl, late) = (coherence.times.fence_ttl * 10, first.to_bytes());
    store.inner.fence(&row.key, late, ttl, cache::Over::Anything).await.expect("a store");
    assert!(matches!(committing.await, Ok(Ok(0))));
    assert!(is_fence(&lies(&coherence, &row).await));
    assert_eq!(coherence.read(row).await, Ok(Some(8)));
}

#[tokio::test(start_paused = true)]
async fn a_fence_whose_connection_breaks_again_and_again_is_given_up_in_time() {
    let coherence = over(Arc::new(Breaking::under(usize::MAX)));
    let database = Database::open(Some(7));
    let row = Row::of(&database);
    let writing = Writing::new(&row, Some(8), Ending::Commits);
    let began = tokio::time::Instant::now();
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    let Err(CommitFailure::NotFenced(error)) = outcome else { panic!("it was fenced") };
    assert!(matches!(error, CacheError::Disconnected { .. }), "{error}");
    assert_eq!(began.elapsed(), coherence.times.write_timeout);
    assert_eq!(database.read(), Some(7));
}

/// The fences of a large transaction are seconds old when COMMIT is sent.
#[tokio::test(start_paused = true)]
async fn a_fence_that_lives_hardly_longer_than_the_window_is_renewed_before_its_end() {
    let store = Slow { inner: EmbeddedStore::new(1 << 20), by: Duration::from_millis(400) };
    let coherence = over(Arc::new(store));
    let times = Times {
        fence_ttl: Duration::from_secs(6),
        renew_after: Duration::from_secs(3),
        ..coherence.times
    };
    let coherence =
        Arc::new(Coherence { times, ..Arc::into_inner(coherence).expect("one handle") });
    let database = Database::open(Some(7));
    let row = Row::of(&database);
    let mut journal = journal(&row, None);
    for id in 2..=COMMANDS_AT_ONCE as u64 * 10 {
        journal.touch(CacheKey::of_parts(
            &crate::key::Namespace::default(),
            "rows",
            &[id.to_string()],
        ));
    }
    let writing = Writing::new(&row, Some(8), Ending::CommitsLate);
    let committing = tokio::spawn(Arc::clone(&coherence).commit(writing, journal));
    // Four seconds of fences, and then three minutes of COMMIT.
    sleep(Duration::from_millis(4100)).await;
    for _ in 0..300 {
        assert!(is_fence(&lies(&coherence, &row).await));
        sleep(Duration::from_millis(500)).await;
    }
    assert!(matches!(committing.await, Ok(Ok(0))));
}

/// The database is gone as well: nobody answers whether it was committed.
#[tokio::test(start_paused = true)]
async fn fences_do_not_wait_for_a_database_that_does_not_answer() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let outbox = Outbox { answers_after: Duration::from_secs(600), ..Outbox::default() };
    let writing = Writing::new(&row, Some(8), Ending::Unknown).with(&outbox);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row, Some(8))).await;
    assert!(matches!(outcome, Err(CommitFailure::Unknown(_))));
    for _ in 0..590 {
        sleep(Duration::from_secs(1)).await;
        assert!(is_fence(&lies(&coherence, &row).await));
    }
}
