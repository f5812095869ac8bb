//! The database: which rows have the value, and since which revision.

use super::{
    configuration::{Change, Configuration, Kind, Mutation, ROWS},
    state::{Answer, State},
    writer::{Step, Transaction, next_transaction},
};
use crate::state::{add, has, remove};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Database {
    /// How often each row has come or gone. So a list is older than another if
    /// some revision in it is smaller, even if it names the same rows.
    pub(crate) revisions: [u8; ROWS],
    /// The rows that have the value.
    pub(crate) members: u8,
    /// Whether a row of the outbox names the entry.
    pub(crate) outbox: bool,
}

/// What the database does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Commit(usize),
    RollBack(usize),
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    /// It waits for another transaction.
    Blocked,
    /// The row is as it should be already.
    Nothing,
    /// Another row has the value; the transaction is over.
    Duplicate,
    Changed,
}

impl Database {
    /// What a query for the value returns.
    pub(crate) fn answer(&self, kind: Kind) -> Answer {
        match kind {
            Kind::Unique => {
                Answer::Owner((self.members != 0).then(|| self.members.trailing_zeros() as u8))
            }
            Kind::List => Answer::List(self.revisions),
        }
    }
}

impl State {
    /// The value's rows as the writer sees them.
    fn members_for(&self, id: usize) -> u8 {
        let writer = &self.writers[id];
        self.database.members & !writer.leaves | writer.enters
    }

    pub(crate) fn run(&mut self, configuration: &Configuration, id: usize, change: Change) -> Met {
        let row = change.row();
        let others = || (0..self.writers.len()).filter(|other| *other != id);
        if others().any(|other| has(self.writers[other].changed(), row)) {
            return Met::Blocked;
        }
        let members = self.members_for(id);
        let is_unique =
            configuration.kind == Kind::Unique && !configuration.has(Mutation::UnorderedWriters);
        match change {
            Change::Enter(_) if has(members, row) => return Met::Nothing,
            Change::Leave(_) if !has(members, row) => return Met::Nothing,
            // Whoever has taken or left it may still roll back.
            Change::Enter(_)
                if is_unique && others().any(|other| self.writers[other].changed() != 0) =>
            {
                return Met::Blocked;
            }
            Change::Enter(_) if is_unique && members != 0 => return Met::Duplicate,
            Change::Enter(_) | Change::Leave(_) => {}
        }
        let writer = &mut self.writers[id];
        let (to, from) = match change {
            Change::Enter(_) => (&mut writer.enters, &mut writer.leaves),
            Change::Leave(_) => (&mut writer.leaves, &mut writer.enters),
        };
        add(to, row);
        remove(from, row);
        Met::Changed
    }

    fn commit(&mut self, configuration: &Configuration, id: usize) {
        let members = self.members_for(id);
        if configuration.kind == Kind::Unique && members.count_ones() > 1 {
            return self.roll_back(id);
        }
        let writer = &mut self.writers[id];
        let changed = writer.changed();
        (writer.enters, writer.leaves) = (0, 0);
        writer.transaction = Transaction::Committed;
        for row in (0..ROWS).filter(|row| has(changed, *row)) {
            self.database.revisions[row] += 1;
            writer.wrote[row] = self.database.revisions[row];
        }
        self.database.members = members;
        self.database.outbox |= self.writers[id].enlisted;
        self.note_truth(configuration.kind);
    }

    pub(crate) fn roll_back(&mut self, id: usize) {
        let writer = &mut self.writers[id];
        (writer.enters, writer.leaves) = (0, 0);
        writer.transaction = Transaction::RolledBack;
    }

    pub(crate) fn happen(&mut self, configuration: &Configuration, event: Event) {
        match event {
            Event::Commit(id) => self.commit(configuration, id),
            Event::RollBack(id) => self.roll_back(id),
        }
        let (Event::Commit(id) | Event::RollBack(id)) = event;
        if self.writers[id].step == Step::Crashed {
            next_transaction(self, id);
        }
    }
}

pub(crate) fn events(configuration: &Configuration, state: &State, events: &mut Vec<Event>) {
    for (id, writer) in state.writers.iter().enumerate() {
        match writer.transaction {
            Transaction::Sent => {
                events.push(Event::Commit(id));
                if configuration.faults.rollbacks || writer.step != Step::Committing {
                    events.push(Event::RollBack(id));
                }
            }
            Transaction::Open
                if writer.step == Step::Crashed || configuration.faults.lost_transactions =>
            {
                events.push(Event::RollBack(id));
            }
            Transaction::None
            | Transaction::Open
            | Transaction::Committed
            | Transaction::RolledBack => {}
        }
    }
}
