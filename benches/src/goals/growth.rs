//! Goals for growth: more keys or more servers, and hits as fast as before.

use super::{
    Goal,
    names::{GROWTH_KEYS, GROWTH_SERVERS, OURS},
};
use crate::{report::numbers, results::Results};
use benches::drive::Measured;
use std::collections::BTreeMap;

/// No size may be slower than the smallest by more than that.
const LEAST: f64 = 0.9;

pub(super) fn goals(results: &Results) -> [Goal; 2] {
    [
        flat(results, "hits, growth in keys", GROWTH_KEYS, (1_000, 10_000_000), "keys"),
        flat(results, "hits, growth in servers", GROWTH_SERVERS, (1, 16), "servers"),
    ]
}

fn flat(
    results: &Results,
    what: &'static str,
    prefix: &str,
    (from, to): (u64, u64),
    unit: &str,
) -> Goal {
    let by_size = sizes(results, prefix);
    let whole = by_size.contains_key(&from) && by_size.contains_key(&to);
    let worst = by_size
        .iter()
        .flat_map(|(&size, ratios)| ratios.iter().map(move |&ratio| (ratio, size)))
        .min_by(|(one, _), (other, _)| one.total_cmp(other));
    let range = by_size.keys().next().zip(by_size.keys().next_back());
    let measured = worst.zip(range).filter(|(_, (first, last))| first < last).map(
        |((ratio, size), (first, last))| {
            let [first, last, size] = [*first, *last, size].map(|size| numbers::count(size as f64));
            format!("{ratio:.2} × at worst, with {size} ({first} to {last} {unit})")
        },
    );
    let flat = worst.map(|(ratio, _)| ratio >= LEAST);
    Goal {
        what,
        goal: format!(
            "≥ {LEAST} × the smallest, from {} to {} {unit}",
            numbers::count(from as f64),
            numbers::count(to as f64)
        ),
        // A shorter range can show that it is not flat, but not that it is.
        met: flat.filter(|&flat| measured.is_some() && (whole || !flat)),
        measured,
    }
}

/// For each size, the rate as a part of the smallest size's: one for each of this
/// crate's contestants and number of tasks.
fn sizes(results: &Results, prefix: &str) -> BTreeMap<u64, Vec<f64>> {
    let mut rates: BTreeMap<(&str, usize), BTreeMap<u64, f64>> = BTreeMap::new();
    for series in &results.series {
        let size = series.workload.strip_prefix(prefix).and_then(|size| size.parse().ok());
        let ours = series.contestant.starts_with(OURS);
        if let (Some(size), Some(rate), true) = (size, series.spread(Measured::rate), ours) {
            let of = rates.entry((&series.contestant, series.tasks)).or_default();
            of.insert(size, rate.median);
        }
    }
    let mut ratios: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for of in rates.values() {
        let Some(smallest) = of.values().next() else { continue };
        for (&size, rate) in of {
            ratios.entry(size).or_default().push(rate / smallest);
        }
    }
    ratios
}
