//! A writer: statements, fences, COMMIT, release; and what it does if one of
//! them fails. Its transaction is the database's, and outlives its crash.
//!
//! A command and its reply are one step here: the writer waits for the reply,
//! and does nothing before its next step, which comes when it comes. A reply
//! that is lost, and a command that is lost or late, are steps of their own.
//! The fences of one transaction are sent in the script's order.

mod fencing;
mod release;

pub(crate) use release::hear_outcome;

use super::{
    configuration::{Configuration, KEYS, Mutation, Renewal, Script},
    delivery::{deliver, deliveries},
    server::{Cas, Command, Delivery, Item, Reply, Token},
    state::{State, has, remove},
};
use fencing::{disconnect, fence, renew, run, to_fence};
use release::{acknowledge, look, place_of, release, released, to_look};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    /// Which transaction of its script it is at.
    pub(crate) number: u8,
    pub(crate) step: Step,
    pub(crate) transaction: Transaction,
    /// The keys that are fenced and released.
    pub(crate) journal: u8,
    /// The revisions that this transaction gave to rows; 0 for none.
    pub(crate) revisions: [u8; KEYS],
    /// The tokens of the fences that are confirmed.
    pub(crate) fences: [Cas; KEYS],
    /// The keys whose outbox rows are part of the transaction.
    pub(crate) outbox: u8,
    /// Whether a fence could not be confirmed.
    pub(crate) failed: bool,
    /// The keys where a command to set the fence may have come, or may still
    /// come, after the row lock was gone.
    pub(crate) doubtful: u8,
    /// The keys whose fence was put once more.
    pub(crate) retried: u8,
    /// Those of them whose fence is another one since.
    pub(crate) renamed: u8,
    /// Whether it has fenced for the second time.
    pub(crate) fenced_again: bool,
    /// Whether it does not hear how COMMIT ended.
    pub(crate) disconnected: bool,
    /// The keys whose release is not confirmed.
    pub(crate) unreleased: u8,
}

/// Where a writer is; with the place in its script's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Statement(usize),
    Fence(usize),
    /// About to send COMMIT.
    Ready,
    Committing,
    /// COMMIT's outcome is unknown.
    Unknown,
    Release(usize),
    /// About to look at what lies there.
    Look(usize),
    /// About to delete what it saw.
    Delete(usize, Cas),
    /// About to put releases into the outbox.
    Record,
    /// Gone, while its transaction is not over yet.
    Crashed,
}

impl Default for Step {
    fn default() -> Self {
        Self::Statement(0)
    }
}

/// A transaction, as the database sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Transaction {
    #[default]
    None,
    Open,
    /// COMMIT was sent.
    Sent,
    Committed,
    RolledBack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Run,
    Fence(Delivery),
    SendCommit,
    /// The commit window was missed.
    FenceAgain,
    UserRollsBack,
    HearOutcome,
    Disconnect,
    Renew(usize, Delivery),
    LearnOutcome,
    Release(Delivery),
    Look(Delivery),
    Delete(Delivery),
    Record,
    RecordFails,
    Crash,
}

impl Writer {
    /// The token from looking at what lies under a key.
    pub(crate) fn looked_up(&mut self) -> Option<(usize, &mut Cas)> {
        // Deletes refer to the key itself, and not to its place.
        match &mut self.step {
            Step::Delete(key, cas) => Some((*key, cas)),
            _ => None,
        }
    }

    /// Tells its fence under a key from every other.
    fn token(&self, id: usize, key: usize) -> Token {
        let again = Token::from(has(self.renamed, key));
        again * 32 + id as Token * 4 + self.number + 1
    }
}

fn script<'c>(configuration: &'c Configuration, id: usize, writer: &Writer) -> &'c Script {
    &configuration.scripts[id][usize::from(writer.number)]
}

pub(crate) fn actions(
    configuration: &Configuration,
    state: &State,
    id: usize,
    actions: &mut Vec<Action>,
) {
    let writer = &state.writers[id];
    let faults = &configuration.faults;
    if usize::from(writer.number) == configuration.scripts[id].len() {
        return;
    }
    let commands = |actions: &mut Vec<Action>, action: fn(Delivery) -> Action| {
        actions.extend(deliveries(configuration, state).map(action));
    };
    match writer.step {
        Step::Statement(_) => actions.push(Action::Run),
        Step::Fence(_) => commands(actions, Action::Fence),
        Step::Ready => {
            actions.push(Action::SendCommit);
            if faults.missed_windows && !writer.fenced_again && writer.journal != 0 {
                actions.push(Action::FenceAgain);
            }
        }
        Step::Committing => {
            if faults.unknown_commits {
                renewals(configuration, state, id, actions);
                if writer.transaction != Transaction::Sent {
                    actions.push(Action::HearOutcome);
                }
                actions.push(Action::Disconnect);
            }
        }
        Step::Unknown => {
            renewals(configuration, state, id, actions);
            if writer.transaction != Transaction::Sent {
                actions.push(Action::LearnOutcome);
            }
        }
        Step::Release(_) => commands(actions, Action::Release),
        Step::Look(_) => {
            // A look changes nothing, so it can only be answered or not.
            actions.push(Action::Look(Delivery::Answered));
            if state.timeouts_left > 0 {
                actions.push(Action::Look(Delivery::Lost));
            }
        }
        Step::Delete(..) => commands(actions, Action::Delete),
        Step::Record => {
            actions.push(Action::Record);
            if faults.rollbacks {
                actions.push(Action::RecordFails);
            }
        }
        Step::Crashed => {}
    }
    let is_open = writer.transaction == Transaction::Open;
    if faults.rollbacks && is_open && matches!(writer.step, Step::Statement(_) | Step::Fence(0)) {
        actions.push(Action::UserRollsBack);
    }
    if faults.crash_writers
        && writer.transaction != Transaction::None
        && writer.step != Step::Crashed
    {
        actions.push(Action::Crash);
    }
}

/// They go on until the outcome is known, so they may come after it.
fn renewals(configuration: &Configuration, state: &State, id: usize, actions: &mut Vec<Action>) {
    if configuration.renewal == Renewal::Never {
        return;
    }
    let writer = &state.writers[id];
    for key in (0..KEYS).filter(|key| has(writer.journal, *key)) {
        let own = Item::Fence { token: writer.token(id, key), no_write_through: true };
        if state.server.items[key] != own {
            let ways = deliveries(configuration, state);
            actions.extend(ways.map(|way| Action::Renew(key, way)));
        }
    }
}

pub(crate) fn apply(configuration: &Configuration, state: &mut State, id: usize, action: Action) {
    let writer = state.writers[id];
    match (action, writer.step) {
        (Action::Run, Step::Statement(place)) => run(configuration, state, id, place),
        (Action::Fence(delivery), Step::Fence(place)) => {
            fence(configuration, state, id, place, delivery);
        }
        (Action::SendCommit, _) if writer.transaction == Transaction::RolledBack => {
            disconnect(configuration, state, id);
        }
        (Action::SendCommit, _) => {
            if configuration.mutation == Some(Mutation::WriteThroughBeforeCommit) {
                let row = Item::Row(writer.revisions[0]);
                state.server.execute(0, Command::Replace(row, writer.fences[0]));
            }
            state.writers[id].transaction = Transaction::Sent;
            state.writers[id].step = Step::Committing;
        }
        (Action::FenceAgain, _) => {
            state.writers[id].fenced_again = true;
            remove(&mut state.server.waits_for, id);
            to_fence(configuration, state, id, 0);
        }
        (Action::UserRollsBack, _) => {
            let State { database, writers, .. } = state;
            database.roll_back(id, &mut writers[id]);
            next_transaction(state, id);
        }
        (Action::HearOutcome, _) => hear_outcome(configuration, state, id),
        (Action::Disconnect, _) => disconnect(configuration, state, id),
        (Action::Renew(key, delivery), _) => renew(configuration, state, id, key, delivery),
        (Action::LearnOutcome, _) => to_look(configuration, state, id, 0),
        (Action::Release(delivery), Step::Release(place)) => {
            release(configuration, state, id, place, delivery);
        }
        (Action::Look(delivery), Step::Look(place)) => {
            look(configuration, state, id, place, delivery)
        }
        (Action::Delete(delivery), Step::Delete(key, cas)) => {
            match deliver(state, key, Command::Delete(cas), delivery) {
                Some(Reply::Done(_) | Reply::NotFound) => {
                    released(configuration, state, id, key, true)
                }
                Some(Reply::Exists | Reply::OtherIncarnation) => {
                    state.writers[id].step = Step::Look(place_of(configuration, state, id, key));
                }
                None => released(configuration, state, id, key, false),
            }
        }
        (Action::Record, _) => {
            state.database.outbox |= writer.unreleased;
            state.writers[id].unreleased = 0;
            acknowledge(configuration, state, id);
        }
        (Action::RecordFails, _) => acknowledge(configuration, state, id),
        (Action::Crash, _) => crash(state, id),
        (
            Action::Run
            | Action::Fence(_)
            | Action::Release(_)
            | Action::Look(_)
            | Action::Delete(_),
            step,
        ) => {
            unreachable!("{action:?} at {step:?}")
        }
    }
}

fn crash(state: &mut State, id: usize) {
    match state.writers[id].transaction {
        Transaction::Open | Transaction::Sent => state.writers[id].step = Step::Crashed,
        Transaction::None | Transaction::Committed | Transaction::RolledBack => {
            next_transaction(state, id);
        }
    }
}

pub(crate) fn next_transaction(state: &mut State, id: usize) {
    remove(&mut state.server.waits_for, id);
    let number = state.writers[id].number + 1;
    state.writers[id] = Writer { number, ..Writer::default() };
}
