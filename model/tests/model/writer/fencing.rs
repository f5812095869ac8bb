//! Statements, fences, and what becomes of them while COMMIT is under way.

use super::{Step, Transaction, crash, next_transaction, release::to_look, script};
use crate::{
    configuration::{By, Configuration, Mutation, OnUnreachable, Renewal},
    database::Met,
    delivery::deliver,
    server::{Cas, Command, Delivery, Item, Reply},
    state::{State, add, has},
};

pub(super) fn run(configuration: &Configuration, state: &mut State, id: usize, place: usize) {
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
pub(super) fn to_fence(configuration: &Configuration, state: &mut State, id: usize, from: usize) {
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

pub(super) fn fence(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    place: usize,
    delivery: Delivery,
) {
    let key = script(configuration, id, &state.writers[id]).keys[place];
    let token = state.writers[id].token(id, key);
    let put = Command::Put(Item::Fence { token, no_write_through: false });
    let reply = deliver(state, key, put, delivery);
    let writer = &mut state.writers[id];
    if configuration.always_outbox {
        add(&mut writer.outbox, key);
    }
    match reply {
        Some(Reply::Done(cas)) => writer.fences[key] = cas,
        _ if configuration.faults.retries && !has(writer.retried, key) => {
            add(&mut writer.retried, key);
            // What comes late is nobody's then.
            if configuration.mutation != Some(Mutation::RetriesWithTheSameFence) {
                add(&mut writer.renamed, key);
            }
            return;
        }
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

pub(super) fn disconnect(configuration: &Configuration, state: &mut State, id: usize) {
    state.writers[id].disconnected = true;
    state.writers[id].step = Step::Unknown;
    if configuration.renewal == Renewal::Never {
        crash(state, id);
    }
}

/// With its token gone, a fence that was put again is released by deletion.
pub(super) fn renew(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    key: usize,
    delivery: Delivery,
) {
    let token = state.writers[id].token(id, key);
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
