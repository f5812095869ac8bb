//! The page that people read.

use super::{numbers, plots::Plot, tables};
use crate::{
    goals::{goals, names::VERSIONS},
    results::{Fact, Results},
};
use std::fmt::Write as _;

/// The whole page.
pub(super) fn page(results: &Results, plots: &[Plot]) -> String {
    let mut page = head(results);
    page.push_str(&table_of_goals(results));
    let drawn = plots.iter().filter(|plot| plot.svg.is_some());
    for plot in drawn {
        // A String takes everything.
        let _ = writeln!(page, "\n![{}]({})", plot.title, plot.file);
    }
    for workload in tables::workloads(results) {
        page.push_str(&tables::of_workload(results, workload));
    }
    page.push_str(&facts(results));
    page.push_str(&contestants(results));
    page
}

/// Who is who.
fn contestants(results: &Results) -> String {
    if results.contestants.is_empty() {
        return String::new();
    }
    let mut text = "\n## Contestants\n\n| | |\n|---|---|\n".to_owned();
    for (name, what) in &results.contestants {
        let _ = writeln!(text, "| {name} | {what} |");
    }
    text
}

fn head(results: &Results) -> String {
    let form = if results.quick {
        "The quick form, which shows that everything works; its figures are rough."
    } else {
        "The full form."
    };
    let versions: Vec<_> = facts_of(results, VERSIONS).map(|fact| fact.name.as_str()).collect();
    let against =
        if versions.is_empty() { String::new() } else { format!(", {}", versions.join(", ")) };
    format!(
        "# Results\n\n{}{against}, {}. {form}\n\n\
         All contestants ran in turn, round by round, and every answer was checked. \
         Figures are medians of the rounds, with the lowest and the highest in brackets. \
         Other machines give other figures: what counts is what stands beside each other.\n",
        results.machine, results.date,
    )
}

fn table_of_goals(results: &Results) -> String {
    let mut table =
        "\n## Goals\n\n| goal for | goal | measured | met |\n|---|---|---|---|\n".to_owned();
    for goal in goals(results) {
        let met = match goal.met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        let measured = goal.measured.as_deref().unwrap_or("not measured");
        let _ = writeln!(table, "| {} | {} | {measured} | {met} |", goal.what, goal.goal);
    }
    table
}

fn facts(results: &Results) -> String {
    let mut topics = Vec::new();
    for fact in &results.facts {
        if fact.topic != VERSIONS && !topics.contains(&fact.topic.as_str()) {
            topics.push(&fact.topic);
        }
    }
    let mut text = String::new();
    for topic in topics {
        let _ = writeln!(text, "\n## {}\n\n| | |\n|---|--:|", capital(topic));
        for fact in facts_of(results, topic) {
            let value = numbers::figure(fact.value);
            let _ = writeln!(text, "| {} | {value} {} |", fact.name, fact.unit);
        }
    }
    text
}

fn facts_of<'a>(results: &'a Results, topic: &str) -> impl Iterator<Item = &'a Fact> {
    results.facts.iter().filter(move |fact| fact.topic == topic)
}

/// With a capital letter in front.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
