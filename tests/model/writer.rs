//! A writer: statements, fences, COMMIT, release; and what it does if one of
//! them fails. Its transaction is the database's, and outlives its crash.
//!
//! A command and its reply are one step here: the writer waits for the reply,
//! and does nothing before its next step, which comes when it comes. A reply
//! that is lost, and a command that is lost or late, are steps of their own.
//! The fences of one transaction are sent in the script's order.

use super::{
    configuration::{
        By, Configuration, KEYS, Mutation, OnUnreachable, Operation, OwnFence, Renewal, Script,
    },
    database::Met,
    delivery::{deliver, deliveries},
    server::{Cas, Command, Delivery, Item, Reply, Token},
    state::{History, State, add, has, remove},
};

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

    fn token(&self, id: usize) -> Token {
        id as Token * 4 + self.number + 1
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
    let own = Item::Fence { token: writer.token(id), no_write_through: true };
    for key in (0..KEYS).filter(|key| has(writer.journal, *key)) {
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

fn run(configuration: &Configuration, state: &mut State, id: usize, place: usize) {
    let script = script(configuration, id, &state.writers[id]);
    let fences_first = configuration.mutation == Some(Mutation::FenceBeforeStatement);
    let writer = &mut state.writers[id];
    if fences_first && place == 0 && writer.journal == 0 {
        for key in script.keys {
            add(&mut writer.journal, *key);
        }
        return to_fence(configuration, state, id, 0);
    }
    let key = script.keys[place];
    if writer.transaction == Transaction::RolledBack {
        return next_transaction(state, id);
    }
    match state.database.run(id, key, script.operation) {
        Met::Blocked => return,
        Met::Duplicate => {
            state.database.roll_back(id, writer);
            return next_transaction(state, id);
        }
        Met::Nothing => {
            if configuration.mutation == Some(Mutation::FenceUnmetRows) {
                add(&mut writer.journal, key);
            }
        }
        Met::Row(revision) => {
            writer.revisions[key] = revision;
            add(&mut writer.journal, key);
        }
    }
    writer.transaction = Transaction::Open;
    if place + 1 < script.keys.len() {
        writer.step = Step::Statement(place + 1);
    } else if script.by == By::OtherProgram {
        writer.outbox = writer.journal;
        writer.journal = 0;
        writer.step = Step::Ready;
    } else if fences_first || configuration.mutation == Some(Mutation::Naive) {
        writer.step = Step::Ready;
    } else {
        to_fence(configuration, state, id, 0);
    }
}

/// To the next key of the journal that has to be fenced, from this place on.
fn to_fence(configuration: &Configuration, state: &mut State, id: usize, from: usize) {
    let script = script(configuration, id, &state.writers[id]);
    let writer = &mut state.writers[id];
    if let Some(place) = (from..script.keys.len()).find(|at| has(writer.journal, script.keys[*at]))
    {
        writer.step = Step::Fence(place);
    } else if writer.journal == 0 {
        let State { database, writers, .. } = state;
        database.commit(id, &mut writers[id]);
        next_transaction(state, id);
    } else if writer.failed {
        if writer.transaction == Transaction::Open {
            let State { database, writers, .. } = state;
            database.roll_back(id, &mut writers[id]);
        } else {
            writer.disconnected = true;
        }
        to_look(configuration, state, id, 0);
    } else if writer.transaction == Transaction::None {
        writer.step = Step::Statement(0);
    } else {
        writer.step = Step::Ready;
    }
}

fn fence(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    place: usize,
    delivery: Delivery,
) {
    let key = script(configuration, id, &state.writers[id]).keys[place];
    let token = state.writers[id].token(id);
    let put = Command::Put(Item::Fence { token, no_write_through: false });
    let reply = deliver(state, key, put, delivery);
    let writer = &mut state.writers[id];
    if configuration.always_outbox {
        add(&mut writer.outbox, key);
    }
    match reply {
        Some(Reply::Done(cas)) => writer.fences[key] = cas,
        _ => {
            writer.fences[key] = Cas::NONE;
            add(&mut writer.doubtful, key);
            match configuration.on_unreachable {
                _ if configuration.mutation == Some(Mutation::NoOutboxRow) => {}
                OnUnreachable::Abort => writer.failed = true,
                OnUnreachable::Outbox => add(&mut writer.outbox, key),
            }
        }
    }
    to_fence(configuration, state, id, place + 1);
}

/// Takes away what lies under the keys of a transaction that was rolled back by
/// COMMIT, or releases those of one that was committed.
pub(crate) fn hear_outcome(configuration: &Configuration, state: &mut State, id: usize) {
    if state.writers[id].transaction == Transaction::Committed {
        to_release(configuration, state, id, 0);
    } else {
        to_look(configuration, state, id, 0);
    }
}

fn disconnect(configuration: &Configuration, state: &mut State, id: usize) {
    state.writers[id].disconnected = true;
    state.writers[id].step = Step::Unknown;
    if configuration.renewal == Renewal::Never {
        crash(state, id);
    }
}

/// With its token gone, a fence that was put again is released by deletion.
fn renew(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    key: usize,
    delivery: Delivery,
) {
    let token = state.writers[id].token(id);
    let fence = Item::Fence { token, no_write_through: true };
    let command = match state.server.items[key] {
        _ if configuration.renewal == Renewal::Unconditional => Command::Put(fence),
        Item::Nothing => Command::Add(fence),
        Item::Fence { token: other, .. } if other != token => return,
        Item::Lease | Item::Row(_) | Item::Fence { .. } => {
            Command::Replace(fence, state.server.versions[key])
        }
    };
    if configuration.renewal == Renewal::Unconditional {
        add(&mut state.writers[id].doubtful, key);
    }
    deliver(state, key, command, delivery);
}

/// To the next key that has to be released, from this place on.
fn to_release(configuration: &Configuration, state: &mut State, id: usize, from: usize) {
    let keys = script(configuration, id, &state.writers[id]).keys;
    let writer = &mut state.writers[id];
    match (from..keys.len()).find(|place| has(writer.journal, keys[*place])) {
        Some(place) => writer.step = Step::Release(place),
        None => ended(configuration, state, id),
    }
}

fn release(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    place: usize,
    delivery: Delivery,
) {
    let writer = state.writers[id];
    let script = script(configuration, id, &writer);
    let key = script.keys[place];
    let cas = writer.fences[key];
    let row = Item::Row(writer.revisions[key]);
    let mutation = configuration.mutation;
    if cas == Cas::NONE && mutation != Some(Mutation::Naive) {
        // Its row of the outbox makes sure of it; this is to be quick.
        state.writers[id].step = Step::Look(place);
        return look(configuration, state, id, place, delivery);
    }
    let writes_through = script.by == By::Statement
        && script.operation != Operation::Delete
        && writer.revisions[key] != 0;
    let command = match (writes_through, mutation) {
        (true, Some(Mutation::Naive | Mutation::UnconditionalWriteThrough)) => Command::Put(row),
        (true, _) => Command::Replace(row, cas),
        (false, Some(Mutation::Naive | Mutation::UnconditionalDelete)) => Command::DeleteAny,
        (false, _) => Command::Delete(cas),
    };
    match deliver(state, key, command, delivery) {
        Some(Reply::Done(_) | Reply::NotFound) => released(configuration, state, id, key, true),
        Some(Reply::Exists | Reply::OtherIncarnation) if mutation != Some(Mutation::NoClear) => {
            state.writers[id].step = Step::Look(place);
        }
        Some(Reply::Exists | Reply::OtherIncarnation) => {
            released(configuration, state, id, key, true)
        }
        None => released(configuration, state, id, key, false),
    }
}

fn place_of(configuration: &Configuration, state: &State, id: usize, key: usize) -> usize {
    let keys = script(configuration, id, &state.writers[id]).keys;
    keys.iter().position(|other| *other == key).unwrap_or(keys.len())
}

fn released(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    key: usize,
    confirmed: bool,
) {
    if !confirmed {
        add(&mut state.writers[id].unreleased, key);
    }
    let next = place_of(configuration, state, id, key) + 1;
    let writer = &state.writers[id];
    let by_outcome = matches!(writer.transaction, Transaction::Committed | Transaction::RolledBack);
    if by_outcome && !writer.disconnected && !writer.failed {
        to_release(configuration, state, id, next);
    } else {
        to_look(configuration, state, id, next);
    }
}

/// To the next key that is cleared without a token, from this place on.
fn to_look(configuration: &Configuration, state: &mut State, id: usize, from: usize) {
    let keys = script(configuration, id, &state.writers[id]).keys;
    let writer = &mut state.writers[id];
    match (from..keys.len()).find(|place| has(writer.journal, keys[*place])) {
        Some(place) => writer.step = Step::Look(place),
        None => ended(configuration, state, id),
    }
}

fn look(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    place: usize,
    delivery: Delivery,
) {
    let key = script(configuration, id, &state.writers[id]).keys[place];
    if delivery != Delivery::Answered {
        state.timeouts_left -= 1;
        return released(configuration, state, id, key, false);
    }
    let writer = &state.writers[id];
    let token = writer.token(id);
    let is_doubtful = has(writer.doubtful, key)
        || writer.disconnected && writer.transaction == Transaction::RolledBack;
    let leaves_own = is_doubtful && configuration.own_fence == OwnFence::DeletedUnlessDoubtful;
    match state.server.items[key] {
        Item::Nothing => released(configuration, state, id, key, true),
        Item::Fence { token: other, .. } if other != token || leaves_own => {
            released(configuration, state, id, key, true);
        }
        Item::Lease | Item::Row(_) | Item::Fence { .. } => {
            state.writers[id].step = Step::Delete(key, state.server.versions[key]);
        }
    }
}

/// All keys are done.
fn ended(configuration: &Configuration, state: &mut State, id: usize) {
    let writer = &state.writers[id];
    if writer.transaction == Transaction::RolledBack || writer.disconnected {
        return next_transaction(state, id);
    }
    let records = configuration.on_unreachable == OnUnreachable::Outbox
        && configuration.mutation != Some(Mutation::NoOutboxRowAfterCommit);
    if writer.unreleased != 0 && records {
        state.writers[id].step = Step::Record;
    } else {
        acknowledge(configuration, state, id);
    }
}

fn acknowledge(configuration: &Configuration, state: &mut State, id: usize) {
    let writer = state.writers[id];
    for key in 0..KEYS {
        // "Committed, but the release is not confirmed" promises nothing if
        // the fence may be lost too.
        if has(writer.unreleased, key) && !configuration.promises_linearizable() {
            continue;
        }
        let History { acknowledged, seen, .. } = &mut state.history;
        acknowledged[key] = acknowledged[key].max(writer.revisions[key]);
        seen[key] = seen[key].max(writer.revisions[key]);
    }
    next_transaction(state, id);
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
