//! Which plots are drawn, and of what.

use super::{
    bars::{self, Bar},
    lines::{self, Line},
    numbers,
    scale::Scale,
};
use crate::{
    goals::names::{GROWTH_KEYS, GROWTH_SERVERS, HITS, IN_PROCESS, MIX, OURS},
    results::{Results, Series},
};
use benches::{Result, drive::Measured};

/// A file, and what is in it.
pub(super) struct Plot {
    pub(super) file: &'static str,
    pub(super) title: &'static str,
    /// `None` if nothing of it was measured.
    pub(super) svg: Option<String>,
}

/// All of them, the main one first.
pub(super) fn all(results: &Results) -> Result<Vec<Plot>> {
    Ok(vec![
        hits(results, "hits.svg", "Rows read by primary key in a second, 64 tasks", false)?,
        hits(
            results,
            "hits-in-process.svg",
            "Rows read in a second from a store in the process, 64 tasks",
            true,
        )?,
        tasks(results)?,
        mix(results)?,
        growth(
            results,
            "growth-keys.svg",
            "Hits beside the number of keys",
            GROWTH_KEYS,
            "keys in the cache",
        )?,
        growth(
            results,
            "growth-servers.svg",
            "Hits beside the number of servers",
            GROWTH_SERVERS,
            "memcached servers",
        )?,
    ])
}

/// Stores in the process are so much faster that they would leave no room for the rest.
fn hits(
    results: &Results,
    file: &'static str,
    title: &'static str,
    in_process: bool,
) -> Result<Plot> {
    let of = results.series.iter().filter(|series| {
        series.workload == HITS
            && series.tasks == 64
            && IN_PROCESS.contains(&series.contestant.as_str()) == in_process
    });
    bar_plot(results, file, title, of, |_| String::new())
}

fn mix(results: &Results) -> Result<Plot> {
    let of = |series: &&Series| series.workload == MIX;
    let tasks = results.series.iter().filter(of).map(|series| series.tasks);
    let most = if tasks.clone().any(|tasks| tasks == 64) { Some(64) } else { tasks.max() };
    let series = results.series.iter().filter(of).filter(|series| Some(series.tasks) == most);
    bar_plot(
        results,
        "mix.svg",
        "Reads by Zipf's law with 5 % writes, and stale answers",
        series,
        |series| {
            let stale: u64 = series.rounds.iter().map(|round| round.stale).sum();
            format!(
                ", {} stale",
                if stale == 0 { "none".to_owned() } else { numbers::count(stale as f64) }
            )
        },
    )
}

fn bar_plot<'a>(
    results: &Results,
    file: &'static str,
    title: &'static str,
    series: impl Iterator<Item = &'a Series>,
    note: impl Fn(&Series) -> String,
) -> Result<Plot> {
    let mut bars: Vec<_> = series
        .filter_map(|series| {
            let rate = series.spread(Measured::rate)?;
            let figure = numbers::rate(rate.median) + &note(series);
            let ours = series.contestant.starts_with(OURS);
            Some(Bar { name: series.contestant.clone(), rate, figure, ours })
        })
        .collect();
    bars.sort_by(|one, other| other.rate.median.total_cmp(&one.rate.median));
    let svg = if bars.is_empty() { None } else { Some(bars::draw(title, &below(results), &bars)?) };
    Ok(Plot { file, title, svg })
}

fn tasks(results: &Results) -> Result<Plot> {
    let title = "Rows read by primary key in a second beside the number of tasks";
    let lines = collect(results, |series| (series.workload == HITS).then_some(series.tasks as f64));
    line_plot(results, "tasks.svg", title, "tasks at once", Scale::Logarithmic, &lines)
}

fn growth(
    results: &Results,
    file: &'static str,
    title: &'static str,
    prefix: &str,
    axis: &str,
) -> Result<Plot> {
    let lines = collect(results, |series| series.workload.strip_prefix(prefix)?.parse().ok());
    line_plot(results, file, title, axis, Scale::FromZero, &lines)
}

fn line_plot(
    results: &Results,
    file: &'static str,
    title: &'static str,
    axis: &str,
    scale: Scale,
    lines: &[Line],
) -> Result<Plot> {
    // A line needs two points.
    let svg = if lines.iter().any(|line| line.points.len() > 1) {
        Some(lines::draw(title, &below(results), axis, scale, lines)?)
    } else {
        None
    };
    Ok(Plot { file, title, svg })
}

/// A line for each contestant; where a contestant has several series at one place,
/// as growth measured with several numbers of tasks, one for each of these.
fn collect(results: &Results, place: impl Fn(&Series) -> Option<f64>) -> Vec<Line> {
    let placed: Vec<_> =
        results.series.iter().filter_map(|series| Some((series, place(series)?))).collect();
    let twice = placed.iter().any(|(one, at)| {
        placed.iter().any(|(other, also)| {
            at == also && one.contestant == other.contestant && one.tasks != other.tasks
        })
    });
    let mut lines: Vec<Line> = Vec::new();
    for (series, at) in placed {
        let Some(rate) = series.spread(Measured::rate) else { continue };
        let mut name = series.contestant.clone();
        if twice {
            name += &format!(", {} tasks", series.tasks);
        }
        let ours = series.contestant.starts_with(OURS);
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push((at, rate)),
            None => lines.push(Line { name, points: vec![(at, rate)], ours }),
        }
    }
    for line in &mut lines {
        line.points.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    }
    lines
}

fn below(results: &Results) -> String {
    let form = if results.quick { ", quick form" } else { "" };
    format!(
        "Medians, with whiskers from the lowest to the highest round. {}, {}{form}",
        results.machine, results.date
    )
}
