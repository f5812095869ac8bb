use super::{
    config::Policy,
    database::{Change, Database},
    history::Row,
    process::Keys,
    scheduler::By,
};
use crate::{
    coherence::{Afterwards, Ended, Enlist, IsOver, OpenTransaction},
    key::CacheKey,
};
use std::sync::Arc;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

/// A transaction of one process.
pub(super) struct Transaction {
    database: Arc<Database>,
    by: By,
    pub(super) id: u64,
    policy: Policy,
    keys: Keys,
    is_ended: bool,
}

/// The database after the transaction's COMMIT was sent.
pub(super) struct After {
    database: Arc<Database>,
    by: By,
    id: u64,
    policy: Policy,
    keys: Keys,
}

impl Transaction {
    pub(super) async fn begin(
        database: &Arc<Database>,
        by: By,
        policy: Policy,
        keys: &Keys,
    ) -> Self {
        database.scheduler.turn(by).await;
        let id = database.begin(by);
        let (database, keys) = (Arc::clone(database), keys.clone());
        Self { database, by, id, policy, keys, is_ended: false }
    }

    pub(super) async fn change(&mut self, key: usize, change: Change) -> Option<Row> {
        self.database.scheduler.turn(self.by).await;
        let changed = self.database.change(self.id, key, change).await;
        self.database.scheduler.note("statement", self.by, || {
            format!("{change:?} in {}: key {key} is {changed:?}", self.id)
        });
        self.database.scheduler.turn(self.by).await;
        changed
    }

    /// As triggers do it.
    pub(super) fn enlist_now(&mut self, keys: &[usize]) {
        self.database.enlist(Some(self.id), keys);
    }

    /// Commits without the protocol; says whether it is known to be committed.
    pub(super) async fn commit_raw(mut self) -> bool {
        self.is_ended = true;
        let answer = self.send_commit(false, true).await;
        self.database.scheduler.turn(self.by).await;
        answer == Ok(true)
    }

    fn fails(&self) -> bool {
        self.database.scheduler.fault(self.database.faults.database_failed)
    }

    /// Carries COMMIT out, some time, whatever becomes of who has sent it.
    fn send_commit(&mut self, late: bool, commits: bool) -> oneshot::Receiver<bool> {
        let (database, id, by) = (Arc::clone(&self.database), self.id, self.by);
        let (answer, answered) = oneshot::channel();
        let sent = Instant::now();
        database.commit_sent(id);
        database.scheduler.note("COMMIT sent", by, || id.to_string());
        tokio::spawn(async move {
            if late {
                let longest = u64::try_from(database.longest_commit.as_millis());
                let longest = longest.expect("a short time").max(2);
                sleep(database.scheduler.millis(1, longest)).await;
            }
            database.scheduler.turn(By::World).await;
            let in_time = sent.elapsed() <= database.longest_commit;
            database.end(id, commits && in_time);
            // Nobody may be waiting for it.
            let _ = answer.send(commits && in_time);
        });
        answered
    }
}

impl Enlist for Transaction {
    async fn enlist(&mut self, keys: &[CacheKey]) -> bool {
        self.database.scheduler.turn(self.by).await;
        if self.policy == Policy::Abort || self.fails() {
            return false;
        }
        let keys = self.keys.numbers(keys);
        self.database.enlist(Some(self.id), &keys);
        self.database.scheduler.note("enlisted", self.by, || format!("{keys:?} in {}", self.id));
        self.database.scheduler.turn(self.by).await;
        true
    }
}

impl OpenTransaction for Transaction {
    type Error = &'static str;
    type Afterwards = After;

    async fn check(&mut self) -> Result<(), &'static str> {
        self.database.scheduler.turn(self.by).await;
        if self.fails() { Err("aborted") } else { Ok(()) }
    }

    async fn commit(&mut self) -> Ended<&'static str> {
        let (database, by) = (Arc::clone(&self.database), self.by);
        let (scheduler, faults) = (&database.scheduler, database.faults);
        self.is_ended = true;
        if scheduler.fault(faults.refused) {
            let answered = self.send_commit(false, false);
            // It has no other end.
            let _ = answered.await;
            scheduler.turn(by).await;
            return Ended::RolledBack("refused");
        }
        if scheduler.fault(faults.unknown) {
            let (late, commits) = (scheduler.once_in(2), !scheduler.once_in(4));
            let answered = self.send_commit(late, commits);
            if scheduler.once_in(2) && !late {
                let _ = answered.await;
            }
            scheduler.turn(by).await;
            scheduler.note("COMMIT unknown", by, || self.id.to_string());
            return Ended::Unknown("lost");
        }
        let answered = self.send_commit(false, true);
        let answer = answered.await;
        scheduler.turn(by).await;
        match answer {
            Ok(true) => Ended::Committed,
            Ok(false) | Err(_) => Ended::Unknown("lost"),
        }
    }

    async fn rollback(&mut self) -> bool {
        self.is_ended = true;
        self.database.scheduler.turn(self.by).await;
        let was_open = self.database.end(self.id, false);
        self.database.scheduler.turn(self.by).await;
        was_open
    }

    fn afterwards(&mut self) -> After {
        let Self { by, id, policy, .. } = *self;
        After { database: Arc::clone(&self.database), by, id, policy, keys: self.keys.clone() }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.is_ended {
            self.database.abandon(self.id);
        }
    }
}

impl Enlist for After {
    async fn enlist(&mut self, keys: &[CacheKey]) -> bool {
        let Self { database, by, policy, .. } = self;
        database.scheduler.turn(*by).await;
        if *policy == Policy::Abort || database.scheduler.fault(database.faults.database_failed) {
            return false;
        }
        let keys = self.keys.numbers(keys);
        database.enlist(None, &keys);
        database.scheduler.note("enlisted", *by, || format!("{keys:?} after {}", self.id));
        database.scheduler.turn(*by).await;
        // The answer may be lost.
        !database.scheduler.fault(database.faults.database_failed)
    }
}

impl Afterwards for After {
    async fn is_over(&mut self) -> IsOver {
        let Self { database, by, .. } = self;
        database.scheduler.turn(*by).await;
        let is_over = database.is_over(self.id);
        database.scheduler.turn(*by).await;
        let fails = database.scheduler.fault(database.faults.database_failed);
        if !is_over || fails {
            return IsOver::NotYet;
        }
        // Not every database tells how it ended.
        let tells = database.scheduler.once_in(2);
        if tells && database.versions(self.id).is_some() {
            IsOver::Committed
        } else {
            IsOver::Ended
        }
    }
}
