//! Entries of a unique index: the cache holds a pointer to the row, and whoever
//! follows it checks that the row has the value that was asked for.
//!
//! One value is looked up; two rows have it in turn, or none has. A row's read is
//! one step with the database, which the other model shows (see `CURRENT`
//! there). Nobody fences the entry: writers don't know of it here.
//!
//! Entries of the kind "no row has this value", and entries of other indexes,
//! are not checked when they are read. Here they are a mistake: they need
//! fences on old and new values.

use stateright::{Checker, HasDiscoveries, Model, Property};

const READERS: usize = 2;
const RIGHT: &str = "the answer was true at some moment of the read";

/// Which row has the value.
type Owner = Option<u8>;

const OWNERS: [Owner; 3] = [None, Some(0), Some(1)];

#[derive(Debug, Clone, Copy)]
struct Lookups {
    /// How often the value changes its owner.
    moves: u8,
    mutation: Option<Mutation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mutation {
    /// The row is returned whatever its value is.
    TrustPointers,
    /// "No row has it" is stored, and believed.
    StoreAbsent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Entry {
    Nothing,
    Lease,
    Pointer(u8),
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Reader {
    Idle,
    /// About to read the row that the entry points to.
    Following {
        row: u8,
        truths: Truths,
    },
    /// About to ask the database, and to fill if it `holds` the lease.
    Asking {
        holds: bool,
        truths: Truths,
    },
    /// About to fill, if it still holds the lease.
    Filling {
        holds: bool,
        answer: Owner,
    },
}

/// The owners that the value had since the read began, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Truths(u8);

impl Truths {
    fn of(owner: Owner) -> Self {
        Self(1 << owner.map_or(0, |row| row + 1))
    }

    fn and(self, owner: Owner) -> Self {
        Self(self.0 | Self::of(owner).0)
    }

    fn has(self, owner: Owner) -> bool {
        self.0 & Self::of(owner).0 != 0
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    owner: Owner,
    moves_left: u8,
    entry: Entry,
    readers: [Reader; READERS],
    wrong: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// A transaction commits.
    Move(Owner),
    Evict,
    Read(usize),
    Follow(usize),
    Ask(usize),
    Fill(usize),
    Crash(usize),
}

impl State {
    /// Puts an entry, whatever was there: no other reader's lease holds any more.
    fn put(&mut self, entry: Entry) {
        self.entry = entry;
        for reader in &mut self.readers {
            if let Reader::Asking { holds, .. } | Reader::Filling { holds, .. } = reader {
                *holds = false;
            }
        }
    }

    fn answer(&mut self, answer: Owner, truths: Truths) {
        self.wrong |= !truths.has(answer);
    }
}

impl Model for Lookups {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let initial = |owner| State {
            owner,
            moves_left: self.moves,
            entry: Entry::Nothing,
            readers: [Reader::Idle; READERS],
            wrong: false,
        };
        OWNERS.map(initial).to_vec()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.moves_left > 0 {
            let others = OWNERS.into_iter().filter(|owner| *owner != state.owner);
            actions.extend(others.map(Action::Move));
        }
        if state.entry != Entry::Nothing {
            actions.push(Action::Evict);
        }
        for (id, reader) in state.readers.iter().enumerate() {
            actions.push(match reader {
                Reader::Idle => Action::Read(id),
                Reader::Following { .. } => Action::Follow(id),
                Reader::Asking { .. } => Action::Ask(id),
                Reader::Filling { .. } => Action::Fill(id),
            });
            actions.push(Action::Crash(id));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Move(owner) => {
                next.owner = owner;
                next.moves_left -= 1;
                for reader in &mut next.readers {
                    if let Reader::Following { truths, .. } | Reader::Asking { truths, .. } = reader
                    {
                        *truths = truths.and(owner);
                    }
                }
            }
            Action::Evict => next.put(Entry::Nothing),
            Action::Crash(id) => next.readers[id] = Reader::Idle,
            Action::Read(id) => {
                let truths = Truths::of(state.owner);
                match state.entry {
                    Entry::Nothing => {
                        next.put(Entry::Lease);
                        next.readers[id] = Reader::Asking { holds: true, truths };
                    }
                    Entry::Lease => next.readers[id] = Reader::Asking { holds: false, truths },
                    Entry::Pointer(row) => next.readers[id] = Reader::Following { row, truths },
                    Entry::Absent => next.answer(None, truths),
                }
            }
            Action::Follow(id) => {
                let Reader::Following { row, truths } = state.readers[id] else { return None };
                if state.owner == Some(row) || self.mutation == Some(Mutation::TrustPointers) {
                    next.answer(Some(row), truths);
                    next.readers[id] = Reader::Idle;
                } else {
                    next.readers[id] = Reader::Asking { holds: false, truths };
                }
            }
            Action::Ask(id) => {
                let Reader::Asking { holds, truths } = state.readers[id] else { return None };
                next.answer(state.owner, truths);
                next.readers[id] = Reader::Filling { holds, answer: state.owner };
            }
            Action::Fill(id) => {
                let Reader::Filling { holds, answer } = state.readers[id] else { return None };
                match answer {
                    Some(row) if holds => next.put(Entry::Pointer(row)),
                    None if holds && self.mutation == Some(Mutation::StoreAbsent) => {
                        next.put(Entry::Absent);
                    }
                    None if holds => next.put(Entry::Nothing),
                    Some(_) | None => {}
                }
                next.readers[id] = Reader::Idle;
            }
        }
        next.readers.sort_unstable();
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(RIGHT, |_, state: &State| !state.wrong)]
    }
}

/// The path to a wrong answer, if there is one.
fn wrong_answer(mutation: Option<Mutation>) -> Option<usize> {
    let checker = Lookups { moves: 4, mutation }
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let steps = checker.discovery(RIGHT).map(|path| path.into_actions().len());
    eprintln!(
        "unique index, {mutation:?}: {} states, wrong after {steps:?} steps",
        checker.unique_state_count()
    );
    steps
}

#[test]
fn pointers_that_are_verified() {
    assert_eq!(wrong_answer(None), None);
}

#[test]
fn pointers_that_are_trusted() {
    assert!(wrong_answer(Some(Mutation::TrustPointers)).is_some());
}

#[test]
fn absent_without_fences() {
    assert!(wrong_answer(Some(Mutation::StoreAbsent)).is_some());
}
