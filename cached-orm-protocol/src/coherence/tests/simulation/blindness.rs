//! Things done wrong, each of which a simulation must find; else it is blind.

use super::config::{
    Config, EMBEDDED, Faults, MOVING, Mutation, Policy, RESTARTS, Store, WITHOUT_FAULTS,
};
use super::world;
use std::time::Duration;

/// Fails unless one of that many seeds finds it.
fn is_found(mutation: Mutation, config: &Config, seeds: u64) {
    let config = Config { mutation: Some(mutation), ..*config };
    let found =
        (0..seeds).find_map(|seed| Some((seed, world::run(&config, seed, false).violation?)));
    let Some((seed, violation)) = found else {
        panic!("{mutation:?} was not found by {seeds} seeds of {:?}", config.name);
    };
    println!("{mutation:?} was found by seed {seed}: {violation}");
}

#[test]
fn a_replace_without_a_version_is_found() {
    is_found(Mutation::ReplaceIgnoresCas, &WITHOUT_FAULTS, 300);
}

#[test]
fn a_fence_that_is_not_there_is_found() {
    is_found(Mutation::FenceDoesNothing, &WITHOUT_FAULTS, 300);
}

#[test]
fn locks_that_end_before_commit_are_found() {
    is_found(Mutation::LocksEndBeforeCommit, &WITHOUT_FAULTS, 300);
}

#[test]
fn a_stale_load_is_found() {
    is_found(Mutation::LoadIsStale, &WITHOUT_FAULTS, 300);
}

#[test]
fn a_dirty_load_is_found() {
    is_found(Mutation::LoadIsDirty, &WITHOUT_FAULTS, 300);
}

#[test]
fn a_ring_that_is_not_fenced_is_found() {
    let config = Config { faults: Faults::NONE, ..MOVING };
    is_found(Mutation::OneRingIsNotFenced, &config, 500);
}

#[test]
fn a_drainer_that_deletes_fences_is_found() {
    is_found(Mutation::DrainerDeletesFences, &EMBEDDED, 1000);
}

#[test]
fn a_drainer_that_does_nothing_is_found() {
    is_found(Mutation::DrainerDoesNothing, &EMBEDDED, 1000);
}

#[test]
fn an_outbox_that_forgets_is_found() {
    is_found(Mutation::OutboxForgets, &EMBEDDED, 1000);
}

#[test]
fn tokens_that_outlive_a_restart_are_found() {
    is_found(Mutation::TokensOutliveARestart, &RESTARTS, 1000);
}

#[test]
fn leases_right_after_a_restart_are_found() {
    is_found(Mutation::NoHoldOff, &RESTARTS, 1000);
}

#[test]
fn a_commit_after_the_fences_have_expired_is_found() {
    let config = Config {
        policies: &[Policy::Abort],
        store: Store::Reference,
        faults: Faults { unknown: 2, crashed: 60, pause: 20, ..Faults::NONE },
        longest_commit: Duration::from_secs(600),
        ..EMBEDDED
    };
    is_found(Mutation::CommitOutlivesFences, &config, 1000);
}

#[test]
fn lists_fenced_as_rows_are_found() {
    is_found(Mutation::ListsAreFencedAsRows, &WITHOUT_FAULTS, 500);
}

#[test]
fn lists_that_updates_do_not_fence_are_found() {
    is_found(Mutation::ListsAreFencedOnInsert, &WITHOUT_FAULTS, 300);
}
