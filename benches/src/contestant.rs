//! What a contestant can do, and the workloads made of that.

use crate::{
    Result,
    drive::{Operation, Outcome, Rng},
    item::{Item, Wanted, WorkingSet},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rand::RngExt as _;
use std::sync::atomic::{AtomicI64, Ordering};

/// How many rows are read at once to fill a cache.
const PREPARING: usize = 16;

/// Reads a row by its primary key.
pub trait Reader: Send + Sync + 'static {
    /// What it reads.
    type Row: Send;

    /// The row, from wherever the contestant would take it.
    fn read(&self, wanted: &Wanted) -> impl Future<Output = Result<Option<Self::Row>>> + Send;

    /// Whether this is the row that was wanted, byte for byte.
    fn is_right(&self, wanted: &Wanted, row: &Self::Row) -> bool;

    /// How many rows the contestant has asked of a database so far.
    fn loads(&self) -> u64;
}

/// Reads many rows at once.
pub trait ManyReader: Reader {
    /// The rows, in the order in which they were wanted.
    fn read_many(
        &self,
        wanted: &[&Wanted],
    ) -> impl Future<Output = Result<Vec<Option<Self::Row>>>> + Send;
}

/// Reads a row by its handle.
pub trait UniqueReader: Reader {
    /// The row with the handle of the wanted one.
    fn read_by_handle(
        &self,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Option<Self::Row>>> + Send;
}

/// Writes a row in a transaction of its own, and does about the cache what it does.
pub trait Writer: Send + Sync + 'static {
    /// Writes every column of the row; it is acknowledged when this returns.
    fn write(&self, row: Item) -> impl Future<Output = Result<()>> + Send;
}

/// Reads rows that the cache has.
#[derive(Debug)]
pub struct Hits<R> {
    /// Who reads.
    pub reader: R,
    /// What is read.
    pub set: WorkingSet,
}

impl<R: Reader> Hits<R> {
    /// Reads every row, so that the cache has them.
    ///
    /// # Errors
    /// A row that is missing or wrong.
    pub async fn prepare(&self) -> Result<()> {
        let reads = self.set.0.iter().map(|wanted| async move {
            checked(&self.reader, wanted, self.reader.read(wanted).await?)
        });
        stream::iter(reads).buffer_unordered(PREPARING).try_collect().await
    }
}

impl<R: Reader> Operation for Hits<R> {
    async fn once(&self, rng: &mut Rng) -> Result<Outcome> {
        let wanted = &self.set.0[rng.random_range(0..self.set.0.len())];
        checked(&self.reader, wanted, self.reader.read(wanted).await?)?;
        Ok(Outcome::right(1))
    }

    fn loads(&self) -> u64 {
        self.reader.loads()
    }
}

/// Reads rows that nobody has read before.
#[derive(Debug)]
pub struct Misses<R> {
    reader: R,
    next: AtomicI64,
    rows: i64,
}

impl<R: Reader> Misses<R> {
    /// Over a table of `rows`.
    pub fn new(reader: R, rows: i64) -> Self {
        Self { reader, next: AtomicI64::new(1), rows }
    }
}

impl<R: Reader> Operation for Misses<R> {
    async fn once(&self, _: &mut Rng) -> Result<Outcome> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        if id > self.rows {
            return Err("no row is left that nobody has read; make the table larger".into());
        }
        let wanted = Wanted { place: 0, item: Item::of(id) };
        checked(&self.reader, &wanted, self.reader.read(&wanted).await?)?;
        Ok(Outcome::right(1))
    }

    fn loads(&self) -> u64 {
        self.reader.loads()
    }
}

/// Reads so many rows that the cache has at once.
#[derive(Debug)]
pub struct Many<R> {
    /// Who reads, and what.
    pub hits: Hits<R>,
    /// How many at once.
    pub count: usize,
}

impl<R: ManyReader> Operation for Many<R> {
    async fn once(&self, rng: &mut Rng) -> Result<Outcome> {
        let set = &self.hits.set.0;
        let wanted: Vec<_> =
            (0..self.count).map(|_| &set[rng.random_range(0..set.len())]).collect();
        let rows = self.hits.reader.read_many(&wanted).await?;
        if rows.len() != wanted.len() {
            return Err(format!("{} rows for {} keys", rows.len(), wanted.len()).into());
        }
        for (wanted, row) in wanted.iter().zip(rows) {
            checked(&self.hits.reader, wanted, row)?;
        }
        Ok(Outcome::right(self.count as u64))
    }

    fn loads(&self) -> u64 {
        self.hits.reader.loads()
    }
}

/// Reads rows that the cache has, by their handles.
#[derive(Debug)]
pub struct ByHandle<R>(pub Hits<R>);

impl<R: UniqueReader> ByHandle<R> {
    /// Reads every row by its handle, so that the cache has what it needs.
    ///
    /// # Errors
    /// A row that is missing or wrong.
    pub async fn prepare(&self) -> Result<()> {
        let reads = self.0.set.0.iter().map(|wanted| async move {
            checked(&self.0.reader, wanted, self.0.reader.read_by_handle(wanted).await?)
        });
        stream::iter(reads).buffer_unordered(PREPARING).try_collect().await
    }
}

impl<R: UniqueReader> Operation for ByHandle<R> {
    async fn once(&self, rng: &mut Rng) -> Result<Outcome> {
        let wanted = &self.0.set.0[rng.random_range(0..self.0.set.0.len())];
        checked(&self.0.reader, wanted, self.0.reader.read_by_handle(wanted).await?)?;
        Ok(Outcome::right(1))
    }

    fn loads(&self) -> u64 {
        self.0.reader.loads()
    }
}

/// Writes rows, each in a transaction of its own, and nobody reads.
#[derive(Debug)]
pub struct Writes<W> {
    /// Who writes.
    pub writer: W,
    /// What is written, with a new note.
    pub set: WorkingSet,
}

impl<W: Writer> Operation for Writes<W> {
    async fn once(&self, rng: &mut Rng) -> Result<Outcome> {
        let wanted = &self.set.0[rng.random_range(0..self.set.0.len())];
        self.writer.write(wanted.item.clone()).await?;
        Ok(Outcome::right(1))
    }

    fn loads(&self) -> u64 {
        0
    }
}

fn checked<R: Reader>(reader: &R, wanted: &Wanted, row: Option<R::Row>) -> Result<()> {
    match row {
        Some(row) if reader.is_right(wanted, &row) => Ok(()),
        Some(_) => Err(format!("a wrong row for id {}", wanted.item.id).into()),
        None => Err(format!("no row for id {}", wanted.item.id).into()),
    }
}
