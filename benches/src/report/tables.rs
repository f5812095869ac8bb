//! A table for each workload.

use super::{markdown::capital, numbers};
use crate::{
    goals::names::{GROWTH_KEYS, GROWTH_SERVERS, OURS},
    results::{Results, Series, Spread},
};
use benches::drive::Measured;
use std::fmt::Write as _;

/// What is taken together in one table: a workload, or all sizes of a growth.
pub(super) fn workloads(results: &Results) -> Vec<&str> {
    let mut workloads = Vec::new();
    for series in &results.series {
        let workload = sized(series).map_or(series.workload.as_str(), |(prefix, _)| prefix);
        if !workloads.contains(&workload) {
            workloads.push(workload);
        }
    }
    workloads
}

/// Its heading and its table: by number of tasks, the fastest first.
pub(super) fn of_workload(results: &Results, workload: &str) -> String {
    let mut rows: Vec<_> = results
        .series
        .iter()
        .filter(|series| {
            series.workload == workload
                || sized(series).is_some_and(|(prefix, _)| prefix == workload)
        })
        .filter_map(|series| Some((series, series.spread(Measured::rate)?)))
        .collect();
    rows.sort_by(|(one, one_rate), (other, other_rate)| {
        let key = |series: &Series| (series.tasks, sized(series).map(|(_, size)| size));
        key(one).cmp(&key(other)).then(other_rate.median.total_cmp(&one_rate.median))
    });
    let with_stale = rows.iter().any(|(series, _)| writes_too(series));
    let title = capital(&workload.trim_end_matches('-').replacen('-', ", ", 1));
    let mut table = format!(
        "\n## {title}\n\n| tasks | contestant | rows | client CPU a row | servers' CPU a row | p50 | p99 | p99.9 |"
    );
    table.push_str(if with_stale { " stale answers |\n" } else { "\n" });
    table.push_str("|--:|---|--:|--:|--:|--:|--:|--:|");
    table.push_str(if with_stale { "--:|\n" } else { "\n" });
    for (series, rate) in rows {
        table.push_str(&row(series, rate, with_stale));
    }
    table
}

fn row(series: &Series, rate: Spread, with_stale: bool) -> String {
    let [client, servers, p50, p99, p999] = [
        Measured::cpu_per_unit,
        servers_cpu,
        |round: &Measured| round.p50,
        |round: &Measured| round.p99,
        |round: &Measured| round.p999,
    ]
    .map(|figure| match series.spread(figure) {
        Some(spread) if spread.max > 0.0 => numbers::duration(spread.median),
        _ => "–".to_owned(),
    });
    let mut line = format!(
        "| {} | {} | {} | {client} | {servers} | {p50} | {p99} | {p999} |",
        series.tasks,
        name(series),
        spread(rate),
    );
    if with_stale {
        let stale: u64 = series.rounds.iter().map(|round| round.stale).sum();
        let units: u64 = series.rounds.iter().map(|round| round.units).sum();
        let [stale, units] = [stale, units].map(|number| numbers::count(number as f64));
        let _ = write!(line, " {stale} of {units} |");
    }
    line + "\n"
}

/// `12,300/s (12,100–12,400)`.
fn spread(rate: Spread) -> String {
    let [min, max] = [rate.min, rate.max].map(numbers::rate);
    let min = min.trim_end_matches("/s");
    let max = max.trim_end_matches("/s");
    format!("{} ({min}–{max})", numbers::rate(rate.median))
}

fn name(series: &Series) -> String {
    let mut name = series.contestant.clone();
    if let Some((prefix, size)) = sized(series) {
        let of = if prefix == GROWTH_KEYS { "keys" } else { "servers" };
        let _ = write!(name, ", {} {of}", numbers::count(size as f64));
    }
    if series.contestant.starts_with(OURS) { format!("**{name}**") } else { name }
}

/// The growth that the series belongs to, and its size.
fn sized(series: &Series) -> Option<(&'static str, u64)> {
    [GROWTH_KEYS, GROWTH_SERVERS].into_iter().find_map(|prefix| {
        let size = series.workload.strip_prefix(prefix)?;
        Some((prefix, size.parse().ok()?))
    })
}

/// Microseconds of cache and database for a row.
fn servers_cpu(round: &Measured) -> f64 {
    (round.cache_cpu + round.database_cpu) * 1e6 / round.units.max(1) as f64
}

/// Only then an answer can be stale.
fn writes_too(series: &Series) -> bool {
    series.workload == crate::goals::names::MIX || series.rounds.iter().any(|round| round.stale > 0)
}
