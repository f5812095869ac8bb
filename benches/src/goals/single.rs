//! Goals for single figures.

use super::{
    Goal,
    names::{COMPILE, IDLE_ORM, LONG_LOAD, MEMORY, OUR_DERIVE, SERDE_DERIVE, SHORT_LOAD, STAMPEDE},
};
use crate::{
    report::numbers,
    results::{Fact, Results},
};

/// Readers of a missing row load it once; where a load takes longer than others
/// wait, once in each process.
pub(super) fn stampede(results: &Results) -> [Goal; 2] {
    let at_most = |what, name, most: f64, goal: &str| {
        let loads = fact(results, STAMPEDE, name).map(|fact| fact.value);
        Goal {
            what,
            goal: goal.to_owned(),
            measured: loads.map(|loads| plural(loads, "load")),
            met: loads.map(|loads| loads <= most),
        }
    };
    [
        at_most("stampede of 4 processes, a load under 50 ms", SHORT_LOAD, 1.0, "1 load"),
        at_most("stampede of 4 processes, a longer load", LONG_LOAD, 4.0, "≤ 4 loads"),
    ]
}

/// An `Orm` that does nothing.
pub(super) fn memory(results: &Results) -> Goal {
    let fact = fact(results, MEMORY, IDLE_ORM);
    let kibibytes = fact.and_then(|fact| match fact.unit.as_str() {
        "B" | "bytes" => Some(fact.value / 1024.0),
        "KiB" => Some(fact.value),
        "MiB" => Some(fact.value * 1024.0),
        _ => None,
    });
    Goal {
        what: "memory of an idle `Orm`",
        goal: "≤ 1 MiB".to_owned(),
        measured: fact.map(|fact| format!("{} {}", numbers::figure(fact.value), fact.unit)),
        met: kibibytes.map(|kibibytes| kibibytes <= 1024.0),
    }
}

/// What the derive costs the compiler, beside serde's.
pub(super) fn compile(results: &Results) -> Goal {
    let ours = fact(results, COMPILE, OUR_DERIVE);
    let both = ours.zip(fact(results, COMPILE, SERDE_DERIVE));
    let both = both.filter(|(ours, serde)| ours.unit == serde.unit);
    let shown = |(ours, serde): (&Fact, &Fact)| {
        let (ratio, unit) = (ours.value / serde.value, &ours.unit);
        let (ours, serde) = (numbers::figure(ours.value), numbers::figure(serde.value));
        format!("{ratio:.2} × ({ours} {unit} to {serde} {unit})")
    };
    Goal {
        what: "compile time of a struct",
        goal: "≤ 2 × serde's derives".to_owned(),
        measured: both.map(shown),
        met: both.map(|(ours, serde)| ours.value <= 2.0 * serde.value),
    }
}

fn fact<'a>(results: &'a Results, topic: &str, name: &str) -> Option<&'a Fact> {
    results.facts.iter().find(|fact| fact.topic == topic && fact.name == name)
}

fn plural(value: f64, one: &str) -> String {
    let s = if value == 1.0 { "" } else { "s" };
    format!("{} {one}{s}", numbers::figure(value))
}
