//! The way of a command to the server, and what happens on it.
//!
//! A connection that has timed out is closed, but what was written to it may
//! still arrive. An unconditional command may arrive at any time, even after a
//! restart; one with a token belongs to one incarnation, and is lost with it.

use super::{
    configuration::Configuration,
    server::{Command, Delivery, Reply},
    state::State,
};

/// A late command's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Arrive(usize),
    Vanish(usize),
}

/// The ways a command may go now.
pub(crate) fn deliveries(
    configuration: &Configuration,
    state: &State,
) -> impl Iterator<Item = Delivery> + use<> {
    let ways: &[Delivery] = match (state.timeouts_left, configuration.faults.late) {
        (0, _) => &[Delivery::Answered],
        (_, true) => &[Delivery::Answered, Delivery::Late],
        (_, false) => &[Delivery::Answered, Delivery::Lost, Delivery::Unanswered],
    };
    ways.iter().copied()
}

/// Sends a command; no reply is a timeout.
pub(crate) fn deliver(
    state: &mut State,
    key: usize,
    command: Command,
    delivery: Delivery,
) -> Option<Reply> {
    if delivery == Delivery::Answered {
        return Some(state.server.execute(key, command));
    }
    state.timeouts_left -= 1;
    match delivery {
        Delivery::Answered | Delivery::Lost => {}
        Delivery::Unanswered => {
            state.server.execute(key, command);
        }
        Delivery::Late => state.send_late(key, command),
    }
    None
}

pub(crate) fn steps(state: &State, steps: &mut Vec<Step>) {
    for (place, _) in state.late.iter().enumerate().filter(|(_, late)| late.is_some()) {
        steps.extend([Step::Arrive(place), Step::Vanish(place)]);
    }
}

pub(crate) fn apply(state: &mut State, step: Step) {
    let (Step::Arrive(place) | Step::Vanish(place)) = step;
    if let Some((key, command)) = state.late[place].take()
        && let Step::Arrive(_) = step
    {
        state.server.execute(key, command);
    }
}
