use super::{
    config::{
        Config, EMBEDDED, FENCES_EVICTED, FENCES_EVICTED_AND_CRASHES, MOVING, RESTARTS,
        WITHOUT_FAULTS,
    },
    world,
};
use std::{collections::BTreeMap, env};

fn number(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is not a number")))
}

/// What every configuration does.
const WORK: &[&str] = &[
    "read",
    "load",
    "refresh",
    "peek",
    "invalidated",
    "statement",
    "fence shared",
    "committed",
    "acknowledged",
];
/// What all those with faults do.
const TROUBLE: &[&str] = &[
    "command lost",
    "reply lost",
    "command late",
    "cut off",
    "evicted",
    "cancelled",
    "rolled back",
    "COMMIT unknown",
    "enlisted",
    "drained",
    "pause",
];

/// Runs that many seeds, in which all that must have happened; with
/// `SIMULATION_SEED` only that one.
fn simulate(config: &Config, seeds: u64, happens: &[&[&str]]) {
    let (seeds, is_whole) = match number("SIMULATION_SEED") {
        Some(seed) => (seed..seed + 1, false),
        None => (0..number("SIMULATION_SEEDS").unwrap_or(seeds), true),
    };
    let mut counts = BTreeMap::new();
    for seed in seeds.clone() {
        let outcome = world::run(config, seed, false);
        if let Some(violation) = outcome.violation {
            let again = world::run(config, seed, true);
            assert_eq!(again.violation.as_ref(), Some(&violation), "the run is another one now");
            let trace = again.trace.join("\n");
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            panic!(
                "{trace}\n\n{}, seed {seed}: {violation}\nThe same again: SIMULATION_SEED={seed} \
                 cargo test -p cached-orm --features embedded --lib {test}",
                config.name,
            );
        }
        for (what, count) in outcome.counts {
            *counts.entry(what).or_default() += count;
        }
    }
    report(config.name, seeds.end - seeds.start, &counts);
    for what in happens.iter().flat_map(|happens| happens.iter()).filter(|_| is_whole) {
        assert!(counts.contains_key(what), "{}: {what} never happened", config.name);
    }
}

/// Shown by `--nocapture`.
fn report(name: &str, seeds: u64, counts: &BTreeMap<&'static str, u64>) {
    println!("{name}: {seeds} seeds, {counts:?}");
}

#[test]
fn a_seed_tells_the_whole_run() {
    for config in [&EMBEDDED, &RESTARTS] {
        for seed in 0..number("SIMULATION_SEEDS").unwrap_or(25) {
            let [first, second] = [(); 2].map(|()| {
                let mut outcome = world::run(config, seed, true);
                // Within one step the order means nothing.
                outcome.trace.sort();
                outcome
            });
            assert!(!first.trace.is_empty());
            assert_eq!(first.trace, second.trace, "{}, seed {seed}", config.name);
            assert_eq!(first.counts, second.counts, "{}, seed {seed}", config.name);
        }
    }
}

#[test]
fn nothing_is_stale_without_faults() {
    simulate(&WITHOUT_FAULTS, 150, &[WORK]);
}

#[test]
fn nothing_is_stale_with_faults() {
    simulate(&EMBEDDED, 600, &[WORK, TROUBLE, &["crashed"]]);
}

#[test]
fn nothing_is_stale_with_restarts() {
    simulate(&RESTARTS, 600, &[WORK, TROUBLE, &["crashed", "restarted"]]);
}

#[test]
fn nothing_is_stale_while_servers_are_changed() {
    simulate(&MOVING, 300, &[WORK, TROUBLE, &["crashed", "restarted"]]);
}

#[test]
fn nothing_acknowledged_is_stale_when_fences_are_evicted() {
    simulate(&FENCES_EVICTED, 300, &[WORK, TROUBLE, &["fence evicted"]]);
}

#[test]
fn nothing_acknowledged_is_stale_when_fences_are_evicted_and_writers_crash() {
    simulate(&FENCES_EVICTED_AND_CRASHES, 300, &[WORK, TROUBLE, &["fence evicted", "crashed"]]);
}
