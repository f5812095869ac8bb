//! What was acknowledged, and so what a read may not be older than.

use crate::faults::Phase;
use hdrhistogram::Histogram;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// The first mistakes are told in full.
const EXAMPLES: usize = 20;

#[derive(Debug)]
pub(crate) struct Check {
    state: Mutex<State>,
    has_ended: AtomicBool,
}

#[derive(Debug)]
struct State {
    /// For each city the newest revision that a client was told of, and its name.
    known: HashMap<i64, (i64, String)>,
    phase: Phase,
    /// When the database was away, and whether it is.
    outages: Vec<(Instant, Option<Instant>)>,
    counts: BTreeMap<Phase, Counts>,
    wrong: u64,
    failed_while_up: u64,
    examples: Vec<String>,
}

/// What happened in all phases of one kind.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) time: Duration,
    pub(crate) reads: u64,
    /// Reads that failed while the database was away.
    pub(crate) failed_reads: u64,
    pub(crate) writes: u64,
    /// Writes that were refused: the cache or the database was away.
    pub(crate) refused_writes: u64,
    /// Writes that failed otherwise, such as by a lost connection.
    pub(crate) failed_writes: u64,
    pub(crate) microseconds: Histogram<u64>,
}

/// What is known at the start of a read.
pub(crate) struct Floor {
    started: Instant,
    revision: i64,
}

impl Check {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                known: HashMap::new(),
                phase: Phase::Quiet,
                outages: Vec::new(),
                counts: BTreeMap::new(),
                wrong: 0,
                failed_while_up: 0,
                examples: Vec::new(),
            }),
            has_ended: AtomicBool::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, phase: Phase) {
        self.state().phase = phase;
    }

    pub(crate) fn phase_took(&self, phase: Phase, time: Duration) {
        self.state().counts.entry(phase).or_default().time += time;
    }

    /// From now on reads may fail, until [`database_is_up`](Self::database_is_up).
    pub(crate) fn database_goes_down(&self) {
        self.state().outages.push((Instant::now(), None));
    }

    pub(crate) fn database_is_up(&self) {
        if let Some((_, end)) = self.state().outages.last_mut() {
            *end = Some(Instant::now());
        }
    }

    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// To be called before a city is read.
    pub(crate) fn floor(&self, city: i64) -> Floor {
        let revision = self.state().known.get(&city).map_or(0, |&(revision, _)| revision);
        Floor { started: Instant::now(), revision }
    }

    /// A read has given this city; what it gave is known from now on.
    pub(crate) fn was_read(&self, floor: &Floor, city: &Value) {
        let mut state = self.state();
        state.here().microseconds.saturating_record(micros(floor.started));
        state.here().reads += 1;
        state.compare(floor.revision, city);
    }

    /// A list has given these cities, some of which had floors.
    pub(crate) fn list_was_read(&self, started: Instant, cities: &[(i64, Value)]) {
        let mut state = self.state();
        state.here().microseconds.saturating_record(micros(started));
        state.here().reads += 1;
        for (floor, city) in cities {
            state.compare(*floor, city);
        }
    }

    pub(crate) fn read_failed(&self, started: Instant, path: &str, how: &str) {
        let mut state = self.state();
        let was_down = |&(down, up): &(Instant, Option<Instant>)| {
            up.is_none_or(|up| started < up) && Instant::now() >= down
        };
        if state.outages.iter().any(was_down) {
            state.here().failed_reads += 1;
        } else {
            state.failed_while_up += 1;
            let phase = state.phase;
            state.example(format!("{phase:?}: GET {path} failed: {how}"));
        }
    }

    pub(crate) fn was_written(&self, city: &Value) {
        let mut state = self.state();
        state.here().writes += 1;
        state.compare(0, city);
    }

    pub(crate) fn write_was_refused(&self) {
        self.state().here().refused_writes += 1;
    }

    pub(crate) fn write_failed(&self) {
        self.state().here().failed_writes += 1;
    }

    /// What was counted: by phase, wrong answers, failed reads while the database was
    /// up, examples of both.
    pub(crate) fn take(&self) -> (BTreeMap<Phase, Counts>, u64, u64, Vec<String>) {
        let mut state = self.state();
        let (wrong, failed) = (state.wrong, state.failed_while_up);
        (std::mem::take(&mut state.counts), wrong, failed, std::mem::take(&mut state.examples))
    }
}

impl State {
    fn here(&mut self) -> &mut Counts {
        self.counts.entry(self.phase).or_default()
    }

    fn compare(&mut self, floor: i64, city: &Value) {
        let (Some(id), Some(revision), Some(name)) =
            (city["id"].as_i64(), city["revision"].as_i64(), city["name"].as_str())
        else {
            self.wrong += 1;
            return self.example(format!("no city: {city}"));
        };
        let phase = self.phase;
        if revision < floor {
            self.wrong += 1;
            self.example(format!("{phase:?}: city {id} of revision {revision} after {floor}"));
        }
        match self.known.get(&id) {
            Some((known, as_known)) if *known == revision && as_known != name => {
                self.wrong += 1;
                self.example(format!("{phase:?}: city {id} has two names at revision {revision}"));
            }
            Some((known, _)) if *known >= revision => {}
            _ => drop(self.known.insert(id, (revision, name.to_owned()))),
        }
    }

    fn example(&mut self, text: String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(text);
        }
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            time: Duration::ZERO,
            reads: 0,
            failed_reads: 0,
            writes: 0,
            refused_writes: 0,
            failed_writes: 0,
            microseconds: Histogram::new_with_bounds(1, 60_000_000, 3)
                .expect("the bounds are right"),
        }
    }
}

fn micros(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}
