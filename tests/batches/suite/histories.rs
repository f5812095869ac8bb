//! Batches beside writers: no row is older than what was acknowledged before.

use super::{Database, Here};
use crate::{
    databases::Kind,
    tables::people::{COUNTERS, Counter},
};
use cached_orm::{MemcachedOrm as _, Orm};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

/// Few, so that batches and writers meet.
const KEYS: i64 = 24;
const RUN: Duration = Duration::from_secs(3);

/// What every reader that starts now has to see.
#[derive(Default)]
struct Acknowledged {
    revisions: [AtomicI64; KEYS as usize],
    stop: AtomicBool,
    reads: AtomicU64,
    writes: AtomicU64,
}

impl Acknowledged {
    fn of(&self, id: i64) -> i64 {
        self.revisions[id as usize].load(Ordering::SeqCst)
    }

    fn note(&self, row: &Counter) {
        self.revisions[row.id as usize].fetch_max(row.revision, Ordering::SeqCst);
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }
}

async fn read(orm: Orm<Database>, known: Arc<Acknowledged>) {
    while known.goes_on() {
        let count = rand::random_range(1..=2 * KEYS);
        let ids: Vec<_> = (0..count).map(|_| rand::random_range(0..KEYS)).collect();
        let least: Vec<_> = ids.iter().map(|&id| known.of(id)).collect();
        let rows = Counter::fetch_many(&orm, ids.clone()).await.unwrap();
        assert_eq!(rows.len(), ids.len());
        for ((id, least), row) in ids.into_iter().zip(least).zip(rows) {
            let row = row.expect("no row is deleted");
            assert_eq!(row.id, id);
            assert!(row.revision >= least, "{row:?} was read after {least} was acknowledged");
            // Who has seen a revision does not want to see an older one later.
            known.note(&row);
        }
        known.reads.fetch_add(1, Ordering::Relaxed);
    }
}

async fn update(orm: Orm<Database>, known: Arc<Acknowledged>, writer: i32) {
    while known.goes_on() {
        // In one order, or two of them wait for each other.
        let mut ids: Vec<_> =
            (0..rand::random_range(1..4)).map(|_| rand::random_range(0..KEYS)).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut rows = Vec::new();
        if let [id] = ids[..] {
            let mut row = Counter { id, writer, revision: 0 };
            row.update(&orm).await.unwrap();
            rows.push(row);
        } else {
            let mut transaction = orm.begin().await.unwrap();
            for id in ids {
                let mut row = Counter { id, writer, revision: 0 };
                row.update(&mut transaction).await.unwrap();
                rows.push(row);
            }
            if rand::random_range(0..4) == 0 {
                transaction.rollback().await.unwrap();
                continue;
            }
            transaction.commit().await.unwrap();
        }
        for mut row in rows {
            // SQLite's RETURNING shows the row before the trigger that counts.
            row.revision += i64::from(Here::DATABASE == Kind::Sqlite);
            known.note(&row);
        }
        known.writes.fetch_add(1, Ordering::Relaxed);
    }
}

/// Entries come and go, so that there are misses and leases as well; and single
/// reads beside the batches.
async fn disturb(orm: Orm<Database>, known: Arc<Acknowledged>) {
    while known.goes_on() {
        let id = rand::random_range(0..KEYS);
        Counter::delete_cached_instance(&orm, id).await.unwrap();
        let least = known.of(id);
        let row = Counter::fetch_one(&orm, id).await.unwrap();
        assert!(row.revision >= least, "{row:?} after {least} was acknowledged");
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_never_returns_less_than_was_acknowledged_before_it() {
    let here = Here::with(&[COUNTERS]).await;
    for id in 0..KEYS {
        Counter { id, writer: 0, revision: 0 }.insert(&here.orm).await.unwrap();
    }
    let known = Arc::new(Acknowledged::default());
    let other = match std::any::type_name::<Here>().contains("Memcached") {
        true => here.other_handle().await,
        false => here.orm.clone(),
    };
    let mut tasks = Vec::new();
    for orm in [&here.orm, &other] {
        for _ in 0..3 {
            tasks.push(tokio::spawn(read(orm.clone(), Arc::clone(&known))));
        }
        tasks.push(tokio::spawn(update(orm.clone(), Arc::clone(&known), 1)));
        tasks.push(tokio::spawn(disturb(orm.clone(), Arc::clone(&known))));
    }
    sleep(RUN).await;
    known.stop.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    for orm in [&here.orm, &other] {
        for _ in 0..2 {
            for row in Counter::fetch_many(orm, 0..KEYS).await.unwrap() {
                let row = row.unwrap();
                assert_eq!(Counter::fetch_uncached(orm, row.id).await.unwrap(), Some(row));
            }
        }
    }
    let (reads, writes) =
        (known.reads.load(Ordering::Relaxed), known.writes.load(Ordering::Relaxed));
    assert!(reads > 50 && writes > 10, "{reads} reads and {writes} writes show nothing");
    let statistics = here.statistics();
    assert!(statistics.hits > 0 && statistics.batch_loads > 0, "{statistics:?}");
}
