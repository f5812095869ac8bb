//! What was measured.

use benches::drive::Measured;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that one run came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// `2 × Intel …, 23 GiB, Linux …`.
    pub(crate) machine: String,
    /// `2026-11-26`.
    pub(crate) date: String,
    /// Whether it was the short form.
    pub(crate) quick: bool,
    /// Who took part, and what each is, in a sentence.
    pub(crate) contestants: BTreeMap<String, String>,
    /// Rounds of workloads.
    pub(crate) series: Vec<Series>,
    /// Single figures.
    pub(crate) facts: Vec<Fact>,
}

/// The rounds of one contestant at one workload.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Series {
    /// `hits`, `misses`, `mix`, `many-100`, `by-handle`, `writes`, `growth-keys-1000`, ….
    pub(crate) workload: String,
    /// As it stands in tables.
    pub(crate) contestant: String,
    /// How many tasks read at once.
    pub(crate) tasks: usize,
    /// One for each round.
    pub(crate) rounds: Vec<Measured>,
}

/// A single figure.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fact {
    /// `stampede`, `memory`, `compile`, ….
    pub(crate) topic: String,
    /// What it is a figure of.
    pub(crate) name: String,
    /// The median, where there are several rounds.
    pub(crate) value: f64,
    /// `ms`, `KiB`, `loads`, ….
    pub(crate) unit: String,
}

/// A median, and between what it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let half = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[half]
        } else {
            (values[half - 1] + values[half]) / 2.0
        };
        Some(Self { median, min, max })
    }
}

impl Series {
    /// One figure of every round.
    pub(crate) fn spread(&self, figure: impl Fn(&Measured) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().map(figure))
    }
}

impl Results {
    /// The series of a contestant.
    pub(crate) fn series(&self, workload: &str, contestant: &str, tasks: usize) -> Option<&Series> {
        self.series.iter().find(|series| {
            series.workload == workload && series.contestant == contestant && series.tasks == tasks
        })
    }

    /// Notes a single figure.
    pub(crate) fn fact(&mut self, topic: &str, name: impl Into<String>, value: f64, unit: &str) {
        self.facts.push(Fact {
            topic: topic.to_owned(),
            name: name.into(),
            value,
            unit: unit.to_owned(),
        });
    }
}
