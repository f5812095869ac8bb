//! What becomes of the fence once the transaction is over.

use super::{Put, Step, Transaction, next_transaction};
use crate::{
    index_entries::{
        configuration::{Configuration, Fences, Mutation, ROWS},
        server::{Command, Over, Reply},
        state::{Answer, Item, NOBODYS, State, Tokens},
    },
    server::Delivery,
};

/// After a COMMIT that was confirmed.
pub(super) fn to_release(state: &mut State, id: usize) {
    let writer = &mut state.writers[id];
    writer.step = match (writer.touches, writer.put) {
        (true, Some(_)) => Step::Release,
        (true, None) => Step::Look,
        (false, _) => {
            for row in 0..ROWS {
                let acknowledged = &mut state.acknowledged[row];
                *acknowledged = (*acknowledged).max(writer.wrote[row]);
            }
            return next_transaction(state, id);
        }
    };
}

/// What stays of a fence without the writer's token.
fn without_own(configuration: &Configuration, others: Tokens) -> Option<Item> {
    let others = match configuration.mutation {
        Some(Mutation::ReleaseForAll) => 0,
        Some(Mutation::TakesContendedFence) => others & !NOBODYS,
        _ => others,
    };
    (others != 0).then_some(Item::Fence(others))
}

pub(super) fn release(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    delivery: Delivery,
) {
    let writer = &state.writers[id];
    let Some(Put { version, others }) = writer.put else { return };
    // A pointer may take an own fence's place.
    let entered = (0..ROWS as u8).find(|row| writer.wrote[usize::from(*row)] != 0);
    let put = match configuration.fences {
        Fences::Own if matches!(state.database.answer(configuration.kind), Answer::Owner(_)) => {
            entered.map(|row| Item::Value(Answer::Owner(Some(row))))
        }
        Fences::Own => None,
        Fences::Shared => without_own(configuration, others),
    };
    clear(configuration, state, id, Command { put, over: Over::Version(version) }, delivery);
}

pub(super) fn look(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    delivery: Delivery,
) {
    if delivery != Delivery::Answered {
        state.timeouts_left -= 1;
        return released(configuration, state, id, false);
    }
    let writer = &state.writers[id];
    let own = writer.token(id);
    // An own fence may lie in the place of another writer's if it may have come
    // when nothing kept that writer out any more. A token lies beside others.
    let is_doubtful = writer.put.is_none()
        || writer.disconnected && writer.transaction == Transaction::RolledBack;
    let leaves_own = configuration.fences == Fences::Own && is_doubtful;
    let put = match state.server.item {
        Item::Nothing => return released(configuration, state, id, true),
        Item::Fence(tokens) if tokens & own == 0 || leaves_own => {
            return released(configuration, state, id, true);
        }
        Item::Fence(tokens) => without_own(configuration, tokens & !own),
        Item::Lease | Item::Value(_) => None,
    };
    state.writers[id].step = Step::Clear(Command { put, over: Over::Version(true) });
}

pub(super) fn clear(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    command: Command,
    delivery: Delivery,
) {
    match state.deliver(command, delivery) {
        Some(Reply::Done | Reply::NotFound) => released(configuration, state, id, true),
        Some(Reply::Exists) => state.writers[id].step = Step::Look,
        None => released(configuration, state, id, false),
    }
}

pub(super) fn released(
    configuration: &Configuration,
    state: &mut State,
    id: usize,
    is_confirmed: bool,
) {
    state.writers[id].unreleased = !is_confirmed;
    ended(configuration, state, id);
}

pub(super) fn ended(configuration: &Configuration, state: &mut State, id: usize) {
    let writer = &mut state.writers[id];
    if writer.transaction == Transaction::Sent {
        // Only by mistake. It goes on without its writer.
        writer.step = Step::Crashed;
        return;
    }
    if writer.transaction != Transaction::Committed || writer.disconnected {
        return next_transaction(state, id);
    }
    if writer.unreleased && configuration.outbox {
        writer.step = Step::Record;
    } else {
        acknowledge(configuration, state, id);
    }
}

pub(super) fn acknowledge(configuration: &Configuration, state: &mut State, id: usize) {
    let writer = state.writers[id];
    // "Committed, but the release is not confirmed" promises nothing if the
    // fence may be lost too.
    if !writer.unreleased || configuration.promises_current() {
        for row in 0..ROWS {
            state.acknowledged[row] = state.acknowledged[row].max(writer.wrote[row]);
        }
    }
    next_transaction(state, id);
}
