//! Several tasks that run into timeouts, on a few rows and a small pool. Each row has
//! a counter that everybody increases: it must have been moved by what was
//! acknowledged, and by no more than what may have been done besides.

use super::{Database, Stage};
use crate::{
    cut::seconds,
    tables::{Person, PersonColumns},
};
use cached_orm::{AuditOptions, Error, MemcachedOrm as _, Orm};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use sqlx::AssertSqlSafe;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::time::timeout;

const ROWS: i64 = 4;
const TASKS: u64 = 6;
/// How long the short form takes.
const SHORT: Duration = Duration::from_secs(12);
/// The longest time after which something is dropped, if it is.
const MOST_MICROS: u64 = 50_000;

/// Why a transaction was given up; in any case it was not committed, or says so.
enum Failure {
    Library(Error),
    Statement,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(_: sqlx::Error) -> Self {
        Self::Statement
    }
}

/// How often something was done.
#[derive(Debug, Default)]
struct Count {
    acknowledged: AtomicI64,
    /// Dropped, or of unknown outcome.
    perhaps: AtomicI64,
    refused: AtomicI64,
}

impl Count {
    /// Notes what became of it, if it was not dropped.
    fn note<E: Into<Failure>>(&self, outcome: Option<Result<(), E>>) {
        let count = match outcome.map(|outcome| outcome.map_err(Into::into)) {
            Some(Ok(())) => &self.acknowledged,
            None => &self.perhaps,
            Some(Err(Failure::Library(
                Error::CommitUnknown { .. } | Error::ShuttingDown { .. },
            ))) => &self.perhaps,
            Some(Err(_)) => &self.refused,
        };
        count.fetch_add(1, Ordering::SeqCst);
    }

    fn acknowledged(&self) -> i64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    fn allows(&self, found: i64) -> bool {
        let acknowledged = self.acknowledged();
        (acknowledged..=acknowledged + self.perhaps.load(Ordering::SeqCst)).contains(&found)
    }
}

#[derive(Debug, Default)]
struct Counts {
    rows: [Count; ROWS as usize],
    notes: Count,
    reads: Count,
    others: Count,
}

impl Counts {
    fn of(&self, id: i64) -> &Count {
        &self.rows[usize::try_from(id - 1).unwrap()]
    }
}

fn increase(id: i64) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("UPDATE people SET counter = counter + 1 WHERE id = {id}"))
}

/// Increases a row's counter, among other things that may be done in a transaction.
async fn in_transaction(
    orm: &Orm<Database>,
    id: i64,
    mut random: StdRng,
) -> Result<(), Failure> {
    let mut transaction = orm.begin().await?;
    if random.random_bool(0.5) {
        transaction.savepoint().await?.rollback().await?;
    }
    transaction.touch::<Person>(id).await?;
    match random.random_range(0..4) {
        0 => {
            sqlx::query(increase(id)).execute(&mut *transaction).await?;
        }
        1 => {
            let mut part = transaction.savepoint().await?;
            sqlx::query(increase(id)).execute(&mut *part).await?;
            part.commit().await?;
        }
        2 => {
            let mut undone = transaction.savepoint().await?;
            sqlx::query(increase(id)).execute(&mut *undone).await?;
            if random.random_bool(0.5) {
                undone.rollback().await?;
            } else {
                drop(undone);
            }
            sqlx::query(increase(id)).execute(&mut *transaction).await?;
        }
        _ => {
            sqlx::query(increase(id)).execute(&mut *transaction).await?;
            let mut part = transaction.savepoint().await?;
            let patch = Person::patch(id).set(PersonColumns::NAME, "part");
            patch.execute(&mut part).await?;
            let ending = Duration::from_micros(random.random_range(0..3_000));
            // It may be dropped, and then the transaction with it.
            let _ = timeout(ending, part.commit()).await;
        }
    }
    if random.random_bool(0.3) {
        let reading = Duration::from_micros(random.random_range(0..3_000));
        let _ = timeout(reading, Person::fetch(&mut transaction, id)).await;
    }
    if random.random_bool(0.3) {
        Person::fetch(&mut transaction, id).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn step(stage: &Stage, counts: &Counts, random: &mut StdRng) {
    let orm = &stage.orm;
    let id = random.random_range(1..=ROWS);
    let time = match random.random_bool(0.6) {
        true => Duration::from_micros(random.random_range(0..MOST_MICROS)),
        false => Duration::from_secs(60),
    };
    match random.random_range(0..100) {
        0..40 => {
            let done = timeout(time, in_transaction(orm, id, random.fork())).await;
            counts.of(id).note(done.ok());
        }
        40..55 => {
            let patch = Person::patch(id).set(PersonColumns::NAME, format!("n{id}"));
            let done = timeout(time, patch.execute(orm)).await;
            counts.others.note(done.ok().map(|done| done.map(drop)));
        }
        55..75 => {
            let acknowledged = counts.of(id).acknowledged();
            let read = Person::fetch_one(orm, id).await.unwrap();
            assert!(read.counter >= acknowledged, "{} after {acknowledged}", read.counter);
            counts.reads.note(Some(Ok::<_, Error>(())));
        }
        75..85 => {
            let done = sqlx::query("INSERT INTO notes (text) VALUES ('mix')");
            let done = done.execute(orm.pool()).await;
            counts.notes.note(Some(done.map(drop)));
        }
        kind => {
            let other = async {
                match kind {
                    85..88 => orm.drain_outbox().await.map(drop),
                    88..91 => orm.begin().await.map(drop),
                    91..93 => Person::fetch_uncached(orm, id).await.map(drop),
                    93..95 => Person::fetch_all_by_field(orm, PersonColumns::COUNTER, 0)
                        .await
                        .map(drop),
                    95..97 => {
                        let keys = 1..=ROWS;
                        orm.audit::<Person>(keys, AuditOptions::default(), |_| ()).await.map(drop)
                    }
                    97..98 => orm.triggers_sql::<Person>().await.map(drop),
                    _ => {
                        let mut transaction = orm.begin().await?;
                        transaction.touch::<Person>(id).await?;
                        transaction.rollback().await
                    }
                }
            };
            let done = timeout(time, other).await;
            counts.others.note(done.ok());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_has_moved_by_what_was_acknowledged() {
    let stage = Arc::new(Stage::new().await);
    stage.orm.install_triggers::<Person>().await.unwrap();
    for id in 1..=ROWS {
        let sql = format!("INSERT INTO people VALUES ({id}, 'old', 'e{id}', 'c', 0, '')");
        stage.run(&sql).await;
    }
    let seed: u64 = match std::env::var("CANCELLATION_SEED") {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => rand::random(),
    };
    println!("CANCELLATION_SEED={seed}");
    let counts = Arc::<Counts>::default();
    let length = seconds().map_or(SHORT, Duration::from_secs);
    let began = Instant::now();
    let tasks = (0..TASKS).map(|task| {
        let (stage, counts) = (Arc::clone(&stage), Arc::clone(&counts));
        tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(seed.wrapping_add(task));
            while began.elapsed() < length {
                step(&stage, &counts, &mut random).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    stage.at_rest("the mix").await;
    println!("{counts:#?}");
    for id in 1..=ROWS {
        let sql = format!("SELECT counter FROM people WHERE id = {id}");
        let stored: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&stage.watch).await.unwrap();
        assert!(counts.of(id).allows(stored), "row {id}: {stored}, {:?}", counts.of(id));
        for _ in 0..2 {
            let read = Person::fetch_one(&stage.orm, id).await.unwrap();
            assert_eq!(read.counter, stored, "row {id}: the cache does not agree");
        }
    }
    let notes: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM notes")
        .fetch_one(&stage.watch)
        .await
        .unwrap();
    assert!(counts.notes.allows(notes), "{notes} rows of raw SQL, {:?}", counts.notes);
    assert!(counts.rows.iter().any(|row| row.acknowledged() > 0), "nothing was ever committed");
}
