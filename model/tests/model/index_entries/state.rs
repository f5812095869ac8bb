//! All there is at one moment.

use super::{
    configuration::{Configuration, Kind, READERS, ROWS, WRITERS},
    database::Database,
    reader::Reader,
    server::{Command, Over, Server},
    writer::{Step, Writer},
};

/// What the database says of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    /// The row that has it.
    Owner(Option<u8>),
    /// Which rows have it, by the revisions of all.
    List([u8; ROWS]),
}

/// The tokens in a fence, as a set.
pub(crate) type Tokens = u8;

/// A token that nobody takes away.
pub(crate) const NOBODYS: Tokens = 1 << 7;

/// What lies under the entry's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Item {
    Nothing,
    Lease,
    Value(Answer),
    Fence(Tokens),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Drainer {
    Idle,
    Took,
    Looked { version: bool, fence: Option<Tokens> },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) database: Database,
    pub(crate) server: Server,
    pub(crate) writers: [Writer; WRITERS],
    pub(crate) readers: [Reader; READERS],
    pub(crate) drainer: Drainer,
    /// Commands that may still arrive.
    pub(crate) late: [Option<Command>; 2],
    pub(crate) timeouts_left: u8,
    /// The latest acknowledged revision of each row.
    pub(crate) acknowledged: [u8; ROWS],
    /// A read has returned what was true at no moment of it.
    pub(crate) is_wrong: bool,
}

impl State {
    pub(crate) fn initial(configuration: &Configuration) -> Self {
        let Configuration { members, faults, .. } = configuration;
        let restarts_left = faults.restarts;
        Self {
            database: Database { revisions: [0; ROWS], members: *members, outbox: false },
            server: Server { item: Item::Nothing, hold_off: false, waits_for: 0, restarts_left },
            writers: [Writer::default(); WRITERS],
            readers: [Reader::Idle; READERS],
            drainer: Drainer::Idle,
            late: [None; 2],
            timeouts_left: faults.timeouts,
            acknowledged: [0; ROWS],
            is_wrong: false,
        }
    }

    /// Puts an item, whatever was there: no version that was seen is the present
    /// one any more.
    pub(crate) fn put(&mut self, item: Item) {
        self.server.item = item;
        for reader in &mut self.readers {
            match reader {
                Reader::Following { version, .. } => *version = false,
                // What it has asked, or asks now, is true, and is not stored.
                Reader::Asking | Reader::Filling { .. } => *reader = Reader::Idle,
                Reader::Idle => {}
            }
        }
        for writer in &mut self.writers {
            if let Some(put) = &mut writer.put {
                put.version = false;
            }
            match &mut writer.step {
                Step::Fence(command) | Step::Renew(command) | Step::Clear(command) => {
                    command.outdate();
                }
                _ => {}
            }
        }
        if let Drainer::Looked { version, .. } = &mut self.drainer {
            *version = false;
        }
        for command in self.late.iter_mut().flatten() {
            command.outdate();
        }
    }

    /// The tokens of the writers whose fences may not go.
    pub(crate) fn needed_tokens(&self) -> Tokens {
        let writers = self.writers.iter().enumerate();
        let needed = writers.filter(|(_, writer)| writer.is_protected());
        needed.fold(0, |tokens, (id, writer)| tokens | writer.token(id))
    }

    /// Whether a row of the outbox speaks of the entry.
    pub(crate) fn is_pending(&self) -> bool {
        self.database.outbox || self.drainer != Drainer::Idle
    }

    /// What was committed is true from now on.
    pub(crate) fn note_truth(&mut self, kind: Kind) {
        let Answer::Owner(owner) = self.database.answer(kind) else { return };
        for reader in &mut self.readers {
            if let Reader::Following { truths, .. } = reader {
                truths.add(owner);
            }
        }
    }

    pub(crate) fn normalize(&mut self) {
        // It is refused whenever it comes.
        for place in &mut self.late {
            if matches!(place, Some(Command { over: Over::Version(false), .. })) {
                *place = None;
            }
        }
        self.late.sort_unstable();
        self.readers.sort_unstable();
    }
}

impl Command {
    fn outdate(&mut self) {
        if let Over::Version(is_present) = &mut self.over {
            *is_present = false;
        }
    }
}
