//! Judges what the history has found, while the run goes on.

use crate::{
    arguments::Policy,
    engines::Engine,
    history::Violation,
    pending,
    report::{Offences, Tally},
    stage::Stage,
    workload::Shared,
};
use cached_orm::Orm;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Reports violations as they are found, and now and then how far it is.
pub(crate) struct Watcher<DB: Engine> {
    stage: Arc<Stage<DB>>,
    /// For the keys' names.
    orm: Orm<DB>,
    shared: Arc<Shared>,
    tally: Arc<Tally>,
    /// The database could not be asked yet whether the outbox excuses them.
    undecided: Vec<Violation>,
    offences: Offences,
}

impl<DB: Engine> Watcher<DB> {
    pub(crate) fn new(
        stage: &Arc<Stage<DB>>,
        orm: Orm<DB>,
        shared: &Arc<Shared>,
        tally: &Arc<Tally>,
    ) -> Self {
        Self {
            stage: Arc::clone(stage),
            orm,
            shared: Arc::clone(shared),
            tally: Arc::clone(tally),
            undecided: Vec::new(),
            offences: Offences::default(),
        }
    }

    pub(crate) async fn watch(mut self, mut over: watch::Receiver<bool>) -> Offences {
        let mut round = 0_u32;
        while timeout(Duration::from_secs(1), over.wait_for(|over| *over)).await.is_err() {
            self.collect().await;
            round += 1;
            if round.is_multiple_of(20) {
                eprintln!(
                    "{}: {} faults, {} reads, {} writes, {} violations, {} excused",
                    DB::TITLE,
                    self.tally.total(),
                    self.shared.counts.reads.get(),
                    self.shared.counts.acknowledged.get(),
                    self.offences.total(),
                    self.offences.while_pending,
                );
            }
        }
        self.collect().await;
        for violation in self.undecided {
            // Nobody could be asked for an excuse.
            self.offences.add(&violation, &self.tally);
        }
        self.offences
    }

    async fn collect(&mut self) {
        self.undecided.extend(self.shared.history.take_violations());
        for violation in std::mem::take(&mut self.undecided) {
            let excused = match self.stage.policy {
                Policy::Abort => Ok(false),
                Policy::Outbox | Policy::Always => {
                    pending::excuses(&self.stage, &self.orm, &violation).await
                }
            };
            match excused {
                Ok(true) => self.offences.while_pending += 1,
                Ok(false) => {
                    let mut violation = violation;
                    if self.stage.policy != Policy::Abort {
                        violation.text += &pending::tell(&self.stage, &self.orm, &violation).await;
                    }
                    self.offences.add(&violation, &self.tally);
                }
                Err(_) => self.undecided.push(violation),
            }
        }
    }
}
