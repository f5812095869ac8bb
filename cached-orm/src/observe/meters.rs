use super::{Counters, Statistics, Uses};
use crate::{
    Operation,
    coherence::{self, Event},
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::time::Instant;

/// More than most programs have operations on entities: each method that one calls on
/// each of its structs.
const PLACES: usize = 512;

/// What one `Orm` has counted.
///
/// A place is found by the addresses of an operation's names, and is never given
/// away again: so that a read finds its own in a few nanoseconds, without a lock.
pub(crate) struct Meters {
    places: Box<[OnceLock<Box<Meter>>; PLACES]>,
    /// For operations that have found no place.
    others: Meter,
    whole: Arc<Counters>,
    /// The structs that these are on, of which none may be forgotten.
    uses: Arc<Uses>,
    measures: bool,
    /// The database, as OpenTelemetry calls it.
    system: &'static str,
}

/// What one operation on one entity has done.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(super) operation: Operation,
    pub(super) counters: Counters,
    measures: bool,
    #[cfg(feature = "metrics")]
    pub(super) instruments: OnceLock<super::publish::Instruments>,
}

impl Meters {
    pub(crate) fn new(whole: Arc<Counters>, measures: bool, database: &'static str) -> Self {
        Self {
            places: Box::new([const { OnceLock::new() }; PLACES]),
            others: Meter::new(Operation::new("other"), measures),
            whole,
            uses: Arc::default(),
            measures,
            system: match database {
                "PostgreSQL" => "postgresql",
                "MySQL" => "mysql",
                "SQLite" => "sqlite",
                other => other,
            },
        }
    }

    /// The meter of an operation.
    #[inline]
    pub(crate) fn of(&self, operation: Operation) -> &Meter {
        let first = operation.hash() as usize % PLACES;
        match self.places[first].get() {
            Some(meter) if meter.operation.is(&operation) => meter,
            _ => self.find(operation, first),
        }
    }

    /// The first time, and where two operations want one place.
    #[cold]
    fn find(&self, operation: Operation, first: usize) -> &Meter {
        for place in self.places[first..].iter().chain(&self.places[..first]) {
            let meter = place.get_or_init(|| {
                // Before anybody finds the place, who then need not note it again.
                self.note(operation);
                Box::new(Meter::new(operation, self.measures))
            });
            if meter.operation.is(&operation) {
                return meter;
            }
        }
        self.note(operation);
        &self.others
    }

    fn note(&self, operation: Operation) {
        if let Some(subject) = operation.subject() {
            self.uses.note(subject);
        }
    }

    /// Those of operations that were used.
    pub(super) fn used(&self) -> impl Iterator<Item = &Meter> {
        self.places.iter().filter_map(OnceLock::get).map(|meter| &**meter).chain([&self.others])
    }

    /// What the operations were on.
    pub(crate) fn uses(&self) -> &Arc<Uses> {
        &self.uses
    }

    /// What is counted for the handle as a whole.
    pub(crate) fn whole(&self) -> &Counters {
        &self.whole
    }

    pub(crate) fn sum(&self) -> Statistics {
        let mut sum = Statistics::default();
        self.whole.add_to(&mut sum);
        self.used().for_each(|meter| meter.counters.add_to(&mut sum));
        sum
    }

    /// Whether times are to be taken.
    #[inline]
    pub(crate) fn measures(&self) -> bool {
        self.measures
    }

    pub(super) fn system(&self) -> &'static str {
        self.system
    }
}

impl Meter {
    fn new(operation: Operation, measures: bool) -> Self {
        Self {
            operation,
            counters: Counters::default(),
            measures,
            #[cfg(feature = "metrics")]
            instruments: OnceLock::new(),
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    #[cfg(not(feature = "metrics"))]
    fn record_load(&self, _: Duration) {}

    #[cfg(not(feature = "metrics"))]
    fn record_batch(&self, _: usize) {}

    #[cfg(not(feature = "metrics"))]
    pub(super) fn record_operation(&self, _: Duration, _: Option<&'static str>) {}

    #[cfg(feature = "metrics")]
    fn record_load(&self, time: Duration) {
        self.instruments().record_load(time);
    }

    #[cfg(feature = "metrics")]
    fn record_batch(&self, keys: usize) {
        self.instruments().record_batch(keys);
    }
}

impl coherence::Meter for Meter {
    #[inline]
    fn count(&self, event: Event, times: u64) {
        self.counters.count(event, times);
    }

    fn start(&self) -> Option<Instant> {
        self.measures.then(Instant::now)
    }

    fn loaded(&self, started: Option<Instant>) {
        if let Some(started) = started {
            self.record_load(started.elapsed());
        }
    }

    fn batch_of(&self, keys: usize) {
        if self.measures {
            self.record_batch(keys);
        }
    }
}

// Not derived: most places are empty.
impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").field("measures", &self.measures).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Subject;

    #[test]
    fn every_operation_has_a_meter_of_its_own_and_keeps_it() {
        let meters = Meters::new(Arc::default(), false, "SQLite");
        let [one, other] = [Operation::new("one"), Operation::new("other one")];
        for _ in 0..3 {
            meters.of(one).counters().hits.add_one();
        }
        meters.of(other).counters().hits.add_one();
        meters.whole().fences.add_one();
        assert_eq!(meters.of(one).counters().hits.get(), 3);
        assert_eq!((meters.sum().hits, meters.sum().fences), (4, 1));
    }

    #[test]
    fn more_operations_than_there_are_places_are_counted_together() {
        let meters = Meters::new(Arc::default(), false, "SQLite");
        for number in 0..PLACES + 10 {
            let name: &'static str = Box::leak(format!("operation {number}").into());
            meters.of(Operation::new(name)).counters().misses.add_one();
        }
        assert_eq!(meters.others.counters.misses.get(), 10);
        assert_eq!(meters.sum().misses, PLACES as u64 + 10);
    }

    #[test]
    fn no_struct_is_forgotten_when_there_are_more_operations_than_places() {
        let meters = Meters::new(Arc::default(), false, "SQLite");
        let operations = |entity: &'static str| {
            let subject = Box::leak(Box::new(Subject {
                entity,
                table: entity,
                cache_name: entity,
                key_columns: &["id"],
                key_kinds: &[],
            }));
            ["fetch", "update"].map(|name| Operation::on_subject(name, subject))
        };
        let entities: Vec<&'static str> =
            (0..PLACES).map(|number| &*Box::leak(format!("E{number}").into_boxed_str())).collect();
        for operation in entities.iter().flat_map(|entity| operations(entity)) {
            meters.of(operation);
        }
        let known: Vec<_> = meters.uses().subjects().map(|subject| subject.entity).collect();
        assert_eq!(known, entities);
        assert_eq!(meters.uses().count(), PLACES);
    }
}
