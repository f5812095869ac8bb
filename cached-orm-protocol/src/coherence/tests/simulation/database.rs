use super::{
    config::{Config, Faults, Mutation},
    history::{History, Row},
    scheduler::{By, Scheduler},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::Notify;

/// A database of a few rows, with row locks, transactions, and an outbox.
pub(super) struct Database {
    pub(super) scheduler: Arc<Scheduler>,
    pub(super) history: Arc<History>,
    pub(super) faults: Faults,
    pub(super) longest_commit: Duration,
    pub(super) mutation: Option<Mutation>,
    state: Mutex<State>,
    /// A lock has been let go.
    unlocked: Notify,
}

#[derive(Default)]
struct State {
    rows: Vec<Row>,
    before: Vec<Row>,
    locks: HashMap<usize, u64>,
    open: BTreeMap<u64, Tx>,
    /// The versions that transactions have made.
    committed: HashMap<u64, Vec<(usize, usize)>>,
    outbox: BTreeMap<u64, Pending>,
    last_number: u64,
}

/// A transaction under way.
struct Tx {
    by: By,
    writes: BTreeMap<usize, Row>,
    enlisted: Vec<usize>,
    /// COMMIT was sent: the end of its process does not end it.
    is_sent: bool,
    /// Nobody will end it but the database.
    is_abandoned: bool,
}

/// A row of the outbox.
struct Pending {
    key: usize,
    /// The drainer that has it locked.
    taken: Option<By>,
}

/// A change of one row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Update,
    Insert,
    Delete,
}

impl Database {
    pub(super) fn new(
        config: &Config,
        faults: Faults,
        rows: Vec<Row>,
        scheduler: &Arc<Scheduler>,
        history: &Arc<History>,
    ) -> Self {
        Self {
            scheduler: Arc::clone(scheduler),
            history: Arc::clone(history),
            faults,
            longest_commit: config.longest_commit,
            mutation: config.mutation,
            state: Mutex::new(State {
                before: rows.clone(),
                rows,
                last_number: 1000,
                ..State::default()
            }),
            unlocked: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    /// What a load sees.
    pub(super) fn row(&self, key: usize) -> Row {
        let state = self.state();
        match self.mutation {
            Some(Mutation::LoadIsStale) => state.before[key],
            Some(Mutation::LoadIsDirty) => {
                let mut writes = state.open.values().filter_map(|tx| tx.writes.get(&key));
                *writes.next().unwrap_or(&state.rows[key])
            }
            _ => state.rows[key],
        }
    }

    pub(super) fn begin(&self, by: By) -> u64 {
        let mut state = self.state();
        let id = state.new_number();
        let (writes, enlisted) = (BTreeMap::new(), Vec::new());
        state.open.insert(id, Tx { by, writes, enlisted, is_sent: false, is_abandoned: false });
        id
    }

    /// Locks a row and changes it; says what it is then, or `None` if there was
    /// nothing to be changed, and then nothing is locked.
    pub(super) async fn change(&self, id: u64, key: usize, change: Change) -> Option<Row> {
        let before = self.lock(id, key).await;
        let mut state = self.state();
        let is_there = state.row_in(id, key).is_some();
        let row = match change {
            Change::Update if is_there => Some(state.new_number()),
            Change::Insert if !is_there => Some(state.new_number()),
            Change::Delete if is_there => None,
            Change::Update | Change::Insert | Change::Delete => {
                if before == Locked::Now {
                    state.locks.remove(&key);
                    self.unlocked.notify_waiters();
                }
                return None;
            }
        };
        state.open.get_mut(&id)?.writes.insert(key, row);
        Some(row)
    }

    async fn lock(&self, id: u64, key: usize) -> Locked {
        loop {
            // Made before the look, so that nothing is missed after it.
            let unlocked = self.unlocked.notified();
            {
                let mut state = self.state();
                match state.locks.get(&key) {
                    Some(holder) if *holder == id => return Locked::Before,
                    Some(_) => {}
                    None => {
                        state.locks.insert(key, id);
                        return Locked::Now;
                    }
                }
            }
            unlocked.await;
        }
    }

    /// Puts keys into the outbox with the transaction, or at once.
    pub(super) fn enlist(&self, id: Option<u64>, keys: &[usize]) {
        if self.mutation == Some(Mutation::OutboxForgets) {
            return;
        }
        let mut state = self.state();
        match id {
            Some(id) => {
                if let Some(tx) = state.open.get_mut(&id) {
                    tx.enlisted.extend_from_slice(keys);
                }
            }
            None => state.put_in_outbox(keys, &self.history),
        }
    }

    /// Notes that COMMIT is on its way.
    pub(super) fn commit_sent(&self, id: u64) {
        let mut state = self.state();
        if let Some(tx) = state.open.get_mut(&id) {
            tx.is_sent = true;
        }
        if self.mutation == Some(Mutation::LocksEndBeforeCommit) {
            state.locks.retain(|_, holder| *holder != id);
            self.unlocked.notify_waiters();
        }
    }

    /// Ends the transaction; `false` if it was over already.
    pub(super) fn end(&self, id: u64, commits: bool) -> bool {
        let mut state = self.state();
        let Some(tx) = state.open.remove(&id) else { return false };
        if commits {
            let mut made = Vec::new();
            for (key, row) in tx.writes {
                state.before[key] = std::mem::replace(&mut state.rows[key], row);
                made.push((key, self.history.committed(key, row)));
            }
            state.put_in_outbox(&tx.enlisted, &self.history);
            self.scheduler
                .note("committed", tx.by, || format!("{id}: {made:?}, outbox: {:?}", tx.enlisted));
            state.committed.insert(id, made);
        } else {
            self.scheduler.note("rolled back", tx.by, || id.to_string());
        }
        state.locks.retain(|_, holder| *holder != id);
        self.unlocked.notify_waiters();
        true
    }

    pub(super) fn is_over(&self, id: u64) -> bool {
        !self.state().open.contains_key(&id)
    }

    /// The keys and versions that the transaction has committed.
    pub(super) fn versions(&self, id: u64) -> Option<Vec<(usize, usize)>> {
        self.state().committed.get(&id).cloned()
    }

    /// The cache may have kept what it had for the rows of a committed transaction.
    pub(super) fn doubt(&self, id: u64) {
        self.history.doubted_list();
        for (key, _) in self.versions(id).unwrap_or_default() {
            self.history.doubted(key);
        }
    }

    /// Leaves the transaction to the database, which will find that its client
    /// is gone.
    pub(super) fn abandon(&self, id: u64) {
        if let Some(tx) = self.state().open.get_mut(&id) {
            tx.is_abandoned = !tx.is_sent;
        }
    }

    /// The process has died.
    pub(super) fn abandon_all_of(&self, by: By) {
        let mut state = self.state();
        for tx in state.open.values_mut().filter(|tx| tx.by == by) {
            tx.is_abandoned = !tx.is_sent;
        }
        for pending in state.outbox.values_mut().filter(|pending| pending.taken == Some(by)) {
            pending.taken = None;
        }
    }

    /// Finds that a client is gone.
    pub(super) fn end_an_abandoned_one(&self) {
        let abandoned = self.state().open.iter().find(|(_, tx)| tx.is_abandoned).map(|(id, _)| *id);
        if let Some(id) = abandoned {
            self.end(id, false);
        }
    }

    /// The rows of the outbox that nobody has.
    pub(super) fn take(&self, by: By, limit: usize) -> Vec<(u64, usize)> {
        let mut state = self.state();
        let free = state.outbox.iter_mut().filter(|(_, pending)| pending.taken.is_none());
        free.take(limit)
            .map(|(id, pending)| {
                pending.taken = Some(by);
                (*id, pending.key)
            })
            .collect()
    }

    /// Removes rows of the outbox, and gives back the others that were taken.
    pub(super) fn remove(&self, by: By, drained: &[u64]) {
        let mut state = self.state();
        for id in drained {
            if let Some(pending) = state.outbox.remove(id) {
                self.history.drained(pending.key);
                self.scheduler.note("drained", by, || pending.key.to_string());
            }
        }
        for pending in state.outbox.values_mut().filter(|pending| pending.taken == Some(by)) {
            pending.taken = None;
        }
    }

    /// Whether no transaction is open and no row of the outbox is left.
    pub(super) fn is_at_rest(&self) -> bool {
        let state = self.state();
        state.open.is_empty() && state.outbox.is_empty()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locked {
    Now,
    /// By an earlier statement of the same transaction.
    Before,
}

impl State {
    fn new_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn row_in(&self, id: u64, key: usize) -> Row {
        let own = self.open.get(&id).and_then(|tx| tx.writes.get(&key));
        *own.unwrap_or(&self.rows[key])
    }

    fn put_in_outbox(&mut self, keys: &[usize], history: &History) {
        for &key in keys {
            let id = self.new_number();
            self.outbox.insert(id, Pending { key, taken: None });
            history.enlisted(key);
        }
    }
}
