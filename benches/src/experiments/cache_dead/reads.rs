//! Reads that go on whatever comes, and count what was not as it should be.

use benches::{
    Result,
    contestant::Reader,
    drive::{Operation, Outcome, Rng},
    item::{Item, Wanted, WorkingSet},
};
use cached_orm::{Orm, Postgres};
use rand::RngExt as _;
use sqlx::PgPool;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Items, by cached-orm.
pub(super) struct Cached(pub(super) Orm<Postgres>);

impl Reader for Cached {
    type Row = Item;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
        Ok(Item::fetch(&self.0, wanted.item.id).await?)
    }

    fn is_right(&self, wanted: &Wanted, row: &Item) -> bool {
        wanted.item == *row
    }

    fn loads(&self) -> u64 {
        self.0.statistics().loads
    }
}

/// Items, from the database.
pub(super) struct Plain(pub(super) PgPool);

impl Reader for Plain {
    type Row = Item;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
        let sql = "SELECT id, handle, owner, kind, active, score, title, note, created, revision
            FROM items WHERE id = $1";
        Ok(sqlx::query_as(sql).bind(wanted.item.id).fetch_optional(&self.0).await?)
    }

    fn is_right(&self, wanted: &Wanted, row: &Item) -> bool {
        wanted.item == *row
    }

    /// Each read is one, and that is no news.
    fn loads(&self) -> u64 {
        0
    }
}

/// What was not as it should be.
pub(super) struct Counts {
    pub(super) failures: u64,
    pub(super) wrong: u64,
    pub(super) longest: Duration,
}

/// Reads by chance from a working set. A failure does not end them.
pub(super) struct Reads<R> {
    reader: R,
    set: WorkingSet,
    failures: AtomicU64,
    wrong: AtomicU64,
    longest_nanos: AtomicU64,
}

impl<R: Reader> Reads<R> {
    pub(super) fn new(reader: R, set: WorkingSet) -> Self {
        Self {
            reader,
            set,
            failures: AtomicU64::default(),
            wrong: AtomicU64::default(),
            longest_nanos: AtomicU64::default(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            failures: self.failures.load(Ordering::Relaxed),
            wrong: self.wrong.load(Ordering::Relaxed),
            longest: Duration::from_nanos(self.longest_nanos.load(Ordering::Relaxed)),
        }
    }
}

impl<R: Reader> Operation for Reads<R> {
    async fn once(&self, rng: &mut Rng) -> Result<Outcome> {
        let wanted = &self.set.0[rng.random_range(0..self.set.0.len())];
        let begun = Instant::now();
        let answer = self.reader.read(wanted).await;
        let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.longest_nanos.fetch_max(nanos, Ordering::Relaxed);
        match answer {
            Ok(Some(row)) if self.reader.is_right(wanted, &row) => Ok(Outcome::right(1)),
            Ok(_) => {
                self.wrong.fetch_add(1, Ordering::Relaxed);
                Ok(Outcome::right(0))
            }
            Err(_) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                Ok(Outcome::right(0))
            }
        }
    }

    fn loads(&self) -> u64 {
        self.reader.loads()
    }
}
