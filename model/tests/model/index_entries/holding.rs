//! Configurations in which everything promised holds.

use super::{
    configuration::{
        Change::{Enter, Leave},
        Configuration, Faults, Fences, Script,
    },
    lookups::holds,
};

const MOVES: [&[Script]; 3] = [&[&[Enter(0)], &[Leave(0)]], &[&[Enter(1)]], &[]];
/// The value goes from one row to another in one transaction, and comes back.
const HANDED_OVER: [&[Script]; 3] = [&[&[Leave(0), Enter(1)]], &[&[Leave(1), Enter(0)]], &[]];
const FAILED_TRANSACTIONS: Faults =
    Faults { rollbacks: true, lost_transactions: true, unknown_commits: true, ..Faults::CRASHES };

fn unique(scripts: [&'static [Script]; 3], members: u8, faults: Faults) -> Configuration {
    Configuration { scripts, members, faults, refresh: true, ..Configuration::UNIQUE }
}

fn list(scripts: [&'static [Script]; 3], faults: Faults) -> Configuration {
    Configuration { scripts, faults, ..Configuration::LIST }
}

#[test]
fn unique_values() {
    holds("unique, crashes", &unique(MOVES, 0, Faults::CRASHES));
    holds("unique, handed over", &unique(HANDED_OVER, 1, Faults::CRASHES));
    holds("unique, failed transactions", &unique(MOVES, 0, FAILED_TRANSACTIONS));
    let faults = Faults { timeouts: 1, late: true, restarts: 1, ..Faults::CRASHES };
    holds("unique, late, restart", &unique(MOVES, 0, faults));
}

const TWO: [&[Script]; 3] = [&[&[Enter(0)]], &[&[Leave(1)]], &[]];
const THREE: [&[Script]; 3] = [&[&[Enter(0)]], &[&[Leave(1)]], &[&[Enter(2)]]];
const AGAIN: [&[Script]; 3] = [&[&[Enter(0)], &[Leave(0)]], &[&[Leave(1)]], &[]];
const ONE_ROW: [&[Script]; 3] = [&[&[Enter(0)]], &[&[Enter(0)], &[Leave(0)]], &[]];

#[test]
fn lists() {
    holds("list, crashes", &list(AGAIN, Faults::CRASHES));
    holds("list, one row", &list(ONE_ROW, Faults::CRASHES));
    holds("list, refresh", &Configuration { refresh: true, ..list(TWO, Faults::CRASHES) });
    holds("list, three writers", &list(THREE, Faults::NONE));
}

#[test]
fn lists_of_transactions_that_fail() {
    holds("list, failed transactions", &list(TWO, FAILED_TRANSACTIONS));
}

#[test]
fn lists_beside_commands_lost_and_late() {
    holds("list, lost", &list(TWO, Faults { timeouts: 2, ..Faults::EVICTION }));
    holds("list, late", &list(TWO, Faults { timeouts: 1, late: true, ..Faults::CRASHES }));
    let faults = Faults { timeouts: 1, late: true, rollbacks: true, ..Faults::CRASHES };
    holds("list, outbox", &Configuration { outbox: true, ..list(TWO, faults) });
}

#[test]
fn lists_beside_restarts_and_contention() {
    holds("list, restart", &list(TWO, Faults { restarts: 1, ..Faults::CRASHES }));
    holds("list, contention", &list(TWO, Faults { contention: true, ..Faults::CRASHES }));
}

#[test]
fn writes_by_others() {
    let by_others = |configuration| Configuration { others: 0b10, ..configuration };
    holds("unique, by others", &by_others(unique(MOVES, 0, Faults::CRASHES)));
    holds("list, by others", &by_others(list(AGAIN, Faults::CRASHES)));
}

/// What is read may then not be what the database has.
#[test]
fn lists_without_their_fences() {
    let faults = Faults { evict_fences: true, ..Faults::EVICTION };
    holds("list, fences evicted", &list(AGAIN, faults));
}

/// Shared fences need no order of the writers.
#[test]
fn unique_values_under_shared_fences() {
    let fences = Fences::Shared;
    let unordered = unique(HANDED_OVER, 1, Faults::CRASHES);
    holds("unique, shared fences", &Configuration { fences, ..unordered });
}

macro_rules! large {
    ($($name:ident: $configuration:expr;)*) => { $(
        #[test]
        #[ignore = "large: minutes, and gigabytes; best with --release"]
        fn $name() {
            holds(stringify!($name), &$configuration);
        }
    )* };
}

const EVERYTHING: Faults =
    Faults { timeouts: 1, late: true, restarts: 1, contention: true, ..FAILED_TRANSACTIONS };

large! {
    large_unique: unique(MOVES, 0, Faults { contention: false, ..EVERYTHING });
    large_unique_handed_over: unique(HANDED_OVER, 1, Faults { contention: false, ..EVERYTHING });
    large_list: list(TWO, EVERYTHING);
    large_list_outbox: Configuration {
        outbox: true,
        ..list(TWO, Faults { timeouts: 1, late: true, restarts: 1, rollbacks: true, ..Faults::CRASHES })
    };
    large_list_of_one_row: list(ONE_ROW, Faults { restarts: 1, ..FAILED_TRANSACTIONS });
    large_list_again: list(AGAIN, Faults { restarts: 1, contention: true, ..FAILED_TRANSACTIONS });
    large_list_three_writers: list(THREE, Faults { rollbacks: true, contention: true, ..Faults::CRASHES });
    large_list_three_writers_restart: list(THREE, Faults { restarts: 1, ..Faults::CRASHES });
    large_list_fences_lost: Configuration {
        outbox: true,
        ..list(TWO, Faults { evict_fences: true, timeouts: 1, late: true, restarts: 1, ..Faults::EVICTION })
    };
}
