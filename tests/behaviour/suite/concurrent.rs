//! Many tasks at once, in one process.

use super::{Database, Here};
use crate::{
    databases::Kind,
    tables::people::{COUNTERS, Counter, PEOPLE, Person},
};
use cached_orm::{MemcachedOrm as _, Orm};
use futures_util::future::join_all;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Few, so that readers and writers meet.
const KEYS: i64 = 8;
const RUN: Duration = Duration::from_secs(2);

/// What every reader that starts now has to see.
#[derive(Default)]
pub(super) struct Acknowledged {
    revisions: [AtomicI64; KEYS as usize],
    stop: AtomicBool,
    pub(super) reads: AtomicU64,
    pub(super) writes: AtomicU64,
}

impl Acknowledged {
    fn of(&self, id: i64) -> i64 {
        self.revisions[id as usize].load(Ordering::SeqCst)
    }

    fn note(&self, row: &Counter) {
        self.revisions[row.id as usize].fetch_max(row.revision, Ordering::SeqCst);
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }
}

/// What `update` returned, with the number that the database gave it last:
/// SQLite's RETURNING shows the row before the trigger that counts.
fn acknowledged(mut row: Counter) -> Counter {
    if Here::DATABASE == Kind::Sqlite {
        row.revision += 1;
    }
    row
}

pub(super) async fn read(orm: Orm<Database>, known: Arc<Acknowledged>) {
    while known.goes_on() {
        let id = rand::random_range(0..KEYS);
        let least = known.of(id);
        let row = Counter::fetch_one(&orm, id).await.unwrap();
        assert!(row.revision >= least, "{row:?} was read after {least} was acknowledged");
        // Who has seen a revision does not want to see an older one later.
        known.note(&row);
        known.reads.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) async fn update(orm: Orm<Database>, known: Arc<Acknowledged>, writer: i32) {
    while known.goes_on() {
        let id = rand::random_range(0..KEYS);
        let mut row = Counter { id, writer, revision: 0 };
        row.update(&orm).await.unwrap();
        known.note(&acknowledged(row));
        known.writes.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) async fn update_in_transactions(
    orm: Orm<Database>,
    known: Arc<Acknowledged>,
    writer: i32,
) {
    while known.goes_on() {
        // In one order, or two of them wait for each other.
        let first = rand::random_range(0..KEYS - 1);
        let second = rand::random_range(first + 1..KEYS);
        let mut transaction = orm.begin().await.unwrap();
        let mut rows = Vec::new();
        for id in [first, second] {
            let mut row = Counter { id, writer, revision: 0 };
            row.update(&mut transaction).await.unwrap();
            rows.push(acknowledged(row));
        }
        if rand::random_range(0..4) == 0 {
            transaction.rollback().await.unwrap();
            continue;
        }
        transaction.commit().await.unwrap();
        rows.iter().for_each(|row| known.note(row));
        known.writes.fetch_add(1, Ordering::Relaxed);
    }
}

/// Entries come and go, so that there are misses and leases as well.
pub(super) async fn disturb(orm: Orm<Database>, known: Arc<Acknowledged>) {
    while known.goes_on() {
        let id = rand::random_range(0..KEYS);
        Counter::delete_cached_instance(&orm, id).await.unwrap();
        let mut row = Counter { id, writer: 0, revision: 0 };
        let least = known.of(id);
        row.refresh(&orm).await.unwrap();
        assert!(row.revision >= least, "{row:?} after {least} was acknowledged");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

pub(super) async fn with_counters() -> Here {
    let here = Here::with(&[COUNTERS]).await;
    for id in 0..KEYS {
        Counter { id, writer: 0, revision: 0 }.insert(&here.orm).await.unwrap();
    }
    here
}

pub(super) async fn assert_agreed(here: &Here, orm: &Orm<Database>) {
    for id in 0..KEYS {
        let stored = Counter::fetch_uncached(&here.orm, id).await.unwrap();
        assert_eq!(Counter::fetch(orm, id).await.unwrap(), stored);
        assert_eq!(Counter::fetch(orm, id).await.unwrap(), stored);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_readers_of_one_cold_key_load_it_once() {
    let here = Here::with(&[PEOPLE]).await;
    here.run("INSERT INTO people (email, name) VALUES ('ann@example.org', 'Ann')").await;
    let readers = (0..64).map(|_| {
        let orm = here.orm.clone();
        tokio::spawn(async move { Person::fetch_one(&orm, 1).await.unwrap().name })
    });
    for name in join_all(readers).await {
        assert_eq!(name.unwrap(), "Ann");
    }
    let statistics = here.statistics();
    assert_eq!(statistics.loads, 1, "{statistics:?}");
    assert_eq!(statistics.hits + statistics.coalesced + statistics.misses, 64, "{statistics:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_that_nothing_is_cached_for_share_loads_and_none_is_forgotten() {
    let here = Here::built(&[PEOPLE], |builder| builder.uncached()).await;
    here.run("INSERT INTO people (email, name) VALUES ('ann@example.org', 'Ann')").await;
    let readers = (0..8).map(|_| {
        let orm = here.orm.clone();
        tokio::spawn(async move {
            // Loads end and begin all the time, and each other's waiters must not
            // go with them.
            for _ in 0..200 {
                assert_eq!(Person::fetch_one(&orm, 1).await.unwrap().name, "Ann");
            }
        })
    });
    for reader in join_all(readers).await {
        reader.unwrap();
    }
    let statistics = here.statistics();
    assert_eq!(statistics.misses, 1600);
    assert_eq!(statistics.loads + statistics.coalesced, 1600, "{statistics:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_never_returns_less_than_was_acknowledged_before_it() {
    let here = with_counters().await;
    let known = Arc::new(Acknowledged::default());
    let orm = || here.orm.clone();
    let mut tasks = Vec::new();
    for _ in 0..6 {
        tasks.push(tokio::spawn(read(orm(), Arc::clone(&known))));
    }
    for writer in 0..2 {
        tasks.push(tokio::spawn(update(orm(), Arc::clone(&known), writer)));
        tasks.push(tokio::spawn(update_in_transactions(orm(), Arc::clone(&known), writer + 10)));
    }
    tasks.push(tokio::spawn(disturb(orm(), Arc::clone(&known))));
    tokio::time::sleep(RUN).await;
    known.stop();
    for task in tasks {
        task.await.unwrap();
    }
    assert_agreed(&here, &here.orm).await;

    let (reads, writes) =
        (known.reads.load(Ordering::Relaxed), known.writes.load(Ordering::Relaxed));
    assert!(reads > 50 && writes > 10, "{reads} reads and {writes} writes show nothing");
    assert!(here.statistics().hits > 0, "{:?}", here.statistics());
}
