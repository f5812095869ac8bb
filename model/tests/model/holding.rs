//! Configurations in which everything promised holds. The large ones take
//! minutes and gigabytes, and want `--release`.

use super::{
    check::holds,
    configuration::{
        BY_OTHERS, Configuration, DELETE, Faults, INSERT, LONG_UPDATE, OnUnreachable, Renewal,
        UPDATE, UPDATE_BOTH,
    },
};

const EVICTION: Faults = Faults { evict_rows: true, evict_leases: true, ..Faults::NONE };
const CRASHES: Faults = Faults { crash_writers: true, crash_readers: true, ..EVICTION };
const FAILED_TRANSACTIONS: Faults =
    Faults { rollbacks: true, lost_transactions: true, unknown_commits: true, ..CRASHES };

fn with(faults: Faults) -> Configuration {
    Configuration { faults, ..Configuration::PLAIN }
}

#[test]
fn no_faults() {
    holds("no faults", Configuration::PLAIN);
    holds("no faults, one process", Configuration { one_process: true, ..Configuration::PLAIN });
    holds("no faults, refresh", Configuration { refresh: true, ..Configuration::PLAIN });
    holds(
        "no faults, counted tokens",
        Configuration { counts_tokens: true, ..Configuration::PLAIN },
    );
}

#[test]
fn evictions_and_crashes() {
    holds("evictions and crashes", with(CRASHES));
    holds("evictions, one process", Configuration { one_process: true, ..with(EVICTION) });
}

#[test]
fn transactions_that_fail() {
    holds("transactions that fail", with(FAILED_TRANSACTIONS));
}

#[test]
fn restarts() {
    holds("a restart", with(Faults { restarts: 1, ..CRASHES }));
    holds("two restarts", with(Faults { restarts: 2, ..Faults::NONE }));
}

#[test]
fn commands_lost_and_late() {
    holds("lost", with(Faults { timeouts: 2, ..EVICTION }));
    holds("late", with(Faults { timeouts: 1, late: true, ..CRASHES }));
}

#[test]
fn outbox() {
    let outbox = Configuration { on_unreachable: OnUnreachable::Outbox, ..Configuration::PLAIN };
    let faults = Faults { timeouts: 1, ..CRASHES };
    holds("outbox", Configuration { faults, ..outbox });
}

#[test]
fn writes_by_others() {
    let scripts: [&[_]; 2] = [&[BY_OTHERS], &[UPDATE]];
    holds("writes by others", Configuration { scripts, ..with(CRASHES) });
}

#[test]
fn rows_come_and_go() {
    let scripts: [&[_]; 2] = [&[INSERT, UPDATE], &[DELETE]];
    let plain = Configuration::PLAIN;
    holds("insert, update, delete", Configuration { rows_exist: false, scripts, ..plain });
}

/// Linearizability is not promised here.
#[test]
fn fences_lost() {
    let faults = Faults { evict_fences: true, ..EVICTION };
    holds("fences evicted", with(faults));
    holds("fences evicted, crashes", with(Faults { crash_writers: true, ..faults }));
    let faults = Faults { crash_writers: true, ..faults };
    holds("fences evicted, crashes, outbox", Configuration { always_outbox: true, ..with(faults) });
    let faults = Faults { slow_commits: true, unknown_commits: true, ..EVICTION };
    holds("slow commits", with(faults));
}

#[test]
fn two_keys() {
    let scripts: [&[_]; 2] = [&[UPDATE_BOTH], &[UPDATE]];
    holds("two keys", Configuration { keys: 2, scripts, ..Configuration::PLAIN });
}

macro_rules! large {
    ($($name:ident: $configuration:expr;)*) => { $(
        #[test]
        #[ignore = "large: minutes, and gigabytes; best with --release"]
        fn $name() {
            holds(stringify!($name), $configuration);
        }
    )* };
}

large! {
    large_abort: with(Faults { timeouts: 1, late: true, restarts: 1, ..FAILED_TRANSACTIONS });
    large_unconditional_renewal: Configuration {
        renewal: Renewal::Unconditional,
        ..with(Faults { restarts: 1, ..FAILED_TRANSACTIONS })
    };
    large_one_process: Configuration {
        one_process: true,
        refresh: true,
        ..with(Faults { restarts: 1, timeouts: 1, late: true, ..CRASHES })
    };
    large_outbox: Configuration {
        on_unreachable: OnUnreachable::Outbox,
        ..with(Faults { restarts: 1, timeouts: 1, late: true, missed_windows: true, ..CRASHES })
    };
    large_two_timeouts: Configuration {
        on_unreachable: OnUnreachable::Outbox,
        ..with(Faults { timeouts: 2, late: true, ..EVICTION })
    };
    large_three_writes: Configuration {
        scripts: [&[UPDATE, LONG_UPDATE], &[UPDATE]],
        ..with(Faults { restarts: 1, unknown_commits: true, ..CRASHES })
    };
    large_rows_come_and_go: Configuration {
        rows_exist: false,
        scripts: [&[INSERT, DELETE], &[INSERT, UPDATE]],
        ..with(Faults { unknown_commits: true, restarts: 1, ..CRASHES })
    };
    large_writes_by_others: Configuration {
        scripts: [&[BY_OTHERS, BY_OTHERS], &[UPDATE]],
        ..with(Faults { restarts: 1, unknown_commits: true, ..CRASHES })
    };
    large_two_keys: Configuration {
        keys: 2,
        scripts: [&[UPDATE_BOTH], &[UPDATE_BOTH]],
        ..with(CRASHES)
    };
    large_two_keys_restart: Configuration {
        keys: 2,
        scripts: [&[UPDATE_BOTH], &[UPDATE]],
        ..with(Faults { restarts: 1, crash_writers: true, unknown_commits: true, ..Faults::NONE })
    };
    large_fences_lost: Configuration {
        always_outbox: true,
        ..with(Faults { evict_fences: true, slow_commits: true, unknown_commits: true, restarts: 1, ..CRASHES })
    };
}
