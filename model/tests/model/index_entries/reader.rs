//! The readers. Each looks the value up again and again.

use super::{
    configuration::{Configuration, Mutation},
    server::{Command, Over},
    state::{Answer, Item, State},
};
use crate::{server::Delivery, state::has};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reader {
    Idle,
    /// About to read the row that the entry points to; `version` is whether the
    /// entry is still there.
    Following {
        row: u8,
        version: bool,
        truths: Truths,
    },
    /// About to ask the database; what it has seen, or its lease, is there.
    Asking,
    /// About to store what the database said; the same.
    Filling {
        answer: Answer,
    },
}

/// The owners that the value had since the read began, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Truths(u8);

impl Truths {
    fn of(owner: Option<u8>) -> Self {
        Self(1 << owner.map_or(0, |row| row + 1))
    }

    pub(crate) fn add(&mut self, owner: Option<u8>) {
        self.0 |= Self::of(owner).0;
    }

    fn has(self, owner: Option<u8>) -> bool {
        self.0 & Self::of(owner).0 != 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Read,
    /// Loads what it has found anew.
    Refresh,
    Follow,
    Ask,
    Fill(Delivery),
    Crash,
}

pub(crate) fn actions(
    configuration: &Configuration,
    state: &State,
    id: usize,
    actions: &mut Vec<Action>,
) {
    match state.readers[id] {
        Reader::Idle => {
            // Idle readers are alike: one of them goes first.
            if state.readers[..id].contains(&Reader::Idle) {
                return;
            }
            actions.push(Action::Read);
            if configuration.refresh && matches!(state.server.item, Item::Value(_)) {
                actions.push(Action::Refresh);
            }
            return;
        }
        Reader::Following { .. } => actions.push(Action::Follow),
        Reader::Asking => actions.push(Action::Ask),
        Reader::Filling { .. } => {
            actions.extend(state.deliveries(configuration).map(Action::Fill));
        }
    }
    if configuration.faults.crash_readers {
        actions.push(Action::Crash);
    }
}

pub(crate) fn apply(configuration: &Configuration, state: &mut State, id: usize, action: Action) {
    let kind = configuration.kind;
    match (action, state.readers[id]) {
        (Action::Read, _) => match state.server.item {
            Item::Nothing if !state.server.hold_off => {
                state.put(Item::Lease);
                state.readers[id] = Reader::Asking;
            }
            Item::Value(Answer::Owner(None)) => {
                state.is_wrong |= state.database.members != 0 && !state.is_pending();
            }
            Item::Value(Answer::Owner(Some(row))) => {
                let Answer::Owner(owner) = state.database.answer(kind) else { return };
                let truths = Truths::of(owner);
                state.readers[id] = Reader::Following { row, version: true, truths };
            }
            // A list in the cache is compared in every state.
            Item::Value(Answer::List(_)) => {}
            Item::Nothing | Item::Lease | Item::Fence(_) => {}
        },
        (Action::Refresh, _) => state.readers[id] = Reader::Asking,
        (Action::Follow, Reader::Following { row, version, truths }) => {
            let is_trusted = configuration.has(Mutation::TrustPointers);
            if is_trusted || has(state.database.members, usize::from(row)) {
                state.is_wrong |= !truths.has(Some(row));
                state.readers[id] = Reader::Idle;
            } else {
                state.readers[id] = if version { Reader::Asking } else { Reader::Idle };
            }
        }
        (Action::Ask, Reader::Asking) => {
            let answer = state.database.answer(kind);
            state.readers[id] = Reader::Filling { answer };
        }
        (Action::Fill(delivery), Reader::Filling { answer }) => {
            state.readers[id] = Reader::Idle;
            let put = Some(Item::Value(answer));
            state.deliver(Command { put, over: Over::Version(true) }, delivery);
        }
        (Action::Crash, _) => state.readers[id] = Reader::Idle,
        (action, reader) => unreachable!("{action:?} at {reader:?}"),
    }
}
