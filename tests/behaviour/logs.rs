//! What is logged, at whatever level, has neither secrets nor data of rows, but for keys.

use crate::{
    databases::TestDatabase,
    memcached::{OwnServer, Wire, shared_address},
    place::{Memcached, Place},
    tables::{
        keys::{NOTES, Note},
        people::{PEOPLE, Person},
    },
};
use cached_orm::{BindKey, Error, MemcachedOrm as _, MySql, Orm, Persist, Postgres, Sqlite};
use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex, PoisonError},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// It stands in every row, outside of its keys, and in every password.
const SECRET: &str = "hunter2";
const SIGNING_KEY: [u8; 32] = [0xA7; 32];

/// All that is logged on this thread while it lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn note(&self, name: &str, record: impl FnOnce(&mut Text)) {
        let mut text = Text(format!("\n{name}"));
        record(&mut text);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text.0);
    }

    /// Lines that speak of a secret.
    fn leaks(&self) -> Vec<String> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(log.contains("cached_orm"), "nothing was logged");
        log.lines().filter(|line| is_leak(line)).map(str::to_owned).collect()
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}").replace('\n', " ");
        write!(self.0, " {field}={value}").expect("a `String` takes it");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.note(span.metadata().name(), |text| span.record(text));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        self.note("record", |text| values.record(text));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(event.metadata().target(), |text| event.record(text));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// As it is written, in hexadecimal digits, or as a list of numbers.
fn is_leak(text: &str) -> bool {
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let lower = text.to_ascii_lowercase();
    let numbers = format!("{:?}", SECRET.as_bytes());
    [SECRET, &hex, numbers.trim_matches(['[', ']']), "167, 167, 167, 167", "a7a7a7a7"]
        .iter()
        .any(|secret| lower.contains(secret))
}

fn assert_silent(text: &str) {
    assert!(!is_leak(text), "{text}");
}

/// A life with all that goes wrong in one.
async fn live<DB: TestDatabase>(too_long: &str)
where
    Person: Persist<DB>,
    Note: Persist<DB>,
    i64: BindKey<DB>,
    String: BindKey<DB>,
{
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let sign = |builder: cached_orm::OrmBuilder<DB>| builder.sign_entries([SIGNING_KEY]);
    let here = Place::<DB, Memcached>::built(&[PEOPLE, NOTES], sign).await;
    let orm = &here.orm;
    orm.install_outbox().await.unwrap();

    let mut ann = Person::named(SECRET).insert(orm).await.unwrap();
    Person::fetch(orm, ann.id).await.unwrap();
    let errors = [
        Person::named(SECRET).insert(orm).await.unwrap_err(),
        Note { title: String::new(), body: SECRET.into() }.update(orm).await.unwrap_err(),
    ];
    here.run(too_long).await;
    ann.name = SECRET.repeat(100);
    let errors = errors.into_iter().chain(ann.update(orm).await.err());
    let errors: Vec<_> = errors.collect();

    // Others have been at the entry, and at the outbox.
    let key = ann.get_cache_key(orm);
    for rubbish in [SECRET.as_bytes(), b"\x0EcoE\x01hunter2", b"\xF1CO\x1Ahunter2"] {
        Wire::shared().set(key.as_str(), rubbish);
        Person::fetch(orm, ann.id).await.unwrap();
    }
    // Not as a whole in the test's own SQL, which sqlx logs.
    let namespace = here.namespace();
    here.run(&format!(
        "INSERT INTO cached_orm_outbox (namespace, cache_key)
         VALUES ('{namespace}', concat('hunter', '2 is no key'))"
    ))
    .await;
    orm.drain_outbox().await.unwrap();
    let mut transaction = orm.begin().await.unwrap();
    Person::named("Bob").insert(&mut transaction).await.unwrap();
    assert_silent(&format!("{transaction:?}"));
    transaction.rollback().await.unwrap();

    // A cache that is away.
    let absent = OwnServer::absent();
    let away = here.handle(|builder| sign(builder).memcached([absent.address()])).await;
    Person::fetch(&away, ann.id).await.unwrap();
    ann.name = "Ann".into();
    ann.update(&away).await.unwrap();

    for orm in [orm, &away] {
        assert_silent(&format!("{orm:?} {orm:#?} {:?}", orm.store()));
    }
    assert_silent(&format!("{:?}", sign(Orm::builder(orm.pool().clone()))));
    for error in errors {
        assert_silent(&format!("{error} {error:?}"));
    }
    away.close().await;
    assert_eq!(log.leaks(), [""; 0]);
}

#[tokio::test]
async fn nothing_of_a_row_is_logged_on_postgres() {
    live::<Postgres>("ALTER TABLE people ADD CONSTRAINT short CHECK (length(name) < 100)").await;
}

#[tokio::test]
async fn nothing_of_a_row_is_logged_on_mariadb() {
    live::<MySql>("ALTER TABLE people MODIFY name VARCHAR(100) NOT NULL").await;
}

#[tokio::test]
async fn nothing_of_a_row_is_logged_on_sqlite() {
    live::<Sqlite>("SELECT 1").await;
}

async fn refused<DB: TestDatabase>(log: &Log, database: &str, cache: &str) {
    let error = match Orm::<DB>::connect(database, cache).await {
        Err(error) => error,
        Ok(orm) => panic!("{orm:?} could connect"),
    };
    assert!(matches!(error, Error::Configuration(_) | Error::Connect { .. }), "{error}");
    assert_silent(&format!("{error} {error:?} {error:#?}"));
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        assert_silent(&format!("{inner} {inner:?}"));
        source = inner.source();
    }
    assert_eq!(log.leaks(), [""; 0]);
}

#[tokio::test]
async fn no_password_of_a_url_is_told() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    tracing::info!("the tests of cached_orm begin");
    let cache = format!("memcached://{}", shared_address());
    // Nobody listens there, there is no such user, and what is no URL.
    for place in ["127.0.0.1:1", "127.0.0.1:no-port", "host name", "127.0.0.1:1/x?port=hunter"] {
        let url = |scheme: &str| format!("{scheme}://ann:{SECRET}@{place}/none");
        refused::<Postgres>(&log, &url("postgres"), &cache).await;
        refused::<MySql>(&log, &url("mysql"), &cache).await;
    }
    for (variable, scheme) in [("TEST_POSTGRES_URL", "postgres"), ("TEST_MYSQL_URL", "mysql")] {
        let server = crate::databases::variable(variable);
        let address = server.rsplit('@').next().and_then(|rest| rest.split('/').next());
        let address = address.expect("an address");
        let url = format!("{scheme}://nobody_{scheme}:{SECRET}@{address}/no_such_database");
        match scheme {
            "postgres" => refused::<Postgres>(&log, &url, &cache).await,
            _ => refused::<MySql>(&log, &url, &cache).await,
        }
    }
    for cache in [
        "memcached://ann:hunter2@127.0.0.1",
        "memcached://hunter2@127.0.0.1?namespace=shop",
        "memcached://ann:a?hunter2=b@127.0.0.1",
        "redis://ann:hunter2@127.0.0.1",
        "ann:hunter2@127.0.0.1",
    ] {
        refused::<Sqlite>(&log, "sqlite::memory:", cache).await;
    }
    let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
    let built = Orm::builder(pool).memcached(["ann:hunter2@127.0.0.1"]).build().await;
    assert_silent(&built.map(drop).unwrap_err().to_string());
}
