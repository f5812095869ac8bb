//! The drainer: takes an outbox row, looks at what lies under its key, and
//! takes it away, or marks it if it is a fence.
//!
//! Its transaction holds the outbox row's lock: if it crashes, the row is there
//! again. The deletion of the outbox row is one step with the last command,
//! since what matters is that it does not come before.

use super::{
    configuration::{Configuration, KEYS, Mutation},
    delivery::{deliver, deliveries},
    server::{Cas, Command, Delivery, Item, Reply, Token},
    state::{State, add, has, remove},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Drainer {
    Idle,
    Took { key: usize },
    Looked { key: usize, cas: Cas, fence: Option<Token> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Take(usize),
    Look,
    Act(Delivery),
    /// Or an error: it begins again.
    Crash,
}

impl Drainer {
    pub(crate) fn key(self) -> Option<usize> {
        match self {
            Self::Idle => None,
            Self::Took { key } | Self::Looked { key, .. } => Some(key),
        }
    }
}

pub(crate) fn actions(configuration: &Configuration, state: &State, actions: &mut Vec<Action>) {
    match state.drainer {
        Drainer::Idle => {
            let pending = (0..KEYS).filter(|key| has(state.database.outbox, *key));
            actions.extend(pending.map(Action::Take));
        }
        Drainer::Took { .. } => actions.push(Action::Look),
        Drainer::Looked { .. } => {
            actions.extend(deliveries(configuration, state).map(Action::Act));
        }
    }
    if configuration.faults.crash_writers && state.drainer != Drainer::Idle {
        actions.push(Action::Crash);
    }
}

pub(crate) fn apply(configuration: &Configuration, state: &mut State, action: Action) {
    match (action, state.drainer) {
        (Action::Take(key), _) => {
            remove(&mut state.database.outbox, key);
            state.drainer = Drainer::Took { key };
        }
        (Action::Look, Drainer::Took { key }) => {
            let cas = state.server.versions[key];
            let mutation = configuration.mutation;
            state.drainer = match state.server.items[key] {
                Item::Nothing => Drainer::Idle,
                Item::Lease if mutation == Some(Mutation::DrainerSkipsLeases) => Drainer::Idle,
                Item::Fence { .. } if mutation == Some(Mutation::DrainerSkipsFences) => {
                    Drainer::Idle
                }
                Item::Fence { token, .. } if mutation != Some(Mutation::DrainerDeletesFences) => {
                    Drainer::Looked { key, cas, fence: Some(token) }
                }
                Item::Lease | Item::Row(_) | Item::Fence { .. } => {
                    Drainer::Looked { key, cas, fence: None }
                }
            };
        }
        (Action::Act(delivery), Drainer::Looked { key, cas, fence }) => {
            let command = match fence {
                Some(token) => Command::Replace(Item::Fence { token, no_write_through: true }, cas),
                None => Command::Delete(cas),
            };
            state.drainer = match deliver(state, key, command, delivery) {
                Some(Reply::Done(_) | Reply::NotFound) => Drainer::Idle,
                Some(Reply::Exists | Reply::OtherIncarnation) | None => Drainer::Took { key },
            };
        }
        (Action::Crash, drainer) => {
            if let Some(key) = drainer.key() {
                add(&mut state.database.outbox, key);
            }
            state.drainer = Drainer::Idle;
        }
        (Action::Look | Action::Act(_), drainer) => unreachable!("{action:?} at {drainer:?}"),
    }
}
