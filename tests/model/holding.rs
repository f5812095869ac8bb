//! Configurations in which everything promised holds.

use super::{
    check::holds,
    configuration::{Configuration, Faults},
};

#[test]
fn without_faults() {
    holds("without faults", Configuration::PLAIN);
}

#[test]
fn evict() {
    holds(
        "evict",
        Configuration {
            faults: Faults {
                evict_rows: true,
                evict_leases: true,
                crash_writers: true,
                crash_readers: true,
                ..Faults::NONE
            },
            ..Configuration::PLAIN
        },
    );
}
#[test]
fn all() {
    for one_process in [false, true] {
        holds(
            "all",
            Configuration {
                one_process,
                faults: Faults {
                    evict_rows: true,
                    evict_leases: true,
                    crash_writers: true,
                    crash_readers: true,
                    rollbacks: true,
                    unknown_commits: true,
                    restarts: 1,
                    timeouts: 1,
                    late: true,
                    ..Faults::NONE
                },
                ..Configuration::PLAIN
            },
        );
    }
}
