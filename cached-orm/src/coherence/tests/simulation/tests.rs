use super::{
    config::{Config, Faults, Mutation, Policy, Promise, Store},
    process::{HOLD_OFF, TIMES},
    world,
};
use std::{collections::BTreeMap, env, time::Duration};

const ANY: &[Policy] = &[Policy::Abort, Policy::OnFailure, Policy::Always];

/// A COMMIT that takes longer is beyond the promise: its fences expire.
const LONGEST_COMMIT: Duration = TIMES.fence_ttl.saturating_sub(TIMES.commit_window);
/// The same, where fences are lost in restarts.
const LONGEST_COMMIT_AT_RESTARTS: Duration = HOLD_OFF.saturating_sub(TIMES.commit_window);

const WITHOUT_FAULTS: Config = Config {
    name: "without faults",
    store: Store::Embedded,
    policies: ANY,
    promise: Promise::Linearizable,
    faults: Faults::NONE,
    longest_commit: LONGEST_COMMIT,
    mutation: None,
};

const EMBEDDED: Config = Config { name: "embedded", faults: Faults::MANY, ..WITHOUT_FAULTS };

const RESTARTS: Config = Config {
    name: "restarts",
    store: Store::Reference,
    faults: Faults { restarted: 150, ..Faults::MANY },
    longest_commit: LONGEST_COMMIT_AT_RESTARTS,
    ..WITHOUT_FAULTS
};

const MOVING: Config = Config { name: "moving", store: Store::Moving, ..RESTARTS };

const FENCES_EVICTED: Config = Config {
    name: "fences evicted",
    promise: Promise::Acknowledged,
    faults: Faults { fence_evicted: 20, crashed: 0, ..Faults::MANY },
    ..EMBEDDED
};

const FENCES_EVICTED_AND_CRASHES: Config = Config {
    name: "fences evicted and crashes",
    policies: &[Policy::Always],
    promise: Promise::Acknowledged,
    faults: Faults { fence_evicted: 20, ..Faults::MANY },
    ..EMBEDDED
};

fn number(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is not a number")))
}

/// Runs that many seeds; with `SIMULATION_SEED` only that one.
fn simulate(config: &Config, seeds: u64) {
    let seeds = match number("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(seeds),
    };
    let mut counts = BTreeMap::new();
    for seed in seeds.clone() {
        let outcome = world::run(config, seed, false);
        if let Some(violation) = outcome.violation {
            let trace = world::run(config, seed, true).trace.join("\n");
            panic!(
                "{trace}\n\n{}, seed {seed}: {violation}\n\
                 The same again: SIMULATION_SEED={seed} cargo test -p cached-orm \
                 --features embedded {}",
                config.name,
                std::thread::current().name().unwrap_or_default(),
            );
        }
        for (what, count) in outcome.counts {
            *counts.entry(what).or_default() += count;
        }
    }
    report(config.name, seeds.end - seeds.start, &counts);
}

/// Shown by `--nocapture`.
fn report(name: &str, seeds: u64, counts: &BTreeMap<&'static str, u64>) {
    println!("{name}: {seeds} seeds, {counts:?}");
}

#[test]
fn nothing_is_stale_without_faults() {
    simulate(&WITHOUT_FAULTS, 300);
}

#[test]
fn nothing_is_stale_with_faults() {
    simulate(&EMBEDDED, 1000);
}

#[test]
fn nothing_is_stale_with_restarts() {
    simulate(&RESTARTS, 1000);
}

#[test]
fn nothing_is_stale_while_servers_are_changed() {
    simulate(&MOVING, 500);
}

#[test]
fn nothing_acknowledged_is_stale_when_fences_are_evicted() {
    simulate(&FENCES_EVICTED, 500);
}

#[test]
fn nothing_acknowledged_is_stale_when_fences_are_evicted_and_writers_crash() {
    simulate(&FENCES_EVICTED_AND_CRASHES, 500);
}
