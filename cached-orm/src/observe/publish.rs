//! Hands what was counted and measured to the recorder that the program has
//! installed for the `metrics` facade.

use super::{Counters, Meter, Meters, Named};
use crate::{Backend, Operation, Orm, ServerStatus, Status, orm::WeakOrm};
use metrics::{
    Histogram, Label, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use std::{
    collections::HashMap,
    ptr,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::sleep};

const DURATION: &str = "cached_orm_operation_duration_seconds";
const LOAD_DURATION: &str = "cached_orm_load_duration_seconds";
const BATCH_KEYS: &str = "cached_orm_batch_keys";
const ERRORS: &str = "cached_orm_errors_total";
const OUTBOX_ROWS: &str = "cached_orm_outbox_rows";
const OUTBOX_OLDEST: &str = "cached_orm_outbox_oldest_seconds";
const OUTBOX_LEFT: &str = "cached_orm_outbox_left";
const LOADS_UNDER_WAY: &str = "cached_orm_loads_under_way";
const LOADS_MOST: &str = "cached_orm_loads_most";
const DATABASE_UP: &str = "cached_orm_database_up";
const SERVER_UP: &str = "cached_orm_server_up";
const SERVER_ROUND_TRIP: &str = "cached_orm_server_round_trip_seconds";
const SERVER_HOLD_OFF: &str = "cached_orm_server_hold_off_seconds";

/// What every histogram and gauge is for.
const HISTOGRAMS: [(&str, Unit, &str); 3] = [
    (DURATION, Unit::Seconds, "How long operations took."),
    (LOAD_DURATION, Unit::Seconds, "How long the database took to load rows for reads."),
    (BATCH_KEYS, Unit::Count, "Keys in batches of reads."),
];
const GAUGES: [(&str, Unit, &str); 9] = [
    (OUTBOX_ROWS, Unit::Count, "Rows in the outbox."),
    (OUTBOX_OLDEST, Unit::Seconds, "How long ago the outbox's oldest row was put in."),
    (OUTBOX_LEFT, Unit::Count, "Rows that the last look at the outbox had to leave."),
    (LOADS_UNDER_WAY, Unit::Count, "Loads that are under way."),
    (LOADS_MOST, Unit::Count, "How many loads there may be at once."),
    (DATABASE_UP, Unit::Count, "Whether the database answers."),
    (SERVER_UP, Unit::Count, "Whether the cache server answers."),
    (SERVER_ROUND_TRIP, Unit::Seconds, "How long the cache server took to answer."),
    (SERVER_HOLD_OFF, Unit::Seconds, "How long the cache server is not filled yet."),
];

/// What one operation's times go to. Made when the first was measured.
#[derive(Debug)]
pub(crate) struct Instruments {
    duration: Histogram,
    load: Histogram,
    batch: Histogram,
}

impl Instruments {
    fn new(operation: Operation) -> Self {
        let labels = labels(operation);
        Self {
            duration: histogram!(DURATION, labels.clone()),
            load: histogram!(LOAD_DURATION, labels.clone()),
            batch: histogram!(BATCH_KEYS, labels),
        }
    }

    pub(super) fn record_load(&self, time: Duration) {
        self.load.record(time);
    }

    pub(super) fn record_batch(&self, keys: usize) {
        self.batch.record(keys as f64);
    }
}

impl Meter {
    pub(super) fn instruments(&self) -> &Instruments {
        self.instruments.get_or_init(|| Instruments::new(self.operation))
    }

    pub(super) fn record_operation(&self, time: Duration, error: Option<&'static str>) {
        let Some(kind) = error else { return self.instruments().duration.record(time) };
        let mut labels = labels(self.operation);
        labels.push(Label::from_static_parts("error.type", kind));
        histogram!(DURATION, labels.clone()).record(time);
        counter!(ERRORS, labels).increment(1);
    }
}

/// OpenTelemetry's names where it has some.
fn labels(operation: Operation) -> Vec<Label> {
    let mut labels = vec![Label::from_static_parts("db.operation.name", operation.name())];
    if let (Some(table), Some(entity)) = (operation.table(), operation.entity()) {
        labels.push(Label::from_static_parts("db.collection.name", table));
        labels.push(Label::from_static_parts("cached_orm.entity", entity));
    }
    labels
}

/// What was published of one `Orm` so far, by where it is counted and its name.
#[derive(Debug, Default)]
pub(crate) struct Publisher(Mutex<HashMap<(usize, &'static str), u64>>);

impl Publisher {
    /// Says what all instruments are for.
    pub(crate) fn describe() {
        for (name, help, _) in Counters::OF_OPERATIONS.iter().chain(Counters::OF_HANDLES) {
            describe_counter!(*name, Unit::Count, help.trim());
        }
        describe_counter!(ERRORS, Unit::Count, "Operations that failed.");
        for (name, unit, help) in HISTOGRAMS {
            describe_histogram!(name, unit, help);
        }
        for (name, unit, help) in GAUGES {
            describe_gauge!(name, unit, help);
        }
    }

    /// Hands on what was counted since the last time. Several `Orm`s of a process may
    /// have the same labels, so that it is the differences that add up.
    pub(crate) fn publish(&self, meters: &Meters, status: &Status, namespace: &str) {
        let mut published = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut increase = |counters: &Counters, (name, _, counter): &Named| {
            let now = counter(counters).get();
            let before = published.entry((ptr::from_ref(counters).addr(), *name)).or_default();
            now.saturating_sub(std::mem::replace(before, now))
        };
        for named in Counters::OF_HANDLES {
            let more = increase(meters.whole(), named);
            counter!(named.0).increment(more);
        }
        for named in Counters::OF_OPERATIONS {
            let more = increase(meters.whole(), named);
            if more > 0 {
                counter!(named.0).increment(more);
            }
            for meter in meters.used() {
                let more = increase(&meter.counters, named);
                if more > 0 {
                    counter!(named.0, labels(meter.operation)).increment(more);
                }
            }
        }
        drop(published);
        let labels = [Label::new("cached_orm.namespace", namespace.to_owned())];
        gauge!(OUTBOX_LEFT, labels.iter()).set(count(meters.whole().outbox_left.get()));
        publish_status(status, &labels);
    }
}

fn publish_status(status: &Status, whole: &[Label; 1]) {
    let Status { database, servers, outbox, loads, other_triggers: _ } = status;
    gauge!(DATABASE_UP, whole.iter()).set(flag(database.error.is_none()));
    gauge!(LOADS_UNDER_WAY, whole.iter()).set(loads.under_way as f64);
    gauge!(LOADS_MOST, whole.iter()).set(loads.most as f64);
    if let Some(outbox) = outbox {
        gauge!(OUTBOX_ROWS, whole.iter()).set(count(outbox.rows));
        gauge!(OUTBOX_OLDEST, whole.iter()).set(outbox.oldest.unwrap_or_default().as_secs_f64());
    }
    for server in servers {
        let ServerStatus { name, round_trip, hold_off, .. } = server;
        let labels = [Label::new("server.address", name.clone())];
        gauge!(SERVER_UP, labels.iter()).set(flag(server.is_up()));
        gauge!(SERVER_HOLD_OFF, labels.iter()).set(hold_off.unwrap_or_default().as_secs_f64());
        if let Some(after) = round_trip {
            gauge!(SERVER_ROUND_TRIP, labels.iter()).set(after.as_secs_f64());
        }
    }
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

/// What is counted is far below 2^53.
fn count(number: u64) -> f64 {
    number as f64
}

/// Publishes again and again, for as long as the `Orm` lives.
pub(crate) async fn publish_for_ever<DB: Backend>(
    orm: WeakOrm<DB>,
    every: Duration,
    mut closing: watch::Receiver<bool>,
) {
    let publishing = async {
        loop {
            sleep(every).await;
            let Some(orm) = orm.upgrade() else { return };
            orm.publish_metrics().await;
        }
    };
    tokio::select! {
        // An error is the end of the `Orm`.
        _ = closing.wait_for(|closing| *closing) => {}
        () = publishing => {}
    }
}

impl<DB: Backend> Orm<DB> {
    /// Hands what was counted so far to the recorder of the `metrics` facade, and how
    /// database, servers and outbox are. An `Orm` that was built with
    /// [`metrics`](crate::OrmBuilder::metrics) does so by itself; this is for a page
    /// that is about to show them.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) {
    /// orm.publish_metrics().await;
    /// # }
    /// ```
    pub async fn publish_metrics(&self) {
        let status = self.status_now().await;
        self.publisher().publish(self.meters(), &status, self.namespace().name());
    }
}
