//! How long it takes until reads are hits again.

use super::{TASKS, reads::Cached};
use crate::results::Results;
use benches::{Result, contestant::Reader as _, drive::Rng, item::WorkingSet};
use cached_orm::{Orm, Postgres};
use rand::{RngExt as _, SeedableRng as _};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How often it is looked how many hits there were.
const WINDOW: Duration = Duration::from_millis(20);
/// A server in its hold-off does not take as long.
const GIVE_UP: Duration = Duration::from_secs(30);

/// When there were hits again.
pub(super) struct Comeback {
    /// The first one.
    first: Duration,
    /// Nine of ten reads.
    most: Duration,
}

/// Reads until nine of ten reads are hits, with as many tasks as are measured.
pub(super) async fn until_hits(orm: &Orm<Postgres>, set: &WorkingSet) -> Result<Comeback> {
    let is_over = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..TASKS as u64)
        .map(|task| {
            let (orm, set, is_over) = (orm.clone(), set.clone(), Arc::clone(&is_over));
            tokio::spawn(async move {
                let reader = Cached(orm);
                let mut rng = Rng::seed_from_u64(task);
                while !is_over.load(Ordering::Relaxed) {
                    let wanted = &set.0[rng.random_range(0..set.0.len())];
                    let row = reader.read(wanted).await?;
                    if !row.is_some_and(|row| reader.is_right(wanted, &row)) {
                        let id = wanted.item.id;
                        return Err(format!("a wrong row or none for id {id}").into());
                    }
                }
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        })
        .collect();
    let comeback = watch(orm).await;
    is_over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await??;
    }
    comeback
}

async fn watch(orm: &Orm<Postgres>) -> Result<Comeback> {
    let begun = Instant::now();
    let mut before = orm.statistics();
    let mut first = None;
    while begun.elapsed() < GIVE_UP {
        sleep(WINDOW).await;
        let now = orm.statistics();
        let (hits, loads) = (now.hits - before.hits, now.loads - before.loads);
        before = now;
        if hits > 0 {
            let first = *first.get_or_insert_with(|| begun.elapsed());
            if hits >= 9 * loads {
                return Ok(Comeback { first, most: begun.elapsed() });
            }
        }
    }
    Err(format!("after {GIVE_UP:?} fewer than nine of ten reads are hits").into())
}

/// Notes it.
pub(super) fn note(results: &mut Results, after: &str, comeback: &Comeback) {
    for (what, time) in [
        ("until the first hit", comeback.first),
        ("until nine of ten reads are hits", comeback.most),
    ] {
        let name = format!("after {after}: {what}");
        results.fact("cache-dead", name, time.as_secs_f64() * 1e3, "ms");
    }
}
