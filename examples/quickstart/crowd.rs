use crate::{city::City, environment::Result};
use cached_orm::{Backend, MemcachedOrm, Orm, Persist};
use chrono::Utc;
use rand::{RngExt, SeedableRng, distr::Distribution, rngs::SmallRng};
use rand_distr::Zipf;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

pub(crate) const READS: usize = 200_000;
pub(crate) const READERS: usize = 64;
pub(crate) const UPDATERS: usize = 4;

/// Many tasks that read cities, and a few that update them meanwhile.
pub(crate) struct Crowd<DB: Backend> {
    orm: Orm<DB>,
    /// The cities' ids, the most popular first.
    ids: Vec<i64>,
    popularity: Zipf<f64>,
    /// For each city, the newest revision whose update has returned.
    acknowledged: HashMap<i64, AtomicI64>,
    reading: AtomicBool,
}

/// What the crowd saw.
#[derive(Default)]
pub(crate) struct Sightings {
    pub(crate) found: u64,
    /// Reads of ids that no city has.
    pub(crate) absent: u64,
    /// Reads that returned less than was acknowledged before they began.
    pub(crate) stale: u64,
    pub(crate) updates: u64,
    pub(crate) took: Duration,
}

impl<DB: Backend> Crowd<DB>
where
    City: Persist<DB>,
{
    pub(crate) fn new(orm: &Orm<DB>, ids: Vec<i64>) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            orm: orm.clone(),
            popularity: Zipf::new(ids.len() as f64, 1.0)?,
            acknowledged: ids.iter().map(|id| (*id, AtomicI64::new(0))).collect(),
            ids,
            reading: AtomicBool::new(true),
        }))
    }

    pub(crate) async fn run(self: Arc<Self>) -> Result<Sightings> {
        let begun = Instant::now();
        let mut readers: JoinSet<_> = (0..READERS).map(|n| Arc::clone(&self).read(n)).collect();
        let mut updaters: JoinSet<_> = (0..UPDATERS).map(|n| Arc::clone(&self).update(n)).collect();

        let mut seen = Sightings::default();
        while let Some(reader) = readers.join_next().await {
            let one = reader??;
            seen.found += one.found;
            seen.absent += one.absent;
            seen.stale += one.stale;
        }
        seen.took = begun.elapsed();
        self.reading.store(false, SeqCst);
        while let Some(updates) = updaters.join_next().await {
            seen.updates += updates??;
        }
        Ok(seen)
    }

    async fn read(self: Arc<Self>, reader: usize) -> Result<Sightings> {
        let mut rng = SmallRng::seed_from_u64(1 + reader as u64);
        let mut seen = Sightings::default();
        for _ in 0..READS / READERS {
            let mut id = self.ids[self.rank(&mut rng)];
            if rng.random_ratio(1, 10) {
                id += 1; // Every seventh number is a city's id, so this is none.
            }
            // Asked before the read begins: what is written later, it may miss.
            let acknowledged = self.acknowledged.get(&id).map(|revision| revision.load(SeqCst));
            let city = City::fetch(&self.orm, id).await?;
            match (city, acknowledged) {
                (Some(city), Some(revision)) if city.revision >= revision => seen.found += 1,
                (None, None) => seen.absent += 1,
                _ => seen.stale += 1,
            }
        }
        Ok(seen)
    }

    async fn update(self: Arc<Self>, updater: usize) -> Result<u64> {
        let mut rng = SmallRng::seed_from_u64(1_001 + updater as u64);
        let mut updates = 0;
        while self.reading.load(SeqCst) {
            // Each updater has cities of its own. Two that read and then wrote
            // one row could undo each other's work, cache or no cache.
            let rank = self.rank(&mut rng);
            let Some(&id) = self.ids.get(rank - rank % UPDATERS + updater) else { continue };
            let mut city = City::fetch_one(&self.orm, id).await?;
            city.population = Some(rng.random_range(1_000..1_000_000));
            city.counted_on = Some(Utc::now().date_naive());
            city.revision += 1;
            city.update(&self.orm).await?;
            self.acknowledged[&id].store(city.revision, SeqCst);
            updates += 1;
        }
        Ok(updates)
    }

    /// 0 most often, then 1, and so on.
    fn rank(&self, rng: &mut SmallRng) -> usize {
        self.popularity.sample(rng) as usize - 1
    }
}
