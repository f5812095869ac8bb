//! Instruments of the `metrics` facade.

use crate::{
    memcached::{OwnServer, shared_address},
    place::{Embedded, Memcached, Place},
    polling::until,
    rows::{KEY, LABELS, Label, Masked, SECRET, USERS, User},
    written::first_column,
};
use cached_orm::{AuditOptions, Error, MemcachedOrm as _};
use metrics_util::{
    MetricKind,
    debugging::{DebugValue, DebuggingRecorder, Snapshotter},
};
use sqlx::Sqlite;
use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
    time::Duration,
};

type Metrics = HashMap<(String, Vec<(String, String)>), DebugValue>;

/// The recorder is the process's, so the tests that use it have other tables or
/// namespaces.
fn recorder() -> &'static Snapshotter {
    static RECORDER: OnceLock<Snapshotter> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        recorder.install().expect("nobody else has installed one");
        snapshotter
    })
}

/// What was recorded; counters and histograms since the last call.
fn recorded() -> (Metrics, BTreeSet<String>) {
    let mut described = BTreeSet::new();
    let mut metrics = Metrics::new();
    for (key, _, description, value) in recorder().snapshot().into_vec() {
        let name = key.key().name().to_owned();
        if !name.starts_with("cached_orm") {
            continue;
        }
        if description.is_some() {
            described.insert(name.clone());
        }
        let labels = key.key().labels();
        let mut labels: Vec<_> =
            labels.map(|label| (label.key().to_owned(), label.value().to_owned())).collect();
        labels.sort();
        let is_counter = key.kind() == MetricKind::Counter;
        assert_eq!(is_counter, name.ends_with("_total"), "{name}");
        metrics.insert((name, labels), value);
    }
    (metrics, described)
}

fn of(operation: &str, table: &str, entity: &str) -> Vec<(String, String)> {
    let labels = [
        ("cached_orm.entity", entity),
        ("db.collection.name", table),
        ("db.operation.name", operation),
    ];
    labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn counted(metrics: &Metrics, name: &str, labels: &[(String, String)]) -> u64 {
    match metrics.get(&(name.to_owned(), labels.to_vec())) {
        Some(DebugValue::Counter(count)) => *count,
        None => 0,
        other => panic!("{name}: {other:?}"),
    }
}

fn measured(metrics: &Metrics, name: &str, labels: &[(String, String)]) -> Vec<f64> {
    match metrics.get(&(name.to_owned(), labels.to_vec())) {
        Some(DebugValue::Histogram(values)) => values.iter().map(|value| value.0).collect(),
        None => Vec::new(),
        other => panic!("{name}: {other:?}"),
    }
}

fn shown(metrics: &Metrics, name: &str, label: (&str, &str)) -> Option<f64> {
    let labels = vec![(label.0.to_owned(), label.1.to_owned())];
    match metrics.get(&(name.to_owned(), labels)) {
        Some(DebugValue::Gauge(value)) => Some(value.0),
        None => None,
        other => panic!("{name}: {other:?}"),
    }
}

/// One test, since the recorder is one for all and what it has told is gone.
#[tokio::test]
async fn what_is_done_is_recorded_under_the_documented_names_and_no_others() {
    recorder();
    let hour = Duration::from_secs(3600);
    let here = Place::<Sqlite, Embedded>::built(&[USERS, LABELS], |builder| {
        builder.metrics(hour).drainer(false)
    })
    .await;
    let orm = &here.orm;
    orm.install_outbox().await.unwrap();
    for id in [KEY, KEY + 1, KEY + 2] {
        User::new(id).insert(orm).await.unwrap();
    }
    Label { id: KEY, text: SECRET.into() }.insert(orm).await.unwrap();
    User::invalidate(orm, [KEY, KEY + 1, KEY + 2]).await.unwrap();
    User::fetch(orm, KEY).await.unwrap();
    User::fetch(orm, KEY).await.unwrap();
    User::fetch(orm, KEY).await.unwrap();
    User::fetch_many(orm, [KEY, KEY + 1, KEY + 2]).await.unwrap();
    User::fetch_by_email(orm, format!("{SECRET}{KEY}")).await.unwrap();
    let error = User::fetch_one(orm, KEY + 9).await.unwrap_err();
    assert!(matches!(error, Error::RowNotFound { .. }) && error.kind() == "row_not_found");
    Label::fetch(orm, KEY).await.unwrap();
    Label::fetch(orm, KEY).await.unwrap();
    Label::fetch(orm, KEY).await.unwrap();
    Masked::fetch(orm, KEY).await.unwrap();
    let mut transaction = orm.begin().await.unwrap();
    User::new(KEY + 3).insert(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    here.run(&format!("UPDATE users SET city = 'elsewhere' WHERE id = {KEY}")).await;
    let soon = AuditOptions::default().settle(Duration::from_millis(1));
    orm.audit::<User>([KEY, KEY + 1], soon, |_| {}).await.unwrap();
    here.enlist(here.namespace(), "hex users:(31)").await;
    orm.publish_metrics().await;

    let (metrics, described) = recorded();
    let fetch = of("fetch", "users", "User");
    assert_eq!(counted(&metrics, "cached_orm_hits_total", &fetch), 2);
    assert_eq!(counted(&metrics, "cached_orm_misses_total", &fetch), 1);
    assert_eq!(counted(&metrics, "cached_orm_loads_total", &fetch), 1);
    assert_eq!(counted(&metrics, "cached_orm_fills_total", &fetch), 1);
    assert_eq!(measured(&metrics, "cached_orm_load_duration_seconds", &fetch).len(), 1);
    let times = measured(&metrics, "cached_orm_operation_duration_seconds", &fetch);
    assert_eq!(times.len(), 3);
    assert!(times.iter().all(|time| (1e-9..10.0).contains(time)), "{times:?}");
    let many = of("fetch_many", "users", "User");
    assert_eq!(counted(&metrics, "cached_orm_hits_total", &many), 1);
    assert_eq!(counted(&metrics, "cached_orm_misses_total", &many), 2);
    assert_eq!(counted(&metrics, "cached_orm_batch_loads_total", &many), 1);
    assert_eq!(measured(&metrics, "cached_orm_batch_keys", &many), [3.0]);
    let labels = of("fetch", "labels", "Label");
    assert_eq!(counted(&metrics, "cached_orm_near_hits_total", &labels), 2);
    let masked = of("fetch", "labels", "Masked");
    assert_eq!(counted(&metrics, "cached_orm_uncacheable_total", &masked), 1);
    let mut failed = of("fetch_one", "users", "User");
    assert_eq!(counted(&metrics, "cached_orm_misses_total", &failed), 1);
    failed.push(("error.type".into(), "row_not_found".into()));
    assert_eq!(counted(&metrics, "cached_orm_errors_total", &failed), 1);
    assert_eq!(measured(&metrics, "cached_orm_operation_duration_seconds", &failed).len(), 1);
    let commit = [("db.operation.name".to_owned(), "commit".to_owned())];
    assert_eq!(measured(&metrics, "cached_orm_operation_duration_seconds", &commit).len(), 1);
    assert!(counted(&metrics, "cached_orm_fences_total", &[]) >= 5);
    assert_eq!(counted(&metrics, "cached_orm_audits_agreed_total", &[]), 1);
    assert_eq!(counted(&metrics, "cached_orm_audits_unexplained_total", &[]), 1);
    let here_only = ("cached_orm.namespace", here.namespace());
    assert_eq!(shown(&metrics, "cached_orm_outbox_rows", here_only), Some(1.0));
    assert!(shown(&metrics, "cached_orm_outbox_oldest_seconds", here_only).is_some());
    assert_eq!(shown(&metrics, "cached_orm_loads_most", here_only), Some(8.0));
    let server = ("server.address", "embedded");
    assert_eq!(shown(&metrics, "cached_orm_server_up", server), Some(1.0));

    let written: BTreeSet<_> = first_column("Metrics").into_iter().map(str::to_owned).collect();
    for (name, labels) in metrics.keys() {
        assert!(written.contains(name), "{name} is not in docs/observability.md");
        assert!(described.contains(name), "{name} is not described");
        for (label, value) in labels {
            let of_row = value.contains(SECRET) || value.contains(&KEY.to_string());
            assert!(!of_row, "{name}: {label} = {value}");
        }
    }
    // The rest is counted for reads that are harder to bring about.
    let seldom = [
        "cached_orm_coalesced_total",
        "cached_orm_early_refreshes_total",
        "cached_orm_fenced_total",
        "cached_orm_fills_refused_total",
        "cached_orm_load_errors_total",
        "cached_orm_misled_total",
        "cached_orm_stale_reads_total",
        "cached_orm_too_large_total",
        "cached_orm_unreadable_total",
    ];
    let emitted: BTreeSet<_> = metrics.keys().map(|(name, _)| name.as_str()).collect();
    for name in &written {
        let is_seen = emitted.contains(name.as_str()) || seldom.contains(&name.as_str());
        assert!(is_seen, "{name} is in docs/observability.md, and was not recorded");
    }

    // What was told is not told again.
    orm.publish_metrics().await;
    let (metrics, _) = recorded();
    assert_eq!(counted(&metrics, "cached_orm_hits_total", &fetch), 0);
    assert_eq!(counted(&metrics, "cached_orm_fences_total", &[]), 0);
    User::fetch(orm, KEY).await.unwrap();
    orm.publish_metrics().await;
    let (metrics, _) = recorded();
    assert_eq!(counted(&metrics, "cached_orm_hits_total", &fetch), 1);

    of_servers_that_come_and_go().await;
}

async fn of_servers_that_come_and_go() {
    let absent = OwnServer::absent();
    let here = Place::<Sqlite, Memcached>::built(&[USERS], |builder| {
        builder
            .memcached([shared_address(), absent.address()])
            .timeout(Duration::from_millis(300))
            .metrics(Duration::from_millis(20))
    })
    .await;
    here.run(&format!("INSERT INTO users VALUES ({KEY}, 'a', 'b')")).await;
    // The task publishes by itself.
    until("the servers are shown", async || {
        let (metrics, _) = recorded();
        let up = |server: &str| shown(&metrics, "cached_orm_server_up", ("server.address", server));
        let round_trip = shown(
            &metrics,
            "cached_orm_server_round_trip_seconds",
            ("server.address", &shared_address()),
        );
        up(&shared_address()) == Some(1.0)
            && up(&absent.address()) == Some(0.0)
            && round_trip.is_some_and(|time| time > 0.0)
    })
    .await;
    for id in 0..20 {
        User::fetch(&here.orm, id).await.unwrap();
    }
    until("errors of the cache are counted", async || {
        counted(&recorded().0, "cached_orm_cache_errors_total", &[]) > 0
    })
    .await;
}
