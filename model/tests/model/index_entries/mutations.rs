//! Mistakes, each beside the same configuration without it, which holds.

use super::{
    configuration::{
        Change::{Enter, Leave},
        Configuration, Faults, Fences, Mutation, Script,
    },
    lookups::{AT_REST, CURRENT, FRESH, RIGHT, holds, is_caught},
};

fn check(mutation: Mutation, properties: &[&'static str], configuration: &Configuration) {
    holds(&format!("without {mutation:?}"), configuration);
    is_caught(&format!("{mutation:?}"), properties, &configuration.mutated(mutation));
}

fn crashes(configuration: Configuration) -> Configuration {
    Configuration {
        faults: Faults { crash_writers: true, ..configuration.faults },
        ..configuration
    }
}

#[test]
fn absent_without_fences_on_new_values() {
    check(Mutation::NoFences, &[RIGHT, CURRENT, AT_REST], &Configuration::UNIQUE);
}

#[test]
fn pointers_that_are_trusted() {
    let scripts: [&[Script]; 3] = [&[&[Leave(0)]], &[], &[]];
    let configuration = Configuration { scripts, members: 1, ..Configuration::UNIQUE };
    check(Mutation::TrustPointers, &[RIGHT], &configuration);
}

#[test]
fn lists_without_fences() {
    check(Mutation::NoFences, &[FRESH, CURRENT, AT_REST], &Configuration::LIST);
}

#[test]
fn lists_whose_old_values_are_not_fenced() {
    check(Mutation::NewValuesOnly, &[FRESH, CURRENT, AT_REST], &Configuration::LIST);
}

/// A list's writers have no lock in common: each takes away the other's fence.
#[test]
fn lists_without_merge() {
    let list = Configuration::LIST;
    for (properties, list) in [(&[CURRENT][..], list.clone()), (&[AT_REST], crashes(list))] {
        holds("with merge", &list);
        is_caught("without merge", properties, &Configuration { fences: Fences::Own, ..list });
    }
}

#[test]
fn a_release_for_all() {
    check(Mutation::ReleaseForAll, &[CURRENT], &Configuration::LIST);
    check(Mutation::ReleaseForAll, &[AT_REST], &crashes(Configuration::LIST));
}

#[test]
fn a_fence_added_over_anything() {
    check(Mutation::AddOverAnything, &[CURRENT], &Configuration::LIST);
}

#[test]
fn a_release_before_the_end() {
    let faults = Faults { unknown_commits: true, ..Faults::NONE };
    let configuration = Configuration { faults, ..Configuration::LIST };
    check(Mutation::ReleaseWhileUnknown, &[CURRENT], &configuration);
}

#[test]
fn a_contended_fence_that_is_taken_away() {
    let faults = Faults { contention: true, ..Faults::NONE };
    let configuration = Configuration { faults, ..Configuration::LIST };
    check(Mutation::TakesContendedFence, &[CURRENT], &configuration);
}

#[test]
fn tokens_left_out_that_are_needed() {
    check(Mutation::LeavesAnyTokenOut, &[CURRENT], &Configuration::LIST);
    check(Mutation::LeavesAnyTokenOut, &[AT_REST], &crashes(Configuration::LIST));
}

#[test]
fn no_hold_off() {
    let faults = Faults { restarts: 1, ..Faults::NONE };
    for configuration in [Configuration::UNIQUE, Configuration::LIST] {
        check(Mutation::NoHoldOff, &[CURRENT], &Configuration { faults, ..configuration });
    }
}

/// A constraint that is checked at COMMIT, or none: who is rolled back then takes
/// away a fence that lies in another's place. Shared fences do without an order.
#[test]
fn unique_values_whose_writers_are_not_in_order() {
    let scripts: [&[Script]; 3] = [&[&[Enter(0)]], &[&[Enter(1)]], &[]];
    let faults = Faults { rollbacks: true, ..Faults::NONE };
    let configuration = Configuration { scripts, faults, ..Configuration::UNIQUE };
    check(Mutation::UnorderedWriters, &[RIGHT, CURRENT], &configuration);
    let shared = Configuration { fences: Fences::Shared, ..configuration };
    holds("UnorderedWriters, shared", &shared.mutated(Mutation::UnorderedWriters));
}
