use crate::{
    arguments::Arguments,
    check::{Check, Counts},
    faults::Phase,
    watch::Sample,
};
use std::{collections::BTreeMap, fmt};

/// The service's pool, and the connections that it keeps beside those of loads.
const OTHER_CONNECTIONS: i64 = 16 + 4;

/// How much more memory the last third of a long run may use than its second third.
const GROWTH: f64 = 1.15;

pub(crate) struct Report {
    phases: BTreeMap<Phase, Counts>,
    wrong: u64,
    failed_while_up: u64,
    examples: Vec<String>,
    samples: Vec<Sample>,
    most_loads: u64,
    is_long: bool,
}

impl Report {
    pub(crate) fn new(arguments: &Arguments, check: &Check, samples: Vec<Sample>) -> Self {
        let (phases, wrong, failed_while_up, examples) = check.take();
        Self {
            phases,
            wrong,
            failed_while_up,
            examples,
            samples,
            most_loads: arguments.max_database_loads.into(),
            is_long: arguments.long.is_some(),
        }
    }

    /// Nothing wrong, no failed read while the database was up, no more load on it than
    /// was allowed, and memory that does not grow.
    pub(crate) fn is_good(&self) -> bool {
        let reads: u64 = self.phases.values().map(|counts| counts.reads).sum();
        let writes: u64 = self.phases.values().map(|counts| counts.writes).sum();
        self.wrong == 0
            && self.failed_while_up == 0
            && reads > 1_000
            && writes > 100
            && self.most(|sample| sample.under_way) <= self.most_loads
            && self.connections() <= self.allowed_connections()
            && (!self.is_long || self.growth() <= GROWTH)
    }

    fn most(&self, of: impl Fn(&Sample) -> u64) -> u64 {
        self.samples.iter().map(of).max().unwrap_or(0)
    }

    fn connections(&self) -> i64 {
        self.samples.iter().filter_map(|sample| sample.connections).max().unwrap_or(0)
    }

    fn allowed_connections(&self) -> i64 {
        i64::try_from(self.most_loads).unwrap_or(i64::MAX).saturating_add(OTHER_CONNECTIONS)
    }

    /// The median memory of one of three thirds of the time, in KiB.
    fn memory(&self, third: usize) -> u64 {
        let size = self.samples.len() / 3;
        let mut memory: Vec<_> =
            self.samples.iter().skip(third * size).take(size).map(|sample| sample.memory).collect();
        memory.sort_unstable();
        memory.get(memory.len() / 2).copied().unwrap_or(0)
    }

    fn growth(&self) -> f64 {
        self.memory(2) as f64 / self.memory(1).max(1) as f64
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14}{:>8}{:>10}{:>9}{:>10}{:>10}{:>10}{:>9}{:>9}{:>8}",
            "phase",
            "seconds",
            "reads",
            "/s",
            "p50",
            "p99",
            "failed*",
            "writes",
            "refused",
            "failed"
        )?;
        for (phase, counts) in &self.phases {
            let seconds = counts.time.as_secs_f64();
            let at = |percent| {
                format!("{:.1} ms", counts.microseconds.value_at_percentile(percent) as f64 / 1e3)
            };
            writeln!(
                f,
                "{:<14}{seconds:>8.0}{:>10}{:>9.0}{:>10}{:>10}{:>10}{:>9}{:>9}{:>8}",
                format!("{phase:?}"),
                counts.reads,
                counts.reads as f64 / seconds,
                at(50.0),
                at(99.0),
                counts.failed_reads,
                counts.writes,
                counts.refused_writes,
                counts.failed_writes,
            )?;
        }
        writeln!(f, "* reads that failed while the database was away\n")?;
        writeln!(f, "wrong answers                           {}", self.wrong)?;
        writeln!(f, "failed reads while the database was up  {}", self.failed_while_up)?;
        writeln!(
            f,
            "loads under way, at most                {} of {}",
            self.most(|sample| sample.under_way),
            self.most_loads
        )?;
        writeln!(
            f,
            "rows loaded in a second, at most        {}",
            self.most(|sample| sample.loads)
        )?;
        writeln!(
            f,
            "connections to the database, at most    {} of {}",
            self.connections(),
            self.allowed_connections()
        )?;
        let [first, second, third] = [0, 1, 2].map(|third| self.memory(third) / 1024);
        writeln!(f, "memory by thirds of the time, MiB       {first}, {second}, {third}")?;
        let most = self.most(|sample| sample.memory) / 1024;
        writeln!(f, "memory at most, MiB                     {most}")?;
        for example in &self.examples {
            writeln!(f, "  {example}")?;
        }
        Ok(())
    }
}
