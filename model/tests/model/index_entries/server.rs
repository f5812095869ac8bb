//! The entry in the cache, and commands to it. Everything by itself that is not
//! said here is as in the main model's `server` and `delivery`.
//!
//! **Time.** A fence outlives the transactions that it protects: each writer who
//! adds its token, or takes it out, gives the fence its whole life anew. Writers
//! leave a token out that they have seen for as long as a fence lives; so a token,
//! like a fence, may go when its writer's transaction is over. `NOBODYS` stands for
//! all those that it was put over: it may go when all that go on have put theirs
//! again.

use super::{
    configuration::{Configuration, Mutation},
    state::{Item, NOBODYS, State, Tokens},
};
use crate::{
    server::Delivery,
    state::{add, has},
};

/// What a command asks of the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Over {
    Anything,
    Nothing,
    /// A version that was seen; whether it is the present one.
    Version(bool),
}

/// Puts something, or deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Command {
    pub(crate) put: Option<Item>,
    pub(crate) over: Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Done,
    /// Something else lies there, or the server has restarted.
    Exists,
    NotFound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) item: Item,
    pub(crate) hold_off: bool,
    /// The writers whose transactions the hold-off waits for.
    pub(crate) waits_for: u8,
    pub(crate) restarts_left: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Evict,
    /// Somebody leaves these tokens out.
    LeaveOut(Tokens),
    Restart,
    EndHoldOff,
    Arrive(usize),
    Vanish(usize),
}

impl State {
    pub(crate) fn execute(&mut self, command: Command) -> Reply {
        match command.over {
            Over::Nothing if self.server.item != Item::Nothing => return Reply::Exists,
            Over::Version(_) if self.server.item == Item::Nothing => return Reply::NotFound,
            Over::Version(false) => return Reply::Exists,
            Over::Anything | Over::Nothing | Over::Version(true) => {}
        }
        self.put(command.put.unwrap_or(Item::Nothing));
        Reply::Done
    }

    /// No reply is a timeout.
    pub(crate) fn deliver(&mut self, command: Command, delivery: Delivery) -> Option<Reply> {
        if delivery == Delivery::Answered {
            return Some(self.execute(command));
        }
        self.timeouts_left -= 1;
        match delivery {
            Delivery::Answered | Delivery::Lost => {}
            Delivery::Unanswered => {
                self.execute(command);
            }
            Delivery::Late => {
                if let Some(place) = self.late.iter_mut().find(|place| place.is_none()) {
                    *place = Some(command);
                }
            }
        }
        None
    }

    /// The ways a command may go now.
    pub(crate) fn deliveries(
        &self,
        configuration: &Configuration,
    ) -> impl Iterator<Item = Delivery> + use<> {
        let ways: &[Delivery] = match (self.timeouts_left, configuration.faults.late) {
            (0, _) => &[Delivery::Answered],
            (_, true) => &[Delivery::Answered, Delivery::Late],
            (_, false) => &[Delivery::Answered, Delivery::Lost, Delivery::Unanswered],
        };
        ways.iter().copied()
    }

    pub(crate) fn serve(&mut self, configuration: &Configuration, event: Event) {
        match event {
            Event::Evict => self.put(Item::Nothing),
            Event::LeaveOut(tokens) => {
                if let Item::Fence(found) = self.server.item {
                    self.put(Item::Fence(found & !tokens));
                }
            }
            Event::EndHoldOff => {
                self.server.hold_off = false;
                self.server.waits_for = 0;
            }
            Event::Restart => {
                self.put(Item::Nothing);
                self.server.restarts_left -= 1;
                if configuration.has(Mutation::NoHoldOff) {
                    return;
                }
                self.server.hold_off = true;
                for (id, writer) in self.writers.iter().enumerate() {
                    if writer.is_protected() {
                        add(&mut self.server.waits_for, id);
                    }
                }
            }
            Event::Arrive(place) => {
                if let Some(command) = self.late[place].take() {
                    self.execute(command);
                }
            }
            Event::Vanish(place) => self.late[place] = None,
        }
    }
}

pub(crate) fn events(configuration: &Configuration, state: &State, events: &mut Vec<Event>) {
    let (faults, server) = (&configuration.faults, &state.server);
    let is_evicted = match server.item {
        Item::Nothing => false,
        Item::Lease => faults.evict_leases,
        Item::Value(_) => faults.evict_values,
        Item::Fence(_) => {
            faults.evict_fences || !state.writers.iter().any(|writer| writer.is_protected())
        }
    };
    if is_evicted {
        events.push(Event::Evict);
    }
    if let Item::Fence(found) = server.item {
        let needed = state.needed_tokens();
        let is_covered = needed & !found == 0;
        for token in (0..8).map(|bit| 1 << bit).filter(|token| found & token != 0) {
            let may_go = if token == NOBODYS { is_covered } else { needed & token == 0 };
            // A fence without tokens is one that has gone.
            if (may_go || configuration.has(Mutation::LeavesAnyTokenOut)) && found != token {
                events.push(Event::LeaveOut(token));
            }
        }
    }
    if server.restarts_left > 0 {
        events.push(Event::Restart);
    }
    let mut writers = state.writers.iter().enumerate();
    if server.hold_off
        && writers.all(|(id, writer)| !has(server.waits_for, id) || !writer.is_open())
    {
        events.push(Event::EndHoldOff);
    }
    for (place, _) in state.late.iter().enumerate().filter(|(_, late)| late.is_some()) {
        events.extend([Event::Arrive(place), Event::Vanish(place)]);
    }
}
