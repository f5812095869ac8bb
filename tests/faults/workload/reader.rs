use super::{Shared, Worker, lookup};
use crate::{
    engines::Engine,
    history::Begun,
    rows::{HotRow, HotRowOf, KEYS},
};
use cached_orm::{Orm, SetOptions};
use rand::RngExt;
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// Reads until it is over.
pub(super) async fn run<DB: Engine, T: HotRowOf<DB>>(worker: Worker<DB>, pause: Duration) {
    let Worker { orm, shared, is_over, mut rng } = worker;
    let (orm, shared) = (&orm, &*shared);
    while !is_over.load(Ordering::Relaxed) {
        if pause.is_zero() {
            // Others get their turn even where every read is a hit.
            for _ in 0..60 {
                read::<DB, T>(orm, shared, rng.random_range(0..KEYS)).await;
            }
            for _ in 0..4 {
                lookup::read::<DB, T>(orm, shared, &mut rng).await;
            }
            tokio::task::yield_now().await;
            continue;
        }
        sleep(pause.mul_f64(rng.random_range(0.0..2.0))).await;
        let key = rng.random_range(0..KEYS);
        match rng.random_range(0..100) {
            // All at once, so that they share loads.
            0..5 => {
                let read = || read::<DB, T>(orm, shared, key);
                tokio::join!(read(), read(), read(), read());
            }
            5..9 => peek::<DB, T>(orm, shared, key).await,
            // A reader who goes away.
            9..12 => {
                let patience = Duration::from_micros(rng.random_range(0..2000));
                drop(timeout(patience, T::fetch(orm, key.into())).await);
            }
            12..13 => put_back::<DB, T>(orm, key).await,
            // Without having changed anything: harmless, if it is.
            13..14 => drop(T::delete_cached_instance(orm, key.into()).await),
            14..24 => lookup::read::<DB, T>(orm, shared, &mut rng).await,
            _ => read::<DB, T>(orm, shared, key).await,
        }
    }
}

/// One read, checked. Returns the row.
pub(super) async fn fetch<DB: Engine, T: HotRowOf<DB>>(
    orm: &Orm<DB>,
    shared: &Shared,
    key: i64,
) -> cached_orm::Result<Option<T>> {
    let begun = shared.history.begin_read(key, "fetch");
    let row = T::fetch(orm, key.into()).await?;
    note(shared, begun, row.as_ref());
    shared.counts.reads.add_one();
    Ok(row)
}

/// Checks what a read of a key has returned.
pub(super) fn note<T: HotRow>(shared: &Shared, begun: Begun, row: Option<&T>) {
    match row {
        Some(row) if !row.is_whole(begun.key) => shared.history.torn(begun, format!("{row:?}")),
        Some(row) => shared.history.end_read(begun, Some((row.revision(), row.attempt()))),
        None => shared.history.end_read(begun, None),
    }
}

async fn read<DB: Engine, T: HotRowOf<DB>>(orm: &Orm<DB>, shared: &Shared, key: i64) {
    let began = Instant::now();
    if let Err(error) = fetch::<DB, T>(orm, shared, key).await {
        shared.read_failed(key, &error, began.elapsed());
    }
}

/// The cache alone. It may not know the row, but must not know an old one.
async fn peek<DB: Engine, T: HotRowOf<DB>>(orm: &Orm<DB>, shared: &Shared, key: i64) {
    let begun = shared.history.begin_read(key, "get_cached_instance");
    if let Ok(Some(row)) = T::get_cached_instance(orm, key.into()).await {
        shared.history.end_read(begun, Some((row.revision(), row.attempt())));
        shared.counts.peeks.add_one();
    }
}

/// Caches a row that was read a while ago: by now it may be old.
async fn put_back<DB: Engine, T: HotRowOf<DB>>(orm: &Orm<DB>, key: i64) {
    if let Ok(Some(mut row)) = T::fetch(orm, key.into()).await {
        sleep(Duration::from_millis(5)).await;
        drop(row.set_cached_instance(orm, SetOptions::default()).await);
        drop(row.refresh(orm).await);
    }
}
