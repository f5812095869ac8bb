//! Explores every state of a configuration.

use super::{configuration::Configuration, protocol::Protocol};
use stateright::{Checker, HasDiscoveries, Model};
use std::{collections::BTreeSet, time::Instant};

/// Every state must have every promised property.
pub(crate) fn holds(name: &str, configuration: Configuration) {
    let began = Instant::now();
    let checker = Protocol { configuration }
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    eprintln!(
        "{name}: {} states, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f64(),
    );
    if let Some((property, path)) = checker.discoveries().into_iter().next() {
        panic!("{name}: \"{property}\" does not hold:\n{path}{:#?}", path.last_state());
    }
}

/// Some state must lack the property.
pub(crate) fn is_caught(name: &str, property: &'static str, configuration: Configuration) {
    let began = Instant::now();
    let checker = Protocol { configuration }
        .checker()
        .finish_when(HasDiscoveries::AnyOf(BTreeSet::from([property])))
        .spawn_bfs()
        .join();
    let actions = checker.discovery(property).map(|path| path.into_actions());
    let steps = actions.as_ref().map(Vec::len);
    eprintln!(
        "{name}: \"{property}\" is violated after {steps:?} steps; {} states, {:.1} s",
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
