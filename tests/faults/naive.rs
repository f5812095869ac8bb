//! The protocol that everybody writes first: fill what was missed by a plain
//! `set`, and `set` the new row after COMMIT. It is stale without any fault, and
//! if this harness does not see that, it sees nothing.

use crate::{
    arguments::Policy,
    engines::{Engine, pool},
    history::Offence,
    report::{Offences, Report, Tally},
    rows::{HotRow as _, KEYS, Unindexed},
    stage::Stage,
    workload::Shared,
};
use cached_orm::{MemcachedOrm as _, Orm, Persist};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::sleep,
};

const READERS: u64 = 12;
const WRITERS: u64 = 6;
/// A busy machine takes its time.
const AT_MOST: Duration = Duration::from_secs(30);

/// Runs until something stale was read, or half a minute is over.
pub(crate) async fn run<DB: Engine>(seed: u64) -> Result<Report, String>
where
    Unindexed: Persist<DB>,
{
    let stage = Stage::<DB>::set(Policy::Abort, KEYS).await?;
    stage.insert_rows().await;
    let shared = Arc::new(Shared::with_rows(KEYS));
    let is_over = Arc::new(AtomicBool::new(false));
    let address = stage.caches[0].memcached.address();
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..READERS + WRITERS {
        let rng = StdRng::seed_from_u64(seed ^ number);
        // The database past any cache: each `Orm` here is nothing but SQL.
        let orm = Orm::builder(pool::<DB>(stage.options(), 1)).uncached().build().await;
        let orm = orm.map_err(|error| error.to_string())?;
        let wire = Wire::to(&address).await.map_err(|error| error.to_string())?;
        let (shared, is_over) = (Arc::clone(&shared), Arc::clone(&is_over));
        let work = Work { orm, wire, shared, is_over, rng };
        if number < READERS {
            tasks.spawn(work.read());
        } else {
            tasks.spawn(work.write());
        }
    }
    let tally = Tally::new();
    let mut offences = Offences::silent();
    while offences.of(Offence::Stale) == 0 && began.elapsed() < AT_MOST {
        sleep(Duration::from_millis(20)).await;
        for violation in shared.history.take_violations() {
            offences.add(&violation, &tally);
        }
    }
    let caught_after = began.elapsed();
    is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no reader or writer panics");
    }
    let mut report = Report::new(format!("{}, the naive protocol", DB::TITLE), seed);
    report.took = caught_after;
    report.row("reads", shared.counts.reads.get());
    report.row("writes acknowledged", shared.counts.acknowledged.get());
    report.row("stale after acknowledgement", offences.of(Offence::Stale));
    report.row("caught after", format!("{:.3} s", caught_after.as_secs_f64()));
    if offences.of(Offence::Stale) == 0 {
        report.failures.push("the naive protocol was not caught: the harness is blind".to_owned());
    }
    Ok(report)
}

struct Work<DB: Engine> {
    orm: Orm<DB>,
    wire: Wire,
    shared: Arc<Shared>,
    is_over: Arc<AtomicBool>,
    rng: StdRng,
}

impl<DB: Engine> Work<DB>
where
    Unindexed: Persist<DB>,
{
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    async fn read(mut self) {
        while !self.is_over() {
            let key = self.rng.random_range(0..KEYS);
            let begun = self.shared.history.begin_read(key, "get");
            if let Ok(found) = self.fetch(key).await {
                self.shared.history.end_read(begun, Some(found));
                self.shared.counts.reads.add_one();
            }
        }
    }

    /// The cache, or else the database, and then the cache has it too.
    async fn fetch(&mut self, key: i64) -> cached_orm::Result<(i64, i64)> {
        if let Ok(Some(found)) = self.wire.get(key).await {
            return Ok(found);
        }
        let row = DB::Old::fetch_one(&self.orm, key.into()).await?;
        let found = (row.revision(), row.attempt());
        drop(self.wire.set(key, found).await);
        Ok(found)
    }

    async fn write(mut self) {
        while !self.is_over() {
            let key = self.rng.random_range(0..KEYS);
            // A writer that fails has written nothing.
            drop(self.update(key).await);
            if self.rng.random_bool(0.2) {
                drop(self.wire.delete(key).await);
            }
        }
    }

    /// The database, and after COMMIT the cache.
    async fn update(&mut self, key: i64) -> cached_orm::Result<()> {
        let failed = |error| cached_orm::Error::Connect { source: Arc::new(error) };
        let mut transaction = self.orm.begin().await?;
        let revision = DB::lock(&mut transaction, key).await.map_err(failed)?.revision + 1;
        let attempt = self.shared.history.begin_write(key, revision, "naively");
        let mut row = Unindexed::new(key, revision, attempt);
        let written = async {
            row.update(&mut transaction).await?;
            DB::note_revision(&mut transaction, key, revision).await.map_err(failed)?;
            transaction.commit().await
        };
        if let Err(error) = written.await {
            self.shared.history.unknown(key, attempt, &error.to_string());
            return Err(error);
        }
        drop(self.wire.set(key, (revision, attempt)).await);
        self.shared.history.acknowledge(key, revision, attempt);
        self.shared.counts.acknowledged.add_one();
        Ok(())
    }
}

/// memcached's plain protocol.
struct Wire(BufReader<TcpStream>);

impl Wire {
    async fn to(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    async fn get(&mut self, key: i64) -> io::Result<Option<(i64, i64)>> {
        let line = self.ask(&format!("get naive:{key}\r\n")).await?;
        let Some(length) = line.trim().rsplit(' ').next().filter(|_| line.starts_with("VALUE"))
        else {
            return Ok(None);
        };
        let length: usize = length.parse().map_err(io::Error::other)?;
        let mut value = vec![0; length + b"\r\nEND\r\n".len()];
        self.0.read_exact(&mut value).await?;
        let value = String::from_utf8_lossy(&value[..length]).into_owned();
        let (revision, attempt) = value.split_once(' ').unwrap_or_default();
        let number = |digits: &str| digits.parse().map_err(io::Error::other);
        Ok(Some((number(revision)?, number(attempt)?)))
    }

    async fn set(&mut self, key: i64, (revision, attempt): (i64, i64)) -> io::Result<()> {
        let value = format!("{revision} {attempt}");
        let command = format!("set naive:{key} 0 60 {}\r\n{value}\r\n", value.len());
        self.ask(&command).await.map(drop)
    }

    async fn delete(&mut self, key: i64) -> io::Result<()> {
        self.ask(&format!("delete naive:{key}\r\n")).await.map(drop)
    }

    async fn ask(&mut self, command: &str) -> io::Result<String> {
        self.0.write_all(command.as_bytes()).await?;
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        Ok(line)
    }
}
