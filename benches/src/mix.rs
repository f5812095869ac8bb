//! Reads with writes among them, by Zipf's law, each read held against what was
//! acknowledged before it began.

use crate::{
    Result,
    contestant::{Reader, Writer},
    drive::{Operation, Outcome, Rng},
    item::{Item, WorkingSet},
};
use rand::RngExt as _;
use rand_distr::{Distribution as _, Zipf};
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::Mutex;

/// The exponent: few rows are read very often.
const EXPONENT: f64 = 0.99;
/// One of so many operations is a write.
const WRITES: u32 = 20;

/// The mix, over a contestant that reads and writes items.
#[derive(Debug)]
pub struct Mix<C> {
    contestant: C,
    set: WorkingSet,
    zipf: Zipf<f64>,
    /// For each row, the highest revision acknowledged.
    acknowledged: Vec<AtomicI64>,
    /// For each row, whose turn it is to write it.
    turns: Vec<Mutex<()>>,
}

impl<C: Reader<Row = Item> + Writer> Mix<C> {
    /// The table's rows must be as they were made.
    ///
    /// # Errors
    /// An empty working set.
    pub fn new(contestant: C, set: WorkingSet) -> Result<Self> {
        let zipf = Zipf::new(set.0.len() as f64, EXPONENT)?;
        let acknowledged = set.0.iter().map(|_| AtomicI64::new(1)).collect();
        let turns = set.0.iter().map(|_| Mutex::default()).collect();
        Ok(Self { contestant, set, zipf, acknowledged, turns })
    }
}

impl<C: Reader<Row = Item> + Writer> Operation for Mix<C> {
    async fn once(&self, rng: &mut Rng) -> Result<Outcome> {
        // Ranks begin at 1.
        let place = self.zipf.sample(rng) as usize - 1;
        let wanted = &self.set.0[place];
        if rng.random_range(0..WRITES) == 0 {
            let _turn = self.turns[place].lock().await;
            let revision = self.acknowledged[place].load(Ordering::SeqCst) + 1;
            self.contestant.write(Item { revision, ..wanted.item.clone() }).await?;
            self.acknowledged[place].store(revision, Ordering::SeqCst);
            return Ok(Outcome::right(1));
        }
        let acknowledged = self.acknowledged[place].load(Ordering::SeqCst);
        let Some(row) = self.contestant.read(wanted).await? else {
            return Err(format!("no row for id {}", wanted.item.id).into());
        };
        let revision = row.revision;
        if (Item { revision: 1, ..row }) != wanted.item {
            return Err(format!("a wrong row for id {}", wanted.item.id).into());
        }
        Ok(Outcome { units: 1, stale: u64::from(revision < acknowledged) })
    }

    fn loads(&self) -> u64 {
        self.contestant.loads()
    }
}
