//! What this crate set out to reach, held against what one run has measured.

mod growth;
pub(crate) mod names;
mod single;
#[cfg(test)]
mod tests;

use crate::{report::numbers, results::Results};
use benches::drive::Measured;
use names::{
    BARE_LANES, BY_HAND, CACHE_KIT, HITS, HYDRACACHE, MANY_100, MEMCACHED, MISSES, NEAR, NOTHING,
    PING_PONG, PLAIN, PYTHON, RAW_BATCH, SAME_TRANSACTION, WRITES,
};

/// A goal, and whether it was reached.
#[derive(Debug, PartialEq)]
pub(crate) struct Goal {
    /// What it is a goal for.
    pub(crate) what: &'static str,
    /// What was to be reached.
    pub(crate) goal: String,
    /// What was, if it was measured.
    pub(crate) measured: Option<String>,
    /// Whether that is enough, if all of it was measured.
    pub(crate) met: Option<bool>,
}

/// All goals. Machines differ, so most are ratios of medians of the same run.
pub(crate) fn goals(results: &Results) -> Vec<Goal> {
    let mut goals = Vec::new();
    let rivals =
        [(BARE_LANES, 0.8), (BY_HAND, 3.0), (CACHE_KIT, 4.0), (PLAIN, 5.0), (PYTHON, 20.0)];
    for (rival, least) in rivals {
        let what = "hits, throughput at 64 tasks";
        goals.push(at_least(what, least, rival, rates(results, HITS, 64, MEMCACHED, rival)));
    }
    let cpu = median(results, HITS, MEMCACHED, 64, Measured::cpu_per_unit);
    goals.push(at_most_micros("hits, client CPU a row at 64 tasks", 4.0, cpu));
    let latencies = |workload, ours, theirs| {
        let p50 = |contestant| median(results, workload, contestant, 1, |round| round.p50);
        Some((p50(ours)?, p50(theirs)?))
    };
    goals.push(latency(
        "hits, p50 of one task",
        1.15,
        PING_PONG,
        latencies(HITS, MEMCACHED, PING_PONG),
    ));
    goals.push(latency(
        "misses, p50 of one task",
        1.15,
        PLAIN,
        latencies(MISSES, MEMCACHED, PLAIN),
    ));
    let writes = latencies(WRITES, MEMCACHED, SAME_TRANSACTION);
    goals.push(latency("writes, p50 of one task", 1.3, SAME_TRANSACTION, writes));
    goals.extend(batches(results));
    goals.extend(single::stampede(results));
    goals.extend(near(results));
    goals.extend(growth::goals(results));
    goals.extend([single::memory(results), single::compile(results)]);
    goals
}

/// A hundred rows at once, with as many tasks as both were measured with.
fn batches(results: &Results) -> [Goal; 2] {
    let counts = |contestant| {
        let of = move |series: &&crate::results::Series| {
            series.workload == MANY_100 && series.contestant == contestant
        };
        results.series.iter().filter(of).map(|series| series.tasks)
    };
    let alone = counts(MEMCACHED).max();
    let cpu =
        alone.and_then(|tasks| median(results, MANY_100, MEMCACHED, tasks, Measured::cpu_per_unit));
    let both = counts(MEMCACHED).filter(|tasks| counts(RAW_BATCH).any(|of| of == *tasks)).max();
    let ratio = both.and_then(|tasks| rates(results, MANY_100, tasks, MEMCACHED, RAW_BATCH));
    [
        at_most_micros("100 rows at once, client CPU a row", 1.5, cpu),
        at_least("100 rows at once, throughput", 0.8, RAW_BATCH, ratio),
    ]
}

/// Copies in the process.
fn near(results: &Results) -> [Goal; 3] {
    // Choosing, timing and checking take as long as what is measured.
    let alone = |figure: fn(&Measured) -> f64| {
        let of = |contestant| median(results, HITS, contestant, 1, figure);
        Some(of(NEAR)? - of(NOTHING)?)
    };
    let (cpu, p50) = (alone(Measured::cpu_per_unit), alone(|round| round.p50));
    [
        at_most_micros("near hits, client CPU a row of one task, less measuring", 0.3, cpu),
        at_most_micros("near hits, p50 of one task, less measuring", 0.3, p50),
        at_least(
            "near hits, throughput of one task",
            1.0,
            HYDRACACHE,
            rates(results, HITS, 1, NEAR, HYDRACACHE),
        ),
    ]
}

/// The median of one figure.
fn median(
    results: &Results,
    workload: &str,
    contestant: &str,
    tasks: usize,
    figure: impl Fn(&Measured) -> f64,
) -> Option<f64> {
    Some(results.series(workload, contestant, tasks)?.spread(figure)?.median)
}

/// Rows in a second, of one and of the other.
fn rates(
    results: &Results,
    workload: &str,
    tasks: usize,
    ours: &str,
    theirs: &str,
) -> Option<(f64, f64)> {
    let rate = |contestant| median(results, workload, contestant, tasks, Measured::rate);
    Some((rate(ours)?, rate(theirs)?))
}

/// Our rate is so many times theirs, or more.
fn at_least(what: &'static str, least: f64, rival: &str, rates: Option<(f64, f64)>) -> Goal {
    let shown = |(ours, theirs): (f64, f64)| {
        let (ratio, ours, theirs) = (ours / theirs, numbers::rate(ours), numbers::rate(theirs));
        format!("{ratio:.2} × ({ours} to {theirs})")
    };
    Goal {
        what,
        goal: format!("≥ {least} × {rival}"),
        measured: rates.map(shown),
        met: rates.map(|(ours, theirs)| ours >= least * theirs),
    }
}

/// Our latency is so many times theirs, or less.
fn latency(what: &'static str, most: f64, rival: &str, micros: Option<(f64, f64)>) -> Goal {
    let shown = |(ours, theirs): (f64, f64)| {
        let (ratio, ours, theirs) =
            (ours / theirs, numbers::duration(ours), numbers::duration(theirs));
        format!("{ratio:.2} × ({ours} to {theirs})")
    };
    Goal {
        what,
        goal: format!("≤ {most} × {rival}"),
        measured: micros.map(shown),
        met: micros.map(|(ours, theirs)| ours <= most * theirs),
    }
}

/// A time, in microseconds, that is not to be longer.
fn at_most_micros(what: &'static str, most: f64, micros: Option<f64>) -> Goal {
    Goal {
        what,
        goal: format!("≤ {}", numbers::duration(most)),
        measured: micros.map(numbers::duration),
        met: micros.map(|micros| micros <= most),
    }
}
