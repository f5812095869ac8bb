//! The readers. Each reads again and again, any key, for ever.
//!
//! What is left out, and why nothing is lost:
//!
//! - A read begins with its `mg`, in one step. To begin earlier would only
//!   lower what it may not fall below.
//! - A read that was told to ask again later, or that must load for itself
//!   without filling, is a read that begins then: its load comes after its
//!   beginning. Unless loads are shared, it is one step.
//! - A reader that crashes begins anew.
//! - Who owns a fill returns what was loaded, and that was loaded after the
//!   read began. So only who joins has a floor to remember.
//! - A caller who goes away is one whose result nobody looks at.

use super::{
    configuration::{Configuration, Mutation, READERS},
    delivery::{deliver, deliveries},
    server::{Cas, Command, Delivery, Item, Reply},
    state::State,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reader {
    Idle,
    /// Loads, and fills if the token still holds.
    Filling {
        key: usize,
        cas: Cas,
        stage: Stage,
    },
    /// Waits for the fill of the other reader in its process.
    Joined {
        key: usize,
        floor: Floor,
    },
    /// Loads without filling: the load was begun.
    Loading {
        key: usize,
    },
    /// The database has answered, the reader doesn't know yet.
    Loaded {
        key: usize,
        revision: u8,
    },
    /// Waits for the load after the one that is under way.
    Waiting {
        key: usize,
        floor: Floor,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    Loading,
    Loaded(u8),
    /// The fill was sent.
    Storing(u8),
    /// The server has answered, the reader doesn't know yet.
    Answered {
        revision: u8,
        stored: bool,
    },
}

/// What a read may not fall below, as of its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Floor {
    acknowledged: u8,
    seen: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Read(usize),
    /// The cache does not get the `mg`.
    ReadUncached(usize),
    /// The cache's answer is lost, and with it a lease.
    ReadUnanswered(usize),
    /// The row is there, and is loaded anew.
    Refresh(usize),
    Load,
    SendFill,
    Fill(Delivery),
    HearFill,
    HearLoad,
    /// Its process crashes.
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
            if (0..id).any(|other| state.readers[other] == Reader::Idle) {
                return;
            }
            for key in 0..configuration.keys {
                actions.push(Action::Read(key));
                if configuration.faults.timeouts > 0 {
                    actions.push(Action::ReadUncached(key));
                    if state.server.items[key] == Item::Nothing && !state.server.hold_off {
                        actions.push(Action::ReadUnanswered(key));
                    }
                }
                if configuration.refresh && matches!(state.server.items[key], Item::Row(_)) {
                    actions.push(Action::Refresh(key));
                }
            }
            return;
        }
        Reader::Filling { stage, .. } => match stage {
            Stage::Loading => actions.push(Action::Load),
            Stage::Loaded(_) if configuration.one_process => actions.push(Action::SendFill),
            Stage::Loaded(_) | Stage::Storing(_) => {
                actions.extend(deliveries(configuration, state).map(Action::Fill));
            }
            Stage::Answered { .. } => actions.push(Action::HearFill),
        },
        Reader::Loading { .. } => actions.push(Action::Load),
        Reader::Loaded { .. } => actions.push(Action::HearLoad),
        Reader::Joined { .. } | Reader::Waiting { .. } => {}
    }
    if configuration.faults.crash_readers {
        actions.push(Action::Crash);
    }
}

pub(crate) fn apply(configuration: &Configuration, state: &mut State, id: usize, action: Action) {
    match (action, state.readers[id]) {
        (Action::Read(key), _) => read(configuration, state, id, key),
        (Action::ReadUncached(key), _) => load_only(configuration, state, id, key),
        (Action::ReadUnanswered(key), _) => {
            state.server.lease(key);
            load_only(configuration, state, id, key);
        }
        (Action::Refresh(key), _) => match other_filling(configuration, state, id, key) {
            Some(stage) => join(configuration, state, id, key, stage),
            None => {
                let cas = state.server.versions[key];
                state.readers[id] = Reader::Filling { key, cas, stage: Stage::Loading };
            }
        },
        (Action::Load, Reader::Filling { key, cas, .. }) => {
            let stage = Stage::Loaded(state.database.current(key));
            state.readers[id] = Reader::Filling { key, cas, stage };
        }
        (Action::Load, Reader::Loading { key }) => {
            state.readers[id] = Reader::Loaded { key, revision: state.database.current(key) };
        }
        (Action::SendFill, Reader::Filling { key, cas, stage: Stage::Loaded(revision) }) => {
            state.readers[id] = Reader::Filling { key, cas, stage: Stage::Storing(revision) };
        }
        (
            Action::Fill(delivery),
            Reader::Filling { key, cas, stage: Stage::Loaded(revision) | Stage::Storing(revision) },
        ) => {
            let row = Item::Row(revision);
            let is_set =
                matches!(configuration.mutation, Some(Mutation::Naive | Mutation::FillWithoutCas));
            let command = if is_set { Command::Put(row) } else { Command::Replace(row, cas) };
            let reply = deliver(state, key, command, delivery);
            let stored = matches!(reply, Some(Reply::Done(_)));
            if configuration.one_process {
                let stage = Stage::Answered { revision, stored };
                state.readers[id] = Reader::Filling { key, cas, stage };
            } else {
                finish(state, id, key, revision, Floor::default());
            }
        }
        (
            Action::HearFill,
            Reader::Filling { key, stage: Stage::Answered { revision, stored }, .. },
        ) => {
            finish(state, id, key, revision, Floor::default());
            let trusts = stored || configuration.mutation == Some(Mutation::JoinUnconfirmedFill);
            for other in 0..READERS {
                match state.readers[other] {
                    Reader::Joined { floor, .. } if trusts => {
                        finish(state, other, key, revision, floor);
                    }
                    Reader::Joined { .. } => load_only(configuration, state, other, key),
                    _ => {}
                }
            }
        }
        (Action::HearLoad, Reader::Loaded { key, revision }) => {
            finish(state, id, key, revision, Floor::default());
            for other in 0..READERS {
                if let Reader::Waiting { floor, .. } = state.readers[other] {
                    if configuration.mutation == Some(Mutation::JoinLoadUnderWay) {
                        finish(state, other, key, revision, floor);
                    } else {
                        state.readers[other] = Reader::Loading { key };
                    }
                }
            }
        }
        (Action::Crash, _) => {
            if configuration.one_process {
                state.readers = [Reader::Idle; READERS];
            } else {
                state.readers[id] = Reader::Idle;
            }
        }
        (
            Action::Load | Action::SendFill | Action::Fill(_) | Action::HearFill | Action::HearLoad,
            reader,
        ) => unreachable!("{action:?} at {reader:?}"),
    }
}

fn read(configuration: &Configuration, state: &mut State, id: usize, key: usize) {
    match state.server.items[key] {
        Item::Nothing if !state.server.hold_off => {
            let cas = state.server.lease(key);
            state.readers[id] = Reader::Filling { key, cas, stage: Stage::Loading };
        }
        Item::Row(revision) => {
            let floor = floor(configuration, state, key);
            if !state.database.is_committed(key, revision) {
                state.history.violations.uncommitted = true;
            }
            finish(state, id, key, revision, floor);
        }
        Item::Lease => {
            if let Some(stage) = other_filling(configuration, state, id, key) {
                join(configuration, state, id, key, stage);
            }
        }
        Item::Nothing | Item::Fence { .. } => load_only(configuration, state, id, key),
    }
}

/// How far the other reader of the same process is with its fill of the key.
fn other_filling(
    configuration: &Configuration,
    state: &State,
    id: usize,
    key: usize,
) -> Option<Stage> {
    if !configuration.one_process {
        return None;
    }
    state.readers.iter().enumerate().find_map(|(other, reader)| match reader {
        Reader::Filling { key: filled, stage, .. } if other != id && *filled == key => Some(*stage),
        _ => None,
    })
}

/// Waits for a fill, if it has not been sent. Who is too late for it asks again
/// when it is over.
fn join(configuration: &Configuration, state: &mut State, id: usize, key: usize, stage: Stage) {
    let in_time = matches!(stage, Stage::Loading | Stage::Loaded(_));
    if in_time || configuration.mutation == Some(Mutation::JoinStoredFill) {
        state.readers[id] = Reader::Joined { key, floor: floor(configuration, state, key) };
    }
}

fn load_only(configuration: &Configuration, state: &mut State, id: usize, key: usize) {
    if !configuration.one_process {
        let revision = state.database.current(key);
        return finish(state, id, key, revision, Floor::default());
    }
    let is_under_way = state.readers.iter().enumerate().any(|(other, reader)| {
        other != id
            && matches!(reader, Reader::Loading { key: loaded } | Reader::Loaded { key: loaded, .. } if *loaded == key)
    });
    state.readers[id] = if is_under_way {
        Reader::Waiting { key, floor: floor(configuration, state, key) }
    } else {
        Reader::Loading { key }
    };
}

/// Nothing is promised for keys whose outbox row is pending, unless every write
/// has one.
fn floor(configuration: &Configuration, state: &State, key: usize) -> Floor {
    if state.is_pending(key) && !configuration.always_outbox {
        return Floor::default();
    }
    Floor { acknowledged: state.history.acknowledged[key], seen: state.history.seen[key] }
}

fn finish(state: &mut State, id: usize, key: usize, revision: u8, floor: Floor) {
    state.readers[id] = Reader::Idle;
    let history = &mut state.history;
    history.violations.stale |= revision < floor.acknowledged;
    history.violations.not_linearizable |= revision < floor.seen;
    history.seen[key] = history.seen[key].max(revision);
}
