//! The protocol as a [`Model`]: one step of somebody is one transition.

use super::{
    configuration::{Configuration, READERS, WRITERS},
    database, delivery, drainer, properties, reader, server,
    state::State,
    writer,
};
use stateright::{Model, Property};

#[derive(Debug, Clone)]
pub(crate) struct Protocol {
    pub(crate) configuration: Configuration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Writer(usize, writer::Action),
    Reader(usize, reader::Action),
    Drainer(drainer::Action),
    Database(database::Step),
    Server(server::Step),
    Late(delivery::Step),
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::initial(&self.configuration)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let configuration = &self.configuration;
        let mut steps = Vec::new();
        database::steps(configuration, state, &mut steps);
        actions.extend(steps.drain(..).map(Action::Database));
        let mut steps = Vec::new();
        server::steps(configuration, state, &mut steps);
        actions.extend(steps.drain(..).map(Action::Server));
        let mut steps = Vec::new();
        delivery::steps(state, &mut steps);
        actions.extend(steps.drain(..).map(Action::Late));
        let mut steps = Vec::new();
        drainer::actions(configuration, state, &mut steps);
        actions.extend(steps.drain(..).map(Action::Drainer));
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
        let configuration = &self.configuration;
        let mut next = state.clone();
        match action {
            Action::Writer(id, action) => writer::apply(configuration, &mut next, id, action),
            Action::Reader(id, action) => reader::apply(configuration, &mut next, id, action),
            Action::Drainer(action) => drainer::apply(configuration, &mut next, action),
            Action::Database(step) => database::apply(configuration, &mut next, step),
            Action::Server(step) => server::apply(configuration, &mut next, step),
            Action::Late(step) => delivery::apply(&mut next, step),
        }
        next.normalize(configuration);
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::promised(&self.configuration)
    }
}
