//! What becomes of the fences once the transaction is over.

use super::{Step, Transaction, next_transaction, script};
use crate::{
    configuration::{By, Configuration, KEYS, Mutation, OnUnreachable, Operation, OwnFence},
    delivery::deliver,
    server::{Cas, Command, Delivery, Item, Reply},
    state::{History, State, add, has},
};

/// Takes away what lies under the keys of a transaction that was rolled back by
/// COMMIT, or releases those of one that was committed.
pub(crate) fn hear_outcome(configuration: &Configuration, state: &mut State, id: usize) {
    if state.writers[id].transaction == Transaction::Committed {
        to_release(configuration, state, id, 0);
    } else {
        to_look(configuration, state, id, 0);
    }
}

/// To the next key that has to be released, from this place on.
pub(super) fn to_release(configuration: &Configuration, state: &mut State, id: usize, from: usize) {
    let keys = script(configuration, id, &state.writers[id]).keys;
    let writer = &mut state.writers[id];
    match (from..keys.len()).find(|place| has(writer.journal, keys[*place])) {
        Some(place) => writer.step = Step::Release(place),
        None => ended(configuration, state, id),
    }
}

pub(super) fn release(
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

pub(super) fn place_of(
    configuration: &Configuration,
    state: &State,
    id: usize,
    key: usize,
) -> usize {
    let keys = script(configuration, id, &state.writers[id]).keys;
    keys.iter().position(|other| *other == key).unwrap_or(keys.len())
}

pub(super) fn released(
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
pub(super) fn to_look(configuration: &Configuration, state: &mut State, id: usize, from: usize) {
    let keys = script(configuration, id, &state.writers[id]).keys;
    let writer = &mut state.writers[id];
    match (from..keys.len()).find(|place| has(writer.journal, keys[*place])) {
        Some(place) => writer.step = Step::Look(place),
        None => ended(configuration, state, id),
    }
}

pub(super) fn look(
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
    let token = writer.token(id, key);
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
pub(super) fn ended(configuration: &Configuration, state: &mut State, id: usize) {
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

pub(super) fn acknowledge(configuration: &Configuration, state: &mut State, id: usize) {
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
