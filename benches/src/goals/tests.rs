use super::{
    goals,
    names::{
        BARE_LANES, COMPILE, HITS, IDLE_ORM, LONG_LOAD, MANY_100, MEMCACHED, MEMORY, NEAR, NOTHING,
        OUR_DERIVE, PING_PONG, RAW_BATCH, SERDE_DERIVE, SHORT_LOAD, STAMPEDE,
    },
};
use crate::results::{Results, Series};
use benches::drive::Measured;

/// A second of so many rows, with these latencies and this CPU for a row.
fn round(units: u64, p50: f64, cpu_micros: f64) -> Measured {
    let client_cpu = units as f64 * cpu_micros / 1e6;
    Measured { units, seconds: 1.0, client_cpu, p50, ..Measured::default() }
}

fn measured(workload: &str, contestant: &str, tasks: usize, rounds: Vec<Measured>) -> Series {
    Series { workload: workload.to_owned(), contestant: contestant.to_owned(), tasks, rounds }
}

fn growth(prefix: &str, rates: &[(u64, u64)]) -> Vec<Series> {
    let series = |&(size, rate): &(u64, u64)| {
        measured(&format!("{prefix}{size}"), MEMCACHED, 64, vec![round(rate, 1.0, 1.0)])
    };
    rates.iter().map(series).collect()
}

/// What is measured, and whether the goal is met, of the goal with this text.
fn outcome(results: &Results, what: &str, goal: &str) -> (Option<String>, Option<bool>) {
    let mut found: Vec<_> = goals(results)
        .into_iter()
        .filter(|each| each.what.starts_with(what) && each.goal.contains(goal))
        .collect();
    assert_eq!(found.len(), 1, "{what}, {goal}: {found:?}");
    let found = found.remove(0);
    (found.measured, found.met)
}

#[test]
fn nothing_is_met_that_was_not_measured() {
    let goals = goals(&Results::default());
    assert_eq!(goals.len(), 20);
    for goal in goals {
        assert_eq!((goal.measured, goal.met), (None, None), "{}", goal.what);
    }
}

#[test]
fn throughput_is_a_ratio_of_medians() {
    let ours = [900, 100, 800].map(|rate| round(rate * 100, 1.0, 5.0)).to_vec();
    let mut results = Results {
        series: vec![
            measured(HITS, MEMCACHED, 64, ours),
            measured(HITS, BARE_LANES, 64, vec![round(100_000, 1.0, 1.0)]),
        ],
        ..Results::default()
    };
    let what = "hits, throughput";
    let shown = Some("0.80 × (80,000/s to 100,000/s)".to_owned());
    assert_eq!(outcome(&results, what, BARE_LANES), (shown, Some(true)));
    assert_eq!(
        outcome(&results, "hits, client CPU", "4.0 µs"),
        (Some("5.0 µs".into()), Some(false))
    );
    results.series[1].rounds[0].units = 100_001;
    assert_eq!(outcome(&results, what, BARE_LANES).1, Some(false));
    // With another number of tasks it says nothing.
    results.series[1].tasks = 16;
    assert_eq!(outcome(&results, what, BARE_LANES), (None, None));
}

#[test]
fn latencies_are_held_against_the_rival_s() {
    let series = |contestant, p50| measured(HITS, contestant, 1, vec![round(1000, p50, 1.0)]);
    let mut results = Results {
        series: vec![series(MEMCACHED, 23.0), series(PING_PONG, 20.0)],
        ..Results::default()
    };
    let shown = Some("1.15 × (23 µs to 20 µs)".to_owned());
    assert_eq!(outcome(&results, "hits, p50", PING_PONG), (shown, Some(true)));
    results.series[0].rounds[0].p50 = 23.1;
    assert_eq!(outcome(&results, "hits, p50", PING_PONG).1, Some(false));
    results.series.push(series(NEAR, 0.4));
    assert_eq!(outcome(&results, "near hits, p50", "300 ns"), (None, None));
    results.series.push(series(NOTHING, 0.15));
    let near = outcome(&results, "near hits, p50", "300 ns");
    assert_eq!(near, (Some("250 ns".to_owned()), Some(true)));
}

#[test]
fn batches_are_compared_with_as_many_tasks_as_both_have() {
    let series = |contestant, tasks, rate| {
        measured(MANY_100, contestant, tasks, vec![round(rate, 1.0, 1.5)])
    };
    let results = Results {
        series: vec![
            series(MEMCACHED, 1, 500_000),
            series(MEMCACHED, 16, 900_000),
            series(MEMCACHED, 64, 10),
            series(RAW_BATCH, 16, 1_000_000),
        ],
        ..Results::default()
    };
    let shown = Some("0.90 × (900,000/s to 1,000,000/s)".to_owned());
    assert_eq!(outcome(&results, "100 rows at once, throughput", RAW_BATCH), (shown, Some(true)));
    assert_eq!(outcome(&results, "100 rows at once, client CPU", "1.5 µs").1, Some(true));
}

#[test]
fn growth_is_flat_if_no_size_is_slower_than_the_smallest() {
    let keys = |rates: &[(u64, u64)]| {
        let results = Results { series: growth("growth-keys-", rates), ..Results::default() };
        outcome(&results, "hits, growth in keys", "10,000,000 keys")
    };
    let (shown, met) = keys(&[(1000, 1000), (10_000, 1500), (10_000_000, 950)]);
    assert_eq!(
        shown.as_deref(),
        Some("0.95 × at worst, with 10,000,000 (1,000 to 10,000,000 keys)")
    );
    assert_eq!(met, Some(true));
    assert_eq!(keys(&[(1000, 1000), (10_000, 899), (10_000_000, 950)]).1, Some(false));
    // Of a part of the range nothing good can be said.
    assert_eq!(keys(&[(1000, 1000), (100_000, 1000)]).1, None);
    assert_eq!(keys(&[(1000, 1000), (100_000, 500)]).1, Some(false));
    assert_eq!(keys(&[(1000, 1000)]), (None, None));
}

#[test]
fn single_figures_are_held_against_their_limits() {
    let mut results = Results::default();
    results.fact(STAMPEDE, SHORT_LOAD, 1.0, "loads");
    results.fact(STAMPEDE, LONG_LOAD, 5.0, "loads");
    results.fact(MEMORY, IDLE_ORM, 640.0, "KiB");
    results.fact(COMPILE, OUR_DERIVE, 30.0, "ms");
    results.fact(COMPILE, SERDE_DERIVE, 12.5, "ms");
    let expected = [
        ("stampede of 4 processes, a load", "1 load", "1 load", true),
        ("stampede of 4 processes, a longer", "4 loads", "5 loads", false),
        ("memory", "1 MiB", "640 KiB", true),
        ("compile", "serde", "2.40 × (30 ms to 12.5 ms)", false),
    ];
    for (what, goal, shown, met) in expected {
        assert_eq!(outcome(&results, what, goal), (Some(shown.to_owned()), Some(met)), "{what}");
    }
}
