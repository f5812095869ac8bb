//! All there is at one moment, and what is done to it after each step so that
//! equal situations are equal states.

use super::{
    configuration::{Configuration, KEYS, READERS, WRITERS},
    database::Database,
    drainer::Drainer,
    reader::Reader,
    server::{Cas, Command, Item, Server},
    writer::Writer,
};

/// Commands that may still arrive.
pub(crate) const LATE: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) database: Database,
    pub(crate) server: Server,
    pub(crate) writers: [Writer; WRITERS],
    pub(crate) readers: [Reader; READERS],
    pub(crate) drainer: Drainer,
    pub(crate) late: [Option<(usize, Command)>; LATE],
    pub(crate) timeouts_left: u8,
    pub(crate) history: History,
}

/// What the outside has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct History {
    /// The latest acknowledged revision.
    pub(crate) acknowledged: [u8; KEYS],
    /// The latest revision that was acknowledged, or returned by a read.
    pub(crate) seen: [u8; KEYS],
    pub(crate) violations: Violations,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Violations {
    pub(crate) stale: bool,
    pub(crate) not_linearizable: bool,
    pub(crate) uncommitted: bool,
}

/// A set of small numbers.
pub(crate) fn add(set: &mut u8, member: usize) {
    *set |= 1 << member;
}

pub(crate) fn remove(set: &mut u8, member: usize) {
    *set &= !(1 << member);
}

pub(crate) fn has(set: u8, member: usize) -> bool {
    set >> member & 1 == 1
}

impl State {
    pub(crate) fn initial(configuration: &Configuration) -> Self {
        Self {
            database: Database::initial(configuration),
            server: Server {
                items: [Item::Nothing; KEYS],
                versions: [Cas::NONE; KEYS],
                counter: 0,
                hold_off: false,
                waits_for: 0,
                restarts_left: configuration.faults.restarts,
            },
            writers: [Writer::default(); WRITERS],
            readers: [Reader::Idle; READERS],
            drainer: Drainer::Idle,
            late: [None; LATE],
            timeouts_left: configuration.faults.timeouts,
            history: History::default(),
        }
    }

    /// Whether a row of the outbox speaks of the key.
    pub(crate) fn is_pending(&self, key: usize) -> bool {
        has(self.database.outbox, key) || self.drainer.key() == Some(key)
    }

    /// Notes a command that may arrive later. There is room for as many as may
    /// time out.
    pub(crate) fn send_late(&mut self, key: usize, command: Command) {
        if let Some(place) = self.late.iter_mut().find(|place| place.is_none()) {
            *place = Some((key, command));
        }
    }

    /// Every token that somebody holds, with its key.
    pub(crate) fn each_cas(&mut self, mut visit: impl FnMut(usize, &mut Cas)) {
        for writer in &mut self.writers {
            for (key, cas) in writer.fences.iter_mut().enumerate() {
                visit(key, cas);
            }
            if let Some((key, cas)) = writer.looked_up() {
                visit(key, cas);
            }
        }
        for reader in &mut self.readers {
            if let Reader::Filling { key, cas, .. } = reader {
                visit(*key, cas);
            }
        }
        if let Drainer::Looked { key, cas, .. } = &mut self.drainer {
            visit(*key, cas);
        }
        for (key, command) in self.late.iter_mut().flatten() {
            if let Some(cas) = command.cas() {
                visit(*key, cas);
            }
        }
    }

    pub(crate) fn normalize(&mut self, configuration: &Configuration) {
        if !configuration.counts_tokens {
            let versions = self.server.versions;
            self.each_cas(|key, cas| {
                if *cas == versions[key] && *cas != Cas::NONE {
                    *cas = Cas(1);
                } else if *cas != Cas::NONE && *cas != Cas::OTHER_INCARNATION {
                    *cas = Cas::OUTDATED;
                }
            });
            for version in &mut self.server.versions {
                version.0 = version.0.min(1);
            }
            self.server.counter = 1;
            for place in &mut self.late {
                let cas = place.as_mut().and_then(|(_, command)| command.cas());
                if matches!(cas, Some(&mut (Cas::OUTDATED | Cas::OTHER_INCARNATION))) {
                    *place = None;
                }
            }
        }
        self.late.sort_unstable();
        // Readers are alike, and a reader in a fill that the other has joined is "the other".
        self.readers.sort_unstable();
    }
}
