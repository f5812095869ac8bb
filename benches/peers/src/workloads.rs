//! The workloads of one contestant.

use benches::{
    Result,
    contestant::{Hits, Misses, Reader, Writer},
    drive::{Measured, drive},
    item::{Item, WorkingSet},
    mix::Mix,
    remote::Round,
};
use std::{sync::Arc, time::Duration};

/// Made once: later rounds go on where earlier ones stopped.
pub(crate) struct Workloads<C> {
    contestant: C,
    hits: Arc<Hits<C>>,
    misses: Arc<Misses<C>>,
    mix: Arc<Mix<C>>,
    own: WorkingSet,
}

impl<C: Reader<Row = Item> + Writer + Clone> Workloads<C> {
    /// Reads `set` again and again, and each row up to `rows` once; mixes over `own`.
    ///
    /// # Errors
    /// An empty working set.
    pub(crate) fn new(contestant: C, set: WorkingSet, rows: i64, own: WorkingSet) -> Result<Self> {
        Ok(Self {
            hits: Arc::new(Hits { reader: contestant.clone(), set }),
            misses: Arc::new(Misses::new(contestant.clone(), rows)),
            mix: Arc::new(Mix::new(contestant.clone(), own.clone())?),
            own,
            contestant,
        })
    }

    /// Runs a round.
    ///
    /// # Errors
    /// A wrong answer, or an unknown workload.
    pub(crate) async fn run(&self, round: &Round) -> Result<Measured> {
        let Round { workload, tasks, seconds, seed, .. } = round;
        let duration = Duration::try_from_secs_f64(*seconds)?;
        match workload.as_str() {
            "prepare" => self.prepare().await,
            "hits" => drive(&self.hits, *tasks, duration, *seed).await,
            "misses" => drive(&self.misses, *tasks, duration, *seed).await,
            "mix" => drive(&self.mix, *tasks, duration, *seed).await,
            other => Err(format!("there is no workload {other} here").into()),
        }
    }

    /// Fills the cache with what hits and the mix read, and sees that it has it.
    async fn prepare(&self) -> Result<Measured> {
        for wanted in self.own.0.iter() {
            // Which revision it has is the mix's to check.
            self.contestant.read(wanted).await?;
        }
        self.hits.prepare().await?;
        let before = self.contestant.loads();
        self.hits.prepare().await?;
        match self.contestant.loads() - before {
            0 => Ok(Measured::default()),
            loads => Err(format!("{loads} rows were not in the cache after they were read").into()),
        }
    }
}
