use super::{Shared, Worker, bulk, reader};
use crate::{
    engines::Engine,
    rows::{HotRowOf, KEYS},
};
use cached_orm::{Committed, Error, Orm, Result, Transaction};
use rand::{RngExt, rngs::StdRng};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// Writes until it is over.
pub(super) async fn run<DB: Engine, T: HotRowOf<DB>>(worker: Worker<DB>, pause: Duration) {
    let Worker { orm, shared, is_over, mut rng } = worker;
    while !is_over.load(Ordering::Relaxed) {
        sleep(pause.mul_f64(rng.random_range(0.0..2.0))).await;
        // A failure is no fault of the writer's, and was counted.
        let writer = Writer { orm: &orm, shared: &shared, rng: &mut rng };
        if writer.rng.random_bool(0.4) {
            drop(writer.write_alone::<T>().await);
        } else {
            drop(writer.write_in_transaction::<T>().await);
        }
    }
}

struct Writer<'w, DB: Engine> {
    orm: &'w Orm<DB>,
    shared: &'w Shared,
    rng: &'w mut StdRng,
}

/// A write that waits for its transaction's end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    pub(super) key: i64,
    pub(super) revision: i64,
    pub(super) attempt: i64,
}

impl<DB: Engine> Writer<'_, DB> {
    /// `update(&orm)` or `insert(&orm)`: the row that was written takes its
    /// fence's place in the cache.
    async fn write_alone<T: HotRowOf<DB>>(self) -> Result<()> {
        let Self { orm, shared, rng } = self;
        let key = rng.random_range(0..KEYS);
        let lock = shared.key_lock(key);
        let _alone = if DB::KEYS_ARE_LOCKED_BY_US { Some(lock.write().await) } else { None };
        let found = reader::fetch::<DB, T>(orm, shared, key).await?;
        let latest = match &found {
            // If the row is old, or another writer overtakes this one, triggers
            // refuse the update.
            Some(row) if !DB::KEYS_ARE_LOCKED_BY_US => row.revision(),
            _ => match DB::latest(orm.pool(), key).await {
                Ok(latest) => latest,
                Err(_) => return Ok(()),
            },
        };
        let write = self::begin(shared, key, latest + 1, "alone");
        let mut row = T::new(key, write.revision, write.attempt);
        let way = rng.random_range(0..10);
        let writing = async {
            match found {
                _ if way < 2 => row.upsert(orm).await.map(drop),
                Some(_) if way < 4 => row.patch_all(orm).await,
                Some(_) => row.update(orm).await,
                None => row.insert(orm).await.map(drop),
            }
        };
        // On a database whose writers we keep apart nobody may write on unseen.
        let patience = if rng.random_bool(0.1) && !DB::KEYS_ARE_LOCKED_BY_US {
            Duration::from_micros(rng.random_range(0..8000))
        } else {
            Duration::MAX
        };
        let written = timeout(patience, writing).await;
        conclude(shared, &[write], written.ok());
        Ok(())
    }

    /// One to four keys in one transaction, which may end in every way.
    async fn write_in_transaction<T: HotRowOf<DB>>(self) -> Result<()> {
        let Self { orm, shared, rng } = self;
        let mut keys: Vec<_> =
            (0..rng.random_range(1..=4)).map(|_| rng.random_range(0..KEYS)).collect();
        // In one order, as everybody who wants no deadlocks does.
        keys.sort_unstable();
        keys.dedup();
        let mut shared_locks = Vec::new();
        if DB::KEYS_ARE_LOCKED_BY_US {
            for &key in &keys {
                shared_locks.push(shared.key_lock(key).read().await);
            }
        }
        let mut transaction = orm.begin().await?;
        let mut begun = Begun { shared, pending: Vec::new() };
        if rng.random_bool(0.25) {
            bulk::write::<DB, T>(&mut transaction, &mut begun, &keys, rng).await?;
            shared.counts.bulks.add_one();
        } else {
            for key in keys {
                if rng.random_bool(0.15) {
                    write_and_go_back::<DB, T>(&mut transaction, &mut begun, key, rng).await?;
                }
                write::<DB, T>(&mut transaction, &mut begun, key, rng).await?;
            }
        }
        let writes = std::mem::take(&mut begun.pending);
        match rng.random_range(0..100) {
            0..6 => {
                // Noted first: what is rolled back must not be seen from now on.
                roll_back(shared, &writes, "on purpose");
                transaction.rollback().await
            }
            6..10 => {
                drop(transaction);
                roll_back(shared, &writes, "dropped");
                Ok(())
            }
            10..18 => {
                let patience = Duration::from_micros(rng.random_range(0..5000));
                let ended = timeout(patience, transaction.commit()).await;
                if ended.is_err() && DB::KEYS_ARE_LOCKED_BY_US {
                    // The commit goes on by itself, and nobody may write
                    // unseen: this waits until it is through.
                    drop(orm.begin().await);
                }
                conclude(
                    shared,
                    &writes,
                    ended.ok().map(|ended| ended.map(|ended| count(shared, ended))),
                );
                Ok(())
            }
            _ => {
                let ended = transaction.commit().await.map(|ended| count(shared, ended));
                conclude(shared, &writes, Some(ended));
                Ok(())
            }
        }
    }
}

fn count(shared: &Shared, committed: Committed) {
    if committed.release_unconfirmed > 0 {
        shared.counts.release_unconfirmed.add_one();
    }
}

/// The writes of a transaction under way: rolled back, unless they are taken out.
pub(super) struct Begun<'s> {
    pub(super) shared: &'s Shared,
    pub(super) pending: Vec<Pending>,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        roll_back(self.shared, &self.pending, "failed before COMMIT");
    }
}

/// A write in a savepoint that is undone.
async fn write_and_go_back<DB: Engine, T: HotRowOf<DB>>(
    transaction: &mut Transaction<DB>,
    begun: &mut Begun<'_>,
    key: i64,
    rng: &mut StdRng,
) -> Result<()> {
    let mut savepoint = transaction.savepoint().await?;
    let locked = DB::lock(&mut savepoint, key).await.map_err(failed)?;
    let write = self::begin(begun.shared, key, locked.revision + 1, "in a savepoint");
    roll_back(begun.shared, &[write], "savepoint");
    let mut row = T::new(key, write.revision, write.attempt);
    if !locked.is_present {
        row.insert(&mut savepoint).await?;
    } else if rng.random_bool(0.5) {
        row.update(&mut savepoint).await?;
    } else {
        row.delete(&mut savepoint).await?;
    }
    if rng.random_bool(0.5) {
        savepoint.rollback().await
    } else {
        drop(savepoint);
        Ok(())
    }
}

/// Gives the key its next state: another row, or none.
async fn write<DB: Engine, T: HotRowOf<DB>>(
    transaction: &mut Transaction<DB>,
    begun: &mut Begun<'_>,
    key: i64,
    rng: &mut StdRng,
) -> Result<()> {
    let locked = DB::lock(transaction, key).await.map_err(failed)?;
    let mut revision = locked.revision + 1;
    if locked.is_present && rng.random_bool(0.12) {
        let write = self::begin(begun.shared, key, revision, "deletes");
        begun.pending.push(write);
        T::new(key, revision, write.attempt).delete(&mut *transaction).await?;
        // Readers may see it as soon as COMMIT is sent.
        begun.shared.history.may_be_absent(key, revision, write.attempt);
        return DB::note_revision(transaction, key, revision).await.map_err(failed);
    }
    let mut write = self::begin(begun.shared, key, revision, "writes");
    begun.pending.push(write);
    let mut row = T::new(key, revision, write.attempt);
    if !locked.is_present {
        if rng.random_bool(0.2) {
            // Meets no row, and must not touch the cache.
            let missed = row.update(&mut *transaction).await;
            assert!(!matches!(missed, Ok(())), "an update of a row that is not there");
        }
        row.insert(&mut *transaction).await?;
    } else {
        row.update(&mut *transaction).await?;
    }
    if rng.random_bool(0.1) {
        // Once more: what was written first is never to be seen.
        roll_back(begun.shared, &[write], "overwritten");
        begun.pending.retain(|pending| pending.key != key);
        revision += 1;
        write = self::begin(begun.shared, key, revision, "overwrites");
        begun.pending.push(write);
        row = T::new(key, revision, write.attempt);
        row.update(&mut *transaction).await?;
    }
    DB::note_revision(transaction, key, revision).await.map_err(failed)
}

/// An error of SQL that is not the library's.
pub(super) fn failed(error: sqlx::Error) -> Error {
    Error::Connect { source: Arc::new(error) }
}

pub(super) fn begin(shared: &Shared, key: i64, revision: i64, what: &str) -> Pending {
    Pending { key, revision, attempt: shared.history.begin_write(key, revision, what) }
}

fn roll_back(shared: &Shared, writes: &[Pending], why: &str) {
    for write in writes {
        shared.counts.rolled_back.add_one();
        shared.history.rolled_back(write.key, write.attempt, why);
    }
}

/// Notes how a write ended; `None` if its future was dropped.
fn conclude(shared: &Shared, writes: &[Pending], ended: Option<Result<()>>) {
    match ended {
        Some(Ok(())) => {
            for write in writes {
                shared.counts.acknowledged.add_one();
                shared.history.acknowledge(write.key, write.revision, write.attempt);
            }
        }
        None => unknown(shared, writes, "cancelled"),
        Some(Err(error @ (Error::CommitUnknown { .. } | Error::ShuttingDown { .. }))) => {
            unknown(shared, writes, &error.to_string());
        }
        Some(Err(error)) => {
            if matches!(error, Error::NotFenced { .. }) {
                shared.counts.not_fenced.add_one();
            }
            roll_back(shared, writes, &error.to_string());
        }
    }
}

fn unknown(shared: &Shared, writes: &[Pending], why: &str) {
    for write in writes {
        shared.counts.unknown.add_one();
        shared.history.unknown(write.key, write.attempt, why);
    }
}
