//! The database: committed revisions, row locks, transactions, the outbox.
//!
//! Every statement that meets a row gives it the key's next revision, and no
//! revision is given twice, even if its transaction is rolled back. So a
//! revision stands for what one transaction wrote, and "older" is "smaller".

use super::{
    configuration::{Configuration, KEYS, Operation},
    state::{State, add, has},
    writer::{self, Transaction, Writer},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Database {
    /// The committed revisions of each key, as a set; the highest is the row's.
    pub(crate) committed: [u8; KEYS],
    /// The revision that the next statement gives.
    pub(crate) next: [u8; KEYS],
    /// The revisions that say that there is no row.
    pub(crate) absent: [u8; KEYS],
    /// Who holds the row lock.
    pub(crate) lock: [Option<u8>; KEYS],
    /// Keys with a pending row in the outbox. Several rows for a key are one
    /// here: it is drained at least once after the last of them came.
    pub(crate) outbox: u8,
}

/// What the database does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A COMMIT that was sent takes effect.
    Commit(usize),
    /// A transaction is rolled back: COMMIT failed, its connection is gone, or
    /// the database has ended it.
    RollBack(usize),
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    /// It waits for a lock.
    Blocked,
    /// No row; nothing is locked.
    Nothing,
    /// There is such a row already; the transaction is over.
    Duplicate,
    /// The row has now this revision.
    Row(u8),
}

impl Database {
    pub(crate) fn initial(configuration: &Configuration) -> Self {
        Self {
            committed: [1; KEYS],
            next: [1; KEYS],
            absent: [u8::from(!configuration.rows_exist); KEYS],
            lock: [None; KEYS],
            outbox: 0,
        }
    }

    /// What a load returns.
    pub(crate) fn current(&self, key: usize) -> u8 {
        // The first revision is always there.
        self.committed[key].ilog2() as u8
    }

    pub(crate) fn is_committed(&self, key: usize, revision: u8) -> bool {
        has(self.committed[key], usize::from(revision))
    }

    /// Runs a statement. One that meets no row does not wait for the lock of a
    /// row that is just being inserted.
    pub(crate) fn run(&mut self, writer: usize, key: usize, operation: Operation) -> Met {
        let exists = !has(self.absent[key], usize::from(self.current(key)));
        match operation {
            Operation::Update | Operation::Delete if !exists => return Met::Nothing,
            _ if self.lock[key].is_some() => return Met::Blocked,
            Operation::Insert if exists => return Met::Duplicate,
            Operation::Update | Operation::Insert | Operation::Delete => {}
        }
        let revision = self.next[key];
        self.next[key] += 1;
        self.lock[key] = Some(writer as u8);
        if operation == Operation::Delete {
            add(&mut self.absent[key], usize::from(revision));
        }
        Met::Row(revision)
    }

    fn unlock(&mut self, writer: usize) {
        for lock in &mut self.lock {
            if *lock == Some(writer as u8) {
                *lock = None;
            }
        }
    }

    pub(crate) fn commit(&mut self, id: usize, writer: &mut Writer) {
        for key in 0..KEYS {
            if writer.revisions[key] != 0 {
                add(&mut self.committed[key], usize::from(writer.revisions[key]));
            }
        }
        self.outbox |= writer.outbox;
        self.unlock(id);
        writer.transaction = Transaction::Committed;
    }

    pub(crate) fn roll_back(&mut self, id: usize, writer: &mut Writer) {
        self.unlock(id);
        writer.transaction = Transaction::RolledBack;
    }
}

pub(crate) fn steps(configuration: &Configuration, state: &State, steps: &mut Vec<Step>) {
    for (id, writer) in state.writers.iter().enumerate() {
        match writer.transaction {
            Transaction::Sent => {
                steps.push(Step::Commit(id));
                if configuration.faults.rollbacks || writer.step != writer::Step::Committing {
                    steps.push(Step::RollBack(id));
                }
            }
            Transaction::Open
                if writer.step == writer::Step::Crashed
                    || configuration.faults.lost_transactions =>
            {
                steps.push(Step::RollBack(id));
            }
            Transaction::None
            | Transaction::Open
            | Transaction::Committed
            | Transaction::RolledBack => {}
        }
    }
}

pub(crate) fn apply(configuration: &Configuration, state: &mut State, step: Step) {
    match step {
        Step::Commit(id) => state.database.commit(id, &mut state.writers[id]),
        Step::RollBack(id) => state.database.roll_back(id, &mut state.writers[id]),
    }
    let (Step::Commit(id) | Step::RollBack(id)) = step;
    // Where the answer can't be lost, it may as well come at once: everything
    // that can happen before it can happen before the writer's next step too.
    if state.writers[id].step == writer::Step::Committing && !configuration.faults.unknown_commits {
        writer::hear_outcome(configuration, state, id);
    } else if state.writers[id].step == writer::Step::Crashed {
        writer::next_transaction(state, id);
    }
}
