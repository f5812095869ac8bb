//! What must hold in every state.

use super::{
    configuration::Configuration,
    protocol::Protocol,
    server::Item,
    state::State,
    writer::{Step, Transaction},
};
use stateright::Property;

/// A read that starts after a write was acknowledged returns nothing older.
pub(crate) const FRESH: &str = "no stale read after an acknowledgement";
/// A read returns nothing older than what was acknowledged, or returned by
/// another read, before it started.
pub(crate) const LINEARIZABLE: &str = "linearizable for each key";
/// What can be hit is what the database has, at any moment, or an outbox row is
/// pending. So to the outside a row's read is one with the database: the index's
/// model builds on that.
pub(crate) const CURRENT: &str = "a row in the cache is the committed one";
/// With nothing under way, the cache has what the database has, or an outbox
/// row is pending.
pub(crate) const AT_REST: &str = "at rest the cache equals the database";
/// Nothing can be read from the cache that was not committed.
pub(crate) const COMMITTED: &str = "no uncommitted value is readable";

/// The properties that the configuration promises. With a mistake built in they
/// are the same: it must be what breaks them.
pub(crate) fn promised(configuration: &Configuration) -> Vec<Property<Protocol>> {
    let mut properties = vec![
        Property::always(FRESH, |_, state: &State| !state.history.violations.stale),
        Property::always(COMMITTED, is_committed),
    ];
    if configuration.promises_linearizable() {
        properties.push(Property::always(LINEARIZABLE, |_, state: &State| {
            !state.history.violations.not_linearizable
        }));
        properties.push(Property::always(CURRENT, is_current));
    }
    if configuration.promises_rest() {
        properties.push(Property::always(AT_REST, is_agreed_at_rest));
    }
    properties
}

fn is_committed(protocol: &Protocol, state: &State) -> bool {
    (0..protocol.configuration.keys).all(|key| match state.server.items[key] {
        Item::Row(revision) => state.database.is_committed(key, revision),
        Item::Nothing | Item::Lease | Item::Fence { .. } => true,
    }) && !state.history.violations.uncommitted
}

/// Fences and leases expire by themselves; what they leave is nothing. A
/// command that is late is under way, and so is a fill.
fn is_agreed_at_rest(protocol: &Protocol, state: &State) -> bool {
    let is_at_rest =
        state.writers.iter().all(|writer| {
            writer.transaction == Transaction::None && writer.step == Step::default()
        }) && state.late.iter().all(Option::is_none);
    !is_at_rest || is_current(protocol, state)
}

fn is_current(protocol: &Protocol, state: &State) -> bool {
    (0..protocol.configuration.keys).all(|key| match state.server.items[key] {
        Item::Row(revision) => revision == state.database.current(key) || state.is_pending(key),
        Item::Nothing | Item::Lease | Item::Fence { .. } => true,
    })
}
