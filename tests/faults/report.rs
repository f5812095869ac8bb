//! What a run has found, as it is printed.

use crate::{
    counts::Counts,
    history::{Offence, Violation},
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// The faults so far.
pub(crate) struct Tally {
    began: Instant,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    kinds: BTreeMap<&'static str, u64>,
    recent: VecDeque<(Duration, String)>,
    outages: Vec<Outage>,
}

/// A time in which something could not be reached, or not as usual.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    /// `None` if it concerns every key.
    pub(crate) server: Option<usize>,
    pub(crate) began: SystemTime,
    pub(crate) ended: SystemTime,
}

/// How many of the latest faults a violation's report shows.
const RECENT: usize = 30;

impl Tally {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn began(&self, kind: &'static str, what: String) {
        *self.lock().kinds.entry(kind).or_default() += 1;
        self.ended(what);
    }

    pub(crate) fn ended(&self, what: String) {
        let at = self.began.elapsed();
        let mut inner = self.lock();
        if inner.recent.len() == RECENT {
            inner.recent.pop_front();
        }
        inner.recent.push_back((at, what));
    }

    pub(crate) fn was_out(&self, server: Option<usize>, began: SystemTime) {
        let ended = SystemTime::now();
        self.lock().outages.push(Outage { server, began, ended });
    }

    /// Lets every outage so far count for every key, where keys have changed servers.
    pub(crate) fn all_servers_matter(&self) {
        for outage in &mut self.lock().outages {
            outage.server = None;
        }
    }

    pub(crate) fn outages(&self) -> Vec<Outage> {
        self.lock().outages.clone()
    }

    pub(crate) fn total(&self) -> u64 {
        self.lock().kinds.values().sum()
    }

    pub(crate) fn kinds(&self) -> BTreeMap<&'static str, u64> {
        self.lock().kinds.clone()
    }

    pub(crate) fn tell_recent(&self) -> String {
        let inner = self.lock();
        let lines = inner.recent.iter();
        lines.map(|(at, what)| format!("    {:>10.4} s  {what}\n", at.as_secs_f64())).collect()
    }
}

/// How often each offence was found.
#[derive(Debug, Default, Clone)]
pub(crate) struct Offences {
    pub(crate) counts: BTreeMap<Offence, u64>,
    /// Reads that returned less than they should of a key whose outbox row was
    /// still there.
    pub(crate) while_pending: u64,
    shown: usize,
}

/// Of more than these nobody reads the details.
pub(crate) const SHOWN: usize = 6;

impl Offences {
    /// For offences that are expected, and of which nobody need read.
    pub(crate) fn silent() -> Self {
        Self { shown: SHOWN, ..Self::default() }
    }

    pub(crate) fn add(&mut self, violation: &Violation, tally: &Tally) {
        *self.counts.entry(violation.offence).or_default() += 1;
        self.shown += 1;
        if self.shown <= SHOWN {
            let took = violation.ended.duration_since(violation.began).unwrap_or_default();
            eprintln!(
                "{:?} read of key {} (took {took:?}): {}  faults:\n{}",
                violation.offence,
                violation.key,
                violation.text,
                tally.tell_recent()
            );
        }
    }

    pub(crate) fn of(&self, offence: Offence) -> u64 {
        self.counts.get(&offence).copied().unwrap_or(0)
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// One run's figures.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) title: String,
    pub(crate) seed: u64,
    pub(crate) took: Duration,
    pub(crate) kinds: BTreeMap<&'static str, u64>,
    pub(crate) rows: Vec<(&'static str, String)>,
    /// What broke the promise, in words; nothing is a success.
    pub(crate) failures: Vec<String>,
}

impl Report {
    pub(crate) fn new(title: String, seed: u64) -> Self {
        Self {
            title,
            seed,
            took: Duration::ZERO,
            kinds: BTreeMap::new(),
            rows: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, name: &'static str, value: impl ToString) {
        self.rows.push((name, value.to_string()));
    }

    pub(crate) fn add_counts(&mut self, counts: &Counts) {
        self.row("reads", counts.reads.get() + counts.peeks.get());
        self.row("reads by index, and batches", counts.lookups.get());
        self.row("reads that failed", counts.failed_reads.get());
        self.row("writes acknowledged", counts.acknowledged.get());
        self.row("  of these in bulk (transactions)", counts.bulks.get());
        self.row("writes of unknown outcome", counts.unknown.get());
        self.row("writes rolled back or refused", counts.rolled_back.get());
        self.row("  of these for want of a fence (transactions)", counts.not_fenced.get());
    }

    /// A figure that must be 0.
    pub(crate) fn must_be_zero(&mut self, name: &'static str, value: u64) {
        self.row(name, value);
        if value != 0 {
            self.failures.push(format!("{name}: {value}"));
        }
    }

    /// As a Markdown table.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "\n### {} (seed {}, {:.0} s)\n\n| | |\n|---|---:|\n",
            self.title,
            self.seed,
            self.took.as_secs_f64()
        );
        let total: u64 = self.kinds.values().sum();
        if total > 0 {
            let _ = writeln!(text, "| **faults** | **{total}** |");
        }
        for (kind, count) in &self.kinds {
            let _ = writeln!(text, "| {kind} | {count} |");
        }
        for (name, value) in &self.rows {
            let _ = writeln!(text, "| {name} | {value} |");
        }
        for failure in &self.failures {
            let _ = writeln!(text, "| **FAILED** | {failure} |");
        }
        text
    }
}
