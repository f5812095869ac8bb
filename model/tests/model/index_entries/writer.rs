//! A writer: statements, fence, COMMIT, release. A shared fence is looked at and
//! merged; an own one is put over whatever lies there. Its transaction is the
//! database's, and outlives its crash.

mod release;

use super::{
    configuration::{Change, Configuration, Fences, Kind, Mutation, ROWS, Script},
    database::Met,
    server::{Command, Over, Reply},
    state::{Item, NOBODYS, State, Tokens},
};
use crate::server::Delivery;
use release::{clear, ended, look, release, to_release};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    /// Which transaction of its script it is at.
    pub(crate) number: u8,
    pub(crate) step: Step,
    pub(crate) transaction: Transaction,
    /// The rows that come to have the value, and that lose it, if it commits.
    pub(crate) enters: u8,
    pub(crate) leaves: u8,
    /// The revisions that it has committed.
    pub(crate) wrote: [u8; ROWS],
    /// Whether the entry has to be fenced.
    pub(crate) touches: bool,
    /// The fence that it knows to have put.
    pub(crate) put: Option<Put>,
    /// Whether the entry's outbox row is part of the transaction.
    pub(crate) enlisted: bool,
    /// Whether the fence could not be confirmed.
    pub(crate) failed: bool,
    /// Whether it does not hear how COMMIT ended.
    pub(crate) disconnected: bool,
    /// Whether the release is not confirmed.
    pub(crate) unreleased: bool,
}

/// A fence as it was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Put {
    /// Whether it is still there.
    pub(crate) version: bool,
    /// The tokens in it that are not this writer's.
    pub(crate) others: Tokens,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Statement(usize),
    /// About to look at what has to be fenced.
    LookToFence,
    Fence(Command),
    /// About to send COMMIT.
    Ready,
    Committing,
    /// COMMIT's outcome is unknown.
    Unknown,
    Renew(Command),
    Release,
    Look,
    /// About to take away what it saw.
    Clear(Command),
    /// About to put the release into the outbox.
    Record,
    /// Gone, while its transaction is not over yet.
    Crashed,
}

impl Default for Step {
    fn default() -> Self {
        Self::Statement(0)
    }
}

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
    LookToFence(Delivery),
    Fence(Delivery),
    /// Puts a fence whatever lies there, because others come first again and again.
    FenceAnyway(Delivery),
    SendCommit,
    UserRollsBack,
    HearOutcome,
    Disconnect,
    LookToRenew,
    Renew(Delivery),
    LearnOutcome,
    Release(Delivery),
    Look(Delivery),
    Clear(Delivery),
    Record,
    RecordFails,
    Crash,
}

impl Writer {
    pub(crate) fn changed(&self) -> u8 {
        self.enters | self.leaves
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.transaction, Transaction::Open | Transaction::Sent)
    }

    /// Whether its fence is needed, and so has not expired.
    pub(crate) fn is_protected(&self) -> bool {
        self.put.is_some() && self.is_open()
    }

    /// Its token. Two transactions of one writer have different ones.
    pub(crate) fn token(&self, id: usize) -> Tokens {
        1 << (id as u8 * 2 + self.number)
    }
}

fn script(configuration: &Configuration, id: usize, writer: &Writer) -> Option<Script> {
    configuration.scripts[id].get(usize::from(writer.number)).copied()
}

pub(crate) fn actions(
    configuration: &Configuration,
    state: &State,
    id: usize,
    actions: &mut Vec<Action>,
) {
    let (writer, faults) = (&state.writers[id], &configuration.faults);
    if script(configuration, id, writer).is_none() {
        return;
    }
    let commands = |actions: &mut Vec<Action>, action: fn(Delivery) -> Action| {
        actions.extend(state.deliveries(configuration).map(action));
    };
    // A look changes nothing, so it can only be answered or not.
    let looks = |actions: &mut Vec<Action>, action: fn(Delivery) -> Action| {
        actions.push(action(Delivery::Answered));
        if state.timeouts_left > 0 {
            actions.push(action(Delivery::Lost));
        }
    };
    match writer.step {
        Step::Statement(_) => actions.push(Action::Run),
        Step::LookToFence => {
            looks(actions, Action::LookToFence);
            if faults.contention {
                commands(actions, Action::FenceAnyway);
            }
        }
        Step::Fence(_) => commands(actions, Action::Fence),
        Step::Ready => actions.push(Action::SendCommit),
        Step::Committing => {
            if writer.transaction != Transaction::Sent {
                actions.push(Action::HearOutcome);
            }
            if faults.unknown_commits {
                actions.push(Action::Disconnect);
            }
        }
        Step::Unknown => {
            if configuration.fences == Fences::Shared {
                actions.push(Action::LookToRenew);
            }
            if writer.transaction != Transaction::Sent
                || configuration.has(Mutation::ReleaseWhileUnknown)
            {
                actions.push(Action::LearnOutcome);
            }
        }
        Step::Renew(_) => commands(actions, Action::Renew),
        Step::Release => commands(actions, Action::Release),
        Step::Look => looks(actions, Action::Look),
        Step::Clear(_) => commands(actions, Action::Clear),
        Step::Record => {
            actions.push(Action::Record);
            if faults.rollbacks {
                actions.push(Action::RecordFails);
            }
        }
        Step::Crashed => {}
    }
    let may_roll_back = matches!(writer.step, Step::Statement(_) | Step::LookToFence);
    if faults.rollbacks && writer.transaction == Transaction::Open && may_roll_back {
        actions.push(Action::UserRollsBack);
    }
    if faults.crash_writers
        && writer.transaction != Transaction::None
        && writer.step != Step::Crashed
    {
        actions.push(Action::Crash);
    }
}

pub(crate) fn apply(configuration: &Configuration, state: &mut State, id: usize, action: Action) {
    let writer = state.writers[id];
    match (action, writer.step) {
        (Action::Run, Step::Statement(place)) => run(configuration, state, id, place),
        (Action::LookToFence(Delivery::Answered), _) => {
            state.writers[id].step = Step::Fence(merge(configuration, state, id));
        }
        (Action::LookToFence(_), _) => {
            state.timeouts_left -= 1;
            not_fenced(configuration, state, id);
        }
        (Action::Fence(delivery), Step::Fence(command)) => {
            fence(configuration, state, id, command, delivery);
        }
        (Action::FenceAnyway(delivery), _) => {
            let put = Some(Item::Fence(writer.token(id) | NOBODYS));
            let command = Command { put, over: Over::Anything };
            fence(configuration, state, id, command, delivery);
        }
        (Action::SendCommit, _) if writer.transaction == Transaction::RolledBack => {
            disconnect(state, id);
        }
        (Action::SendCommit, _) => {
            state.writers[id].transaction = Transaction::Sent;
            state.writers[id].step = Step::Committing;
        }
        (Action::UserRollsBack, _) => {
            state.roll_back(id);
            next_transaction(state, id);
        }
        (Action::HearOutcome, _) => {
            let is_committed = writer.transaction == Transaction::Committed;
            state.writers[id].step = Step::Look;
            if is_committed {
                to_release(state, id);
            }
        }
        (Action::Disconnect, _) => disconnect(state, id),
        (Action::LookToRenew, _) => {
            state.writers[id].step = Step::Renew(merge(configuration, state, id));
        }
        // One that fails is tried again, or was never lost.
        (Action::Renew(delivery), Step::Renew(command)) => {
            state.deliver(command, delivery);
            state.writers[id].step = Step::Unknown;
        }
        (Action::LearnOutcome, _) => state.writers[id].step = Step::Look,
        (Action::Release(delivery), _) => release(configuration, state, id, delivery),
        (Action::Look(delivery), _) => look(configuration, state, id, delivery),
        (Action::Clear(delivery), Step::Clear(command)) => {
            clear(configuration, state, id, command, delivery);
        }
        (Action::Record, _) => {
            state.database.outbox = true;
            state.writers[id].unreleased = false;
            ended(configuration, state, id);
        }
        (Action::RecordFails, _) => release::acknowledge(configuration, state, id),
        (Action::Crash, _) if writer.is_open() => state.writers[id].step = Step::Crashed,
        (Action::Crash, _) => next_transaction(state, id),
        (action, step) => unreachable!("{action:?} at {step:?}"),
    }
}

fn run(configuration: &Configuration, state: &mut State, id: usize, place: usize) {
    let Some(script) = script(configuration, id, &state.writers[id]) else { return };
    if state.writers[id].transaction == Transaction::RolledBack {
        return next_transaction(state, id);
    }
    let change = script[place];
    let met = state.run(configuration, id, change);
    let writer = &mut state.writers[id];
    match met {
        Met::Blocked => return,
        Met::Duplicate => {
            state.roll_back(id);
            return next_transaction(state, id);
        }
        Met::Nothing => {}
        Met::Changed => {
            writer.touches |= match change {
                Change::Enter(_) => true,
                Change::Leave(_) => {
                    configuration.kind == Kind::List && !configuration.has(Mutation::NewValuesOnly)
                }
            };
        }
    }
    writer.transaction = Transaction::Open;
    writer.step = if place + 1 < script.len() {
        Step::Statement(place + 1)
    } else if configuration.others & 1 << id != 0 {
        writer.enlisted = writer.touches;
        writer.touches = false;
        Step::Ready
    } else if !writer.touches || configuration.has(Mutation::NoFences) {
        writer.touches = false;
        Step::Ready
    } else if configuration.fences == Fences::Shared {
        Step::LookToFence
    } else {
        let put = Some(Item::Fence(writer.token(id)));
        Step::Fence(Command { put, over: Over::Anything })
    };
}

/// The command that adds the writer's token to what lies there.
fn merge(configuration: &Configuration, state: &State, id: usize) -> Command {
    let token = state.writers[id].token(id);
    let (tokens, over) = match state.server.item {
        Item::Nothing if configuration.has(Mutation::AddOverAnything) => (token, Over::Anything),
        Item::Nothing => (token, Over::Nothing),
        Item::Lease | Item::Value(_) => (token, Over::Version(true)),
        Item::Fence(tokens) => (tokens | token, Over::Version(true)),
    };
    Command { put: Some(Item::Fence(tokens)), over }
}

fn fence(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    command: Command,
    delivery: Delivery,
) {
    let reply = state.deliver(command, delivery);
    let writer = &mut state.writers[id];
    match (reply, command.put) {
        (Some(Reply::Done), Some(Item::Fence(tokens))) => {
            writer.put = Some(Put { version: true, others: tokens & !writer.token(id) });
            writer.step = Step::Ready;
        }
        (Some(_), _) => writer.step = Step::LookToFence,
        (None, _) => not_fenced(configuration, state, id),
    }
}

fn not_fenced(configuration: &Configuration, state: &mut State, id: usize) {
    let writer = &mut state.writers[id];
    if configuration.outbox {
        writer.enlisted = true;
        writer.step = Step::Ready;
        return;
    }
    writer.failed = true;
    writer.step = Step::Look;
    if writer.transaction == Transaction::Open {
        state.roll_back(id);
    } else {
        state.writers[id].disconnected = true;
    }
}

fn disconnect(state: &mut State, id: usize) {
    state.writers[id].disconnected = true;
    state.writers[id].step = Step::Unknown;
}

pub(crate) fn next_transaction(state: &mut State, id: usize) {
    crate::state::remove(&mut state.server.waits_for, id);
    let number = state.writers[id].number + 1;
    state.writers[id] = Writer { number, ..Writer::default() };
}
