//! The lookups as a [`Model`], and what must hold in every state of it.

use super::{
    configuration::{Configuration, READERS, ROWS, WRITERS},
    database, reader, server,
    state::{Answer, Drainer, Item, State, Tokens},
    writer,
};
use crate::{
    index_entries::server::{Command, Over, Reply},
    server::Delivery,
};
use stateright::{Checker, HasDiscoveries, Model, Property};
use std::{collections::BTreeSet, time::Instant};

/// A lookup returns what was true at some moment of it.
pub(crate) const RIGHT: &str = "the answer was true at some moment of the read";
/// What is not checked when it is read, a list or "none has it", is what the
/// database has at any moment, or an outbox row is pending.
pub(crate) const CURRENT: &str = "what is trusted in the cache is committed";
/// Nothing older than an acknowledged write can be read.
pub(crate) const FRESH: &str = "no stale entry after an acknowledgement";
/// With nothing under way, what is trusted is right.
pub(crate) const AT_REST: &str = "at rest what is trusted is right";

#[derive(Debug, Clone)]
pub(crate) struct Lookups(pub(crate) Configuration);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Writer(usize, writer::Action),
    Reader(usize, reader::Action),
    Drainer(Drain),
    Database(database::Event),
    Server(server::Event),
}

/// What the drainer does, which is as in the main model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drain {
    Take,
    Look,
    Act(Delivery),
}

fn drain(state: &mut State, step: Drain) {
    match (step, state.drainer) {
        (Drain::Take, _) => {
            state.database.outbox = false;
            state.drainer = Drainer::Took;
        }
        (Drain::Look, _) => {
            state.drainer = match state.server.item {
                Item::Nothing => Drainer::Idle,
                Item::Fence(tokens) => Drainer::Looked { version: true, fence: Some(tokens) },
                Item::Lease | Item::Value(_) => Drainer::Looked { version: true, fence: None },
            };
        }
        (Drain::Act(delivery), Drainer::Looked { version, fence }) => {
            // Puts a fence over itself: with all its tokens.
            let put = fence.map(|tokens: Tokens| Item::Fence(tokens));
            let command = Command { put, over: Over::Version(version) };
            state.drainer = match state.deliver(command, delivery) {
                Some(Reply::Done | Reply::NotFound) => Drainer::Idle,
                Some(Reply::Exists) | None => Drainer::Took,
            };
        }
        (Drain::Act(_), drainer) => unreachable!("{drainer:?}"),
    }
}

impl Model for Lookups {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::initial(&self.0)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let configuration = &self.0;
        let mut events = Vec::new();
        database::events(configuration, state, &mut events);
        actions.extend(events.drain(..).map(Action::Database));
        let mut events = Vec::new();
        server::events(configuration, state, &mut events);
        actions.extend(events.drain(..).map(Action::Server));
        match state.drainer {
            Drainer::Idle if state.database.outbox => actions.push(Action::Drainer(Drain::Take)),
            Drainer::Idle => {}
            Drainer::Took => actions.push(Action::Drainer(Drain::Look)),
            Drainer::Looked { .. } => {
                let ways = state.deliveries(configuration).map(Drain::Act);
                actions.extend(ways.map(Action::Drainer));
            }
        }
        let mut steps = Vec::new();
        for id in 0..WRITERS {
            writer::actions(configuration, state, id, &mut steps);
            actions.extend(steps.drain(..).map(|step| Action::Writer(id, step)));
        }
        let mut steps = Vec::new();
        for id in 0..READERS {
            reader::actions(configuration, state, id, &mut steps);
            actions.extend(steps.drain(..).map(|step| Action::Reader(id, step)));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let configuration = &self.0;
        let mut next = state.clone();
        match action {
            Action::Writer(id, action) => writer::apply(configuration, &mut next, id, action),
            Action::Reader(id, action) => reader::apply(configuration, &mut next, id, action),
            Action::Drainer(step) => drain(&mut next, step),
            Action::Database(event) => next.happen(configuration, event),
            Action::Server(event) => next.serve(configuration, event),
        }
        next.normalize();
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![Property::always(FRESH, |_, state: &State| is_fresh(state))];
        if self.0.promises_current() {
            properties.push(Property::always(RIGHT, |_, state: &State| !state.is_wrong));
            properties.push(Property::always(CURRENT, is_current));
        }
        if self.0.promises_rest() {
            properties.push(Property::always(AT_REST, |lookups, state: &State| {
                !is_at_rest(state) || is_current(lookups, state)
            }));
        }
        properties
    }
}

fn is_current(Lookups(configuration): &Lookups, state: &State) -> bool {
    match state.server.item {
        Item::Value(value @ (Answer::List(_) | Answer::Owner(None))) => {
            value == state.database.answer(configuration.kind) || state.is_pending()
        }
        Item::Value(Answer::Owner(Some(_))) => true,
        Item::Nothing | Item::Lease | Item::Fence(_) => true,
    }
}

fn is_fresh(state: &State) -> bool {
    match state.server.item {
        Item::Value(Answer::List(revisions)) => {
            state.is_pending() || (0..ROWS).all(|row| revisions[row] >= state.acknowledged[row])
        }
        _ => true,
    }
}

/// A fill may be under way: it can't be stored over anything that was fenced.
fn is_at_rest(state: &State) -> bool {
    let at_rest = |writer: &writer::Writer| {
        writer.transaction == writer::Transaction::None && writer.step == writer::Step::default()
    };
    state.writers.iter().all(at_rest) && state.late.iter().all(Option::is_none)
}

/// Every state must have every promised property.
pub(crate) fn holds(name: &str, configuration: &Configuration) {
    let began = Instant::now();
    let checker = Lookups(configuration.clone())
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    eprintln!(
        "index, {name}: {} states, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f64(),
    );
    if let Some((property, path)) = checker.discoveries().into_iter().next() {
        let last = format!("{:#?}", path.last_state());
        panic!("{name}: \"{property}\" does not hold:\n{:#?}\n{last}", path.into_actions());
    }
}

/// Some state must lack each of these properties.
pub(crate) fn is_caught(name: &str, properties: &[&'static str], configuration: &Configuration) {
    for property in properties {
        let began = Instant::now();
        let checker = Lookups(configuration.clone())
            .checker()
            .finish_when(HasDiscoveries::AnyOf(BTreeSet::from([*property])))
            .spawn_bfs()
            .join();
        let actions = checker.discovery(property).map(|path| path.into_actions());
        let steps = actions.as_ref().map(Vec::len);
        eprintln!(
            "index, {name}: \"{property}\" is violated after {steps:?} steps; {} states, {:.1} s",
            checker.unique_state_count(),
            began.elapsed().as_secs_f64(),
        );
        if std::env::var_os("MODEL_PATHS").is_some() {
            for action in actions.iter().flatten() {
                eprintln!("    {action:?}");
            }
        }
        assert!(steps.is_some(), "{name}: \"{property}\" holds");
    }
}
