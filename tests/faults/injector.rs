//! Does what the schedule says: one task for each server, and one for the
//! database, so that faults overlap.

use crate::proxies::DatabaseProxy;
use crate::{
    engines::Engine,
    report::Tally,
    schedule::{CacheFault, DatabaseFault},
    servers::{DatabaseServer, flood},
    stage::{CacheServer, HOLD_OFF, Stage},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// How many faults are still to come.
struct Remaining(AtomicUsize);

impl Remaining {
    fn take_one(&self) -> bool {
        let taken =
            self.0.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.is_ok()
    }
}

/// Injects so many faults, and returns when the last one is over.
pub(crate) async fn inject<DB: Engine>(
    stage: &Stage<DB>,
    faults: usize,
    seed: u64,
    tally: &Arc<Tally>,
) {
    let remaining = Arc::new(Remaining(AtomicUsize::new(faults)));
    let mut tasks = JoinSet::new();
    for (number, cache) in stage.caches.iter().enumerate() {
        let rng = StdRng::seed_from_u64(seed.wrapping_add(number as u64 + 1));
        let (cache, tally) = (Arc::clone(cache), Arc::clone(tally));
        tasks.spawn(harm_cache(number, cache, rng, Arc::clone(&remaining), tally));
    }
    if let (Some(database), Some(proxy)) = (&stage.database, &stage.database_proxy) {
        let rng = StdRng::seed_from_u64(seed);
        let (database, proxy) = (Arc::clone(database), Arc::clone(proxy));
        tasks.spawn(harm_database(database, proxy, rng, remaining, Arc::clone(tally)));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no injector panics");
    }
}

async fn harm_cache(
    number: usize,
    cache: Arc<CacheServer>,
    mut rng: StdRng,
    remaining: Arc<Remaining>,
    tally: Arc<Tally>,
) {
    let mut fillable_at = Instant::now() + HOLD_OFF;
    while remaining.take_one() {
        let fault = CacheFault::draw(&mut rng);
        let turn = cache.turn.lock().await;
        tally.began(fault.kind(), format!("server {number}: {fault:?}"));
        let began = SystemTime::now();
        match fault {
            CacheFault::Restart(pause) => {
                cache.memcached.kill();
                sleep(pause).await;
                cache.memcached.start().await;
                // The library counts up to three seconds less than there were.
                fillable_at = Instant::now() + HOLD_OFF + Duration::from_secs(2);
            }
            CacheFault::Stop(time) => {
                cache.memcached.stop();
                sleep(time).await;
                cache.memcached.go_on();
            }
            CacheFault::RowsEvicted => {
                // The sizes of the rows' slabs, and some for the leases'.
                for size in [120, 180, 260, 340] {
                    drop(flood(&cache.memcached.address(), 12_000, size).await);
                }
                drop(flood(&cache.memcached.address(), 2_000, 1).await);
            }
            CacheFault::Disturbed(disturbance, time) => {
                cache.proxy.disturb(Some(disturbance));
                sleep(time).await;
                cache.proxy.disturb(None);
            }
        }
        tally.ended(format!("server {number}: over"));
        if !matches!(fault, CacheFault::RowsEvicted) {
            tally.was_out(Some(number), began);
        }
        drop(turn);
        // Mostly until the server has rows again, for otherwise there is nothing
        // to be stale; but now and then the next blow comes at once.
        if rng.random_bool(0.75) {
            tokio::time::sleep_until(fillable_at).await;
        }
        sleep(Duration::from_millis(rng.random_range(50..2000))).await;
    }
}

async fn harm_database(
    database: Arc<DatabaseServer>,
    proxy: Arc<DatabaseProxy>,
    mut rng: StdRng,
    remaining: Arc<Remaining>,
    tally: Arc<Tally>,
) {
    while remaining.take_one() {
        let fault = DatabaseFault::draw(&mut rng);
        tally.began(fault.kind(), format!("database: {fault:?}"));
        let began = SystemTime::now();
        match fault {
            DatabaseFault::Killed(pause) => {
                database.kill();
                sleep(pause).await;
                database.start().await;
            }
            DatabaseFault::Restarted => {
                database.shut_down().await;
                database.start().await;
            }
            DatabaseFault::Stopped(time) => {
                let stopped = database.stop();
                sleep(time).await;
                database.go_on(&stopped);
            }
            DatabaseFault::Cut(cut) => {
                let cuts = proxy.cuts();
                proxy.cut_next_commit(cut);
                let deadline = Instant::now() + Duration::from_secs(5);
                while proxy.cuts() == cuts && Instant::now() < deadline {
                    sleep(Duration::from_millis(5)).await;
                }
            }
            DatabaseFault::Reset => proxy.reset(),
        }
        tally.ended("database: over".to_owned());
        if !matches!(fault, DatabaseFault::Cut(_) | DatabaseFault::Reset) {
            tally.was_out(None, began);
        }
        let pause = match fault {
            // The connections come back, and are used for a while.
            DatabaseFault::Killed(_) | DatabaseFault::Restarted => 1500..4000,
            _ => 200..1200,
        };
        sleep(Duration::from_millis(rng.random_range(pause))).await;
    }
}
