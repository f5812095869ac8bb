//! The cache server: items, their versions, hold-off, eviction and restart.
//!
//! **CAS tokens.** A token matters only as far as it equals the version of the
//! item that now lies under its key: the counter only rises, so a token that is
//! not equal now never will be. `State::normalize` therefore replaces every
//! token that is held by "of the item as it is", [`Cas::OUTDATED`] or
//! [`Cas::OTHER_INCARNATION`], and lets the counter start again. That is an
//! exact picture of a counter, without its history. Only the mutation that
//! carries tokens over a restart needs real numbers, and counts them.
//!
//! **Time.** Nothing has a clock. A fence outlives the transactions that it
//! protects (its TTL is longer than the commit window and COMMIT together), and
//! so does a hold-off: the fences that a restart has lost were put before it,
//! their COMMITs are sent within W, and H − W is what a COMMIT may take. So a
//! fence may expire, and the hold-off end, when those transactions have ended.
//! With `slow_commits` it is enough that COMMIT was sent.

use super::{
    configuration::{Configuration, KEYS, Mutation},
    state::{State, add},
    writer::Transaction,
};

/// A version of an item, as far as somebody remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Cas(pub(crate) u8);

impl Cas {
    /// Nothing is remembered.
    pub(crate) const NONE: Self = Self(0);
    /// The item has changed since.
    pub(crate) const OUTDATED: Self = Self(254);
    /// The server has restarted since. Such a token is never sent, and a
    /// command that was sent with it was lost with its connection.
    pub(crate) const OTHER_INCARNATION: Self = Self(255);
}

/// Tells one transaction's fences from another's.
pub(crate) type Token = u8;

/// What lies under a key. `Row` is what the key's revision says: the row, or
/// that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) enum Item {
    #[default]
    Nothing,
    Lease,
    Row(u8),
    Fence {
        token: Token,
        no_write_through: bool,
    },
}

/// A command, as the server gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Command {
    /// Puts something, whatever lies there. The protocol does so with fences only.
    Put(Item),
    /// Puts something where nothing lies.
    Add(Item),
    /// Puts something over one version.
    Replace(Item, Cas),
    /// Deletes one version.
    Delete(Cas),
    /// Deletes whatever lies there. The protocol never does.
    DeleteAny,
}

impl Command {
    /// The token it depends on.
    pub(crate) fn cas(&mut self) -> Option<&mut Cas> {
        match self {
            Self::Replace(_, cas) | Self::Delete(cas) => Some(cas),
            Self::Put(_) | Self::Add(_) | Self::DeleteAny => None,
        }
    }
}

/// The server's answer to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Done. What lies there now, if anything does, has this version.
    Done(Cas),
    Exists,
    NotFound,
    /// Not sent.
    OtherIncarnation,
}

/// How a command fares on its way. Where commands can be late, one that is lost
/// is one that is late and never arrives, and one whose reply is lost is one
/// that arrives at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Carried out, and the reply comes.
    Answered,
    /// Not carried out; a timeout for the client.
    Lost,
    /// Carried out, and the reply is lost; a timeout for the client.
    Unanswered,
    /// A timeout for the client, and the command arrives later, or never.
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) items: [Item; KEYS],
    pub(crate) versions: [Cas; KEYS],
    pub(crate) counter: u8,
    pub(crate) hold_off: bool,
    /// The writers whose transactions the hold-off waits for.
    pub(crate) waits_for: u8,
    pub(crate) restarts_left: u8,
}

/// What happens to the server by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A row or a lease is evicted or expires.
    Evict(usize),
    /// A fence is evicted or expires.
    DropFence(usize),
    Restart,
    EndHoldOff,
}

impl Server {
    pub(crate) fn execute(&mut self, key: usize, command: Command) -> Reply {
        let found = match command {
            Command::Put(_) | Command::DeleteAny => None,
            Command::Add(_) if self.items[key] == Item::Nothing => None,
            Command::Add(_) => Some(Reply::Exists),
            Command::Replace(_, cas) | Command::Delete(cas) => {
                if cas == Cas::OTHER_INCARNATION {
                    Some(Reply::OtherIncarnation)
                } else if self.items[key] == Item::Nothing {
                    Some(Reply::NotFound)
                } else {
                    (cas != self.versions[key]).then_some(Reply::Exists)
                }
            }
        };
        if let Some(refused) = found {
            return refused;
        }
        match command {
            Command::Put(item) | Command::Add(item) | Command::Replace(item, _) => {
                Reply::Done(self.store(key, item))
            }
            Command::Delete(_) | Command::DeleteAny => {
                self.clear(key);
                Reply::Done(Cas::NONE)
            }
        }
    }

    /// What `mg` with a lease does where nothing lies.
    pub(crate) fn lease(&mut self, key: usize) -> Cas {
        self.store(key, Item::Lease)
    }

    fn store(&mut self, key: usize, item: Item) -> Cas {
        self.counter += 1;
        self.items[key] = item;
        self.versions[key] = Cas(self.counter);
        self.versions[key]
    }

    fn clear(&mut self, key: usize) {
        self.items[key] = Item::Nothing;
        self.versions[key] = Cas::NONE;
    }
}

pub(crate) fn steps(configuration: &Configuration, state: &State, steps: &mut Vec<Step>) {
    let faults = &configuration.faults;
    let server = &state.server;
    for key in 0..configuration.keys {
        match server.items[key] {
            Item::Lease if faults.evict_leases => steps.push(Step::Evict(key)),
            Item::Row(_) if faults.evict_rows => steps.push(Step::Evict(key)),
            Item::Fence { .. }
                if faults.evict_fences
                    || configuration.mutation == Some(Mutation::CommitAfterTtl)
                    || !is_protected(configuration, state, key) =>
            {
                steps.push(Step::DropFence(key));
            }
            Item::Nothing | Item::Lease | Item::Row(_) | Item::Fence { .. } => {}
        }
    }
    if server.restarts_left > 0 {
        steps.push(Step::Restart);
    }
    if server.hold_off
        && state
            .writers
            .iter()
            .enumerate()
            .all(|(id, writer)| server.waits_for >> id & 1 == 0 || !is_open(configuration, writer))
    {
        steps.push(Step::EndHoldOff);
    }
}

/// Whether a transaction that may still commit has put a fence on the key.
fn is_protected(configuration: &Configuration, state: &State, key: usize) -> bool {
    state
        .writers
        .iter()
        .any(|writer| writer.fences[key] != Cas::NONE && is_open(configuration, writer))
}

fn is_open(configuration: &Configuration, writer: &super::writer::Writer) -> bool {
    match writer.transaction {
        Transaction::Open => true,
        Transaction::Sent => !configuration.faults.slow_commits,
        Transaction::None | Transaction::Committed | Transaction::RolledBack => false,
    }
}

pub(crate) fn apply(configuration: &Configuration, state: &mut State, step: Step) {
    match step {
        Step::Evict(key) | Step::DropFence(key) => state.server.clear(key),
        Step::EndHoldOff => {
            state.server.hold_off = false;
            state.server.waits_for = 0;
        }
        Step::Restart => {
            let mut waits_for = 0;
            for (id, writer) in state.writers.iter().enumerate() {
                let has_fenced = writer.fences.iter().any(|cas| *cas != Cas::NONE);
                if has_fenced && is_open(configuration, writer) {
                    add(&mut waits_for, id);
                }
            }
            let hold_off = configuration.mutation != Some(Mutation::NoHoldOff);
            state.server = Server {
                items: [Item::Nothing; KEYS],
                versions: [Cas::NONE; KEYS],
                counter: 0,
                hold_off,
                waits_for: if hold_off { waits_for } else { 0 },
                restarts_left: state.server.restarts_left - 1,
            };
            if configuration.mutation != Some(Mutation::UnscopedCas) {
                state.each_cas(|_, cas| {
                    if *cas != Cas::NONE {
                        *cas = Cas::OTHER_INCARNATION;
                    }
                });
            }
        }
    }
}
