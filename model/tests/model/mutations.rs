//! Mistakes, each in the smallest configuration that shows it. The same
//! configuration without the mistake holds.

use super::{
    check::{holds, is_caught},
    configuration::{
        BY_OTHERS, Configuration, Faults, INSERT, LONG_UPDATE, Mutation, OnUnreachable, OwnFence,
        Renewal, UPDATE,
    },
    properties::{AT_REST, COMMITTED, CURRENT, FRESH, LINEARIZABLE},
};

fn check(mutation: Mutation, properties: &[&'static str], configuration: Configuration) {
    holds(&format!("without {mutation:?}"), configuration.clone());
    for property in properties {
        let mutated = configuration.clone().mutated(mutation);
        is_caught(&format!("{mutation:?}"), property, mutated);
    }
}

fn with(faults: Faults) -> Configuration {
    Configuration { faults, ..Configuration::PLAIN }
}

#[test]
fn set_after_commit_and_plain_fill() {
    check(Mutation::Naive, &[FRESH, LINEARIZABLE, AT_REST], Configuration::PLAIN);
}

#[test]
fn fence_before_statement() {
    check(Mutation::FenceBeforeStatement, &[LINEARIZABLE, CURRENT], Configuration::PLAIN);
    check(
        Mutation::FenceBeforeStatement,
        &[AT_REST],
        with(Faults { crash_writers: true, ..Faults::NONE }),
    );
}

#[test]
fn fences_on_rows_that_no_statement_met() {
    check(
        Mutation::FenceUnmetRows,
        &[LINEARIZABLE],
        Configuration {
            rows_exist: false,
            scripts: [&[INSERT], &[UPDATE]],
            ..Configuration::PLAIN
        },
    );
}

#[test]
fn fill_without_cas() {
    check(Mutation::FillWithoutCas, &[FRESH, LINEARIZABLE, AT_REST], Configuration::PLAIN);
}

#[test]
fn tokens_used_after_a_restart() {
    check(
        Mutation::UnscopedCas,
        &[FRESH, LINEARIZABLE, AT_REST],
        Configuration { counts_tokens: true, ..with(Faults { restarts: 1, ..Faults::NONE }) },
    );
}

#[test]
fn no_hold_off() {
    check(Mutation::NoHoldOff, &[LINEARIZABLE], with(Faults { restarts: 1, ..Faults::NONE }));
    check(
        Mutation::NoHoldOff,
        &[AT_REST],
        with(Faults { restarts: 1, crash_writers: true, ..Faults::NONE }),
    );
}

#[test]
fn joining_an_unconfirmed_fill() {
    check(
        Mutation::JoinUnconfirmedFill,
        &[FRESH, LINEARIZABLE],
        Configuration { one_process: true, refresh: true, ..Configuration::PLAIN },
    );
}

#[test]
fn joining_a_fill_that_is_confirmed_after_the_read_began() {
    check(
        Mutation::JoinStoredFill,
        &[FRESH, LINEARIZABLE],
        Configuration {
            one_process: true,
            faults: Faults { evict_rows: true, timeouts: 1, ..Faults::NONE },
            ..Configuration::PLAIN
        },
    );
}

#[test]
fn joining_a_load_under_way() {
    check(
        Mutation::JoinLoadUnderWay,
        &[FRESH, LINEARIZABLE],
        Configuration { one_process: true, ..Configuration::PLAIN },
    );
}

#[test]
fn no_outbox_row_for_a_fence_that_failed() {
    check(
        Mutation::NoOutboxRow,
        &[FRESH, AT_REST],
        Configuration {
            on_unreachable: OnUnreachable::Outbox,
            faults: Faults { timeouts: 1, ..Faults::NONE },
            ..Configuration::PLAIN
        },
    );
}

#[test]
fn unconditional_delete() {
    check(
        Mutation::UnconditionalDelete,
        &[LINEARIZABLE, AT_REST],
        Configuration {
            scripts: [&[LONG_UPDATE], &[UPDATE]],
            faults: Faults { crash_writers: true, ..Faults::NONE },
            ..Configuration::PLAIN
        },
    );
}

#[test]
fn unconditional_write_through() {
    check(
        Mutation::UnconditionalWriteThrough,
        &[FRESH, LINEARIZABLE, AT_REST],
        Configuration::PLAIN,
    );
}

#[test]
fn release_that_does_not_clear() {
    check(Mutation::NoClear, &[FRESH], with(Faults { evict_fences: true, ..Faults::NONE }));
}

#[test]
fn drainer_that_deletes_fences() {
    check(
        Mutation::DrainerDeletesFences,
        &[LINEARIZABLE],
        Configuration { scripts: [&[BY_OTHERS], &[UPDATE]], ..Configuration::PLAIN },
    );
}

#[test]
fn drainer_that_ignores_fences() {
    check(
        Mutation::DrainerSkipsFences,
        &[FRESH, AT_REST],
        Configuration { scripts: [&[BY_OTHERS], &[UPDATE]], ..Configuration::PLAIN },
    );
}

#[test]
fn drainer_that_ignores_leases() {
    check(
        Mutation::DrainerSkipsLeases,
        &[FRESH, AT_REST],
        Configuration { scripts: [&[BY_OTHERS], &[]], ..Configuration::PLAIN },
    );
}

#[test]
fn commit_after_the_fence_has_expired() {
    check(Mutation::CommitAfterTtl, &[LINEARIZABLE], Configuration::PLAIN);
    check(
        Mutation::CommitAfterTtl,
        &[AT_REST],
        with(Faults { crash_writers: true, ..Faults::NONE }),
    );
}

#[test]
fn write_through_before_commit() {
    check(Mutation::WriteThroughBeforeCommit, &[COMMITTED, CURRENT], Configuration::PLAIN);
}

/// A fence that was set after its writer's row lock was gone may lie in the
/// place of another writer's: its writer must not take it away.
#[test]
fn doubtful_fences_taken_away() {
    let timeouts = Faults { timeouts: 1, late: true, ..Faults::NONE };
    let plain = Configuration::PLAIN;
    let outbox = Configuration { on_unreachable: OnUnreachable::Outbox, ..plain.clone() };
    let unconditional = Configuration { renewal: Renewal::Unconditional, ..plain.clone() };
    for (name, configuration) in [
        ("rolled back for it", Configuration { faults: timeouts, ..plain.clone() }),
        ("enlisted for it", Configuration { faults: timeouts, ..outbox.clone() }),
        (
            "fenced again",
            Configuration { faults: Faults { missed_windows: true, ..timeouts }, ..outbox },
        ),
        (
            "renewed",
            Configuration {
                faults: Faults { unknown_commits: true, ..Faults::NONE },
                ..unconditional
            },
        ),
        (
            "lost its transaction",
            Configuration { faults: Faults { lost_transactions: true, ..Faults::NONE }, ..plain },
        ),
    ] {
        holds(name, configuration.clone());
        let mutated = Configuration { own_fence: OwnFence::Deleted, ..configuration.clone() };
        is_caught(name, CURRENT, mutated.clone());
        if configuration.faults.timeouts == 0 {
            is_caught(name, LINEARIZABLE, mutated.clone());
            let faults = Faults { crash_writers: true, ..configuration.faults };
            is_caught(name, AT_REST, Configuration { faults, ..mutated });
        }
    }
}

/// A fence that is put once more, since the first was not answered, must not be
/// taken for the first: that one may come when the row is locked by another writer.
#[test]
fn retried_fences() {
    let faults = Faults { timeouts: 1, late: true, retries: true, ..Faults::NONE };
    for on_unreachable in [OnUnreachable::Abort, OnUnreachable::Outbox] {
        let once = Configuration { on_unreachable, faults, ..Configuration::PLAIN };
        holds("put once more", once.clone());
        is_caught("the same", CURRENT, once.mutated(Mutation::RetriesWithTheSameFence));
    }
    let faults = Faults { timeouts: 2, rollbacks: true, ..faults };
    holds("put once more, in vain", Configuration { faults, ..Configuration::PLAIN });
}

/// What does not look at what lies there must not be taken for certain, and
/// what looks may.
#[test]
fn renewal() {
    for renewal in [Renewal::Conditional, Renewal::Never, Renewal::Unconditional] {
        let configuration = Configuration {
            renewal,
            faults: Faults {
                unknown_commits: true,
                rollbacks: true,
                crash_writers: true,
                ..Faults::NONE
            },
            ..Configuration::PLAIN
        };
        holds(&format!("{renewal:?} renewal"), configuration);
    }
}
