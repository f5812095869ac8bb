//! Spans and events of `tracing`.

use crate::{
    place::{Embedded, Memcached, Place},
    rows::{KEY, LABELS, Label, SECRET, USERS, User, UserColumns},
    written::first_column,
};
use cached_orm::{Error, MemcachedOrm as _, Orm, SetOptions};
use sqlx::{Postgres, Sqlite};
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, Once},
};
use tracing::{
    Level, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, Registry, layer::Context, prelude::*, registry::LookupSpan};

/// A span or event of this library.
#[derive(Debug, Clone)]
struct Seen {
    level: Level,
    /// `None` for events.
    span: Option<u64>,
    /// Of events: the operation of the span that they are in.
    within: Option<String>,
    fields: HashMap<String, String>,
}

impl Seen {
    fn operation(&self) -> &str {
        &self.fields["db.operation.name"]
    }
}

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Seen>>>);

struct Fields<'f>(&'f mut HashMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Notes {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, _: Context<'_, S>) {
        if !attributes.metadata().target().starts_with("cached_orm") {
            return;
        }
        let mut fields = HashMap::new();
        attributes.record(&mut Fields(&mut fields));
        let (level, span) = (*attributes.metadata().level(), Some(id.into_u64()));
        self.0.lock().unwrap().push(Seen { level, span, within: None, fields });
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        let mut seen = self.0.lock().unwrap();
        if let Some(span) = seen.iter_mut().rev().find(|seen| seen.span == Some(id.into_u64())) {
            values.record(&mut Fields(&mut span.fields));
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        if !event.metadata().target().starts_with("cached_orm") {
            return;
        }
        let mut fields = HashMap::new();
        event.record(&mut Fields(&mut fields));
        let mut seen = self.0.lock().unwrap();
        let within = context.event_span(event).and_then(|span| {
            let id = Some(span.id().into_u64());
            let span = seen.iter().rev().find(|seen| seen.span == id)?;
            Some(span.operation().to_owned())
        });
        seen.push(Seen { level: *event.metadata().level(), span: None, within, fields });
    }
}

/// What is seen while this thread's tasks run, at every level.
fn listen() -> (Notes, tracing::subscriber::DefaultGuard) {
    static EVERYWHERE: Once = Once::new();
    // Where nobody listens in other threads, an event that one of them reaches for the
    // first time just now may be taken for one that nobody wants, here as well.
    EVERYWHERE.call_once(|| {
        let _ = tracing::subscriber::set_global_default(Registry::default());
    });
    let notes = Notes::default();
    let guard = tracing::subscriber::set_default(Registry::default().with(notes.clone()));
    (notes, guard)
}

impl Notes {
    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn user(number: i64) -> User {
    User::new(KEY + number)
}

/// Calls every method of a struct.
async fn everything(here: &Place<Sqlite, Embedded>) -> cached_orm::Result<()> {
    let orm: &Orm<Sqlite> = &here.orm;
    let mut ann = user(0).insert(orm).await?;
    User::fetch(orm, KEY).await?;
    User::fetch_one(orm, KEY).await?;
    User::fetch_many(orm, [KEY, KEY + 5]).await?;
    User::fetch_uncached(orm, KEY).await?;
    User::fetch_by_email(orm, ann.email.clone()).await?;
    User::fetch_many_by_email(orm, [ann.email.clone()]).await?;
    User::fetch_by_city(orm, ann.city.clone()).await?;
    User::fetch_by_field(orm, UserColumns::EMAIL, ann.email.clone()).await?;
    User::fetch_all_by_field(orm, UserColumns::CITY, ann.city.clone()).await?;
    let _ = Label::fetch_or_stale(orm, KEY).await?;
    ann.load_uncached(orm).await?;
    ann.update(orm).await?;
    ann.upsert(orm).await?;
    User::patch(KEY).set(UserColumns::CITY, SECRET).execute(orm).await?;
    User::insert_many(orm, &[user(1), user(2)]).await?;
    User::update_many(orm, &mut [user(1), user(2)]).await?;
    ann.refresh(orm).await?;
    User::get_cached_instance(orm, KEY).await?;
    ann.set_cached_instance(orm, SetOptions::default()).await?;
    User::delete_cached_instance(orm, KEY).await?;
    User::invalidate(orm, [KEY]).await?;
    User::warm(orm, [KEY, KEY + 1], |_| {}).await?;
    user(1).delete(orm).await?;
    User::delete_by_key(orm, KEY + 2).await?;
    User::delete_many(orm, [KEY + 2]).await?;
    let mut transaction = orm.begin().await?;
    transaction.touch::<User>(KEY).await?;
    ann.update(&mut transaction).await?;
    transaction.commit().await?;
    let mut own = here.direct().begin().await.expect("a transaction");
    let (_, inserted) = user(7).insert_on(orm, &mut own).await?;
    let updated = ann.update_on(orm, &mut own).await?;
    let deleted = ann.delete_on(orm, &mut own).await?;
    let fenced = inserted.and(updated).and(deleted.1).fence(&mut own).await?;
    own.commit().await.expect("a commit");
    fenced.release().await;
    orm.drain_outbox().await?;
    Ok(())
}

#[tokio::test]
async fn every_operation_has_a_span_and_no_key_or_value_of_a_row_is_told_at_info() {
    let here =
        Place::<Sqlite, Embedded>::built(&[USERS, LABELS], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    let (notes, _guard) = listen();
    everything(&here).await.unwrap();
    let seen = notes.take();
    let spans: Vec<_> = seen.iter().filter(|seen| seen.span.is_some()).collect();
    let operations: BTreeSet<_> = spans.iter().map(|span| span.operation()).collect();
    // Index methods have the names of their columns.
    let named = |name: &str| {
        match name {
            "fetch_by_email" | "fetch_by_city" => "fetch_by_…",
            "fetch_many_by_email" => "fetch_many_by_…",
            _ => return name.to_owned(),
        }
        .to_owned()
    };
    let operations: BTreeSet<_> = operations.into_iter().map(named).collect();
    let written: BTreeSet<_> = first_column("Spans").into_iter().map(str::to_owned).collect();
    assert_eq!(operations, written);
    for span in &spans {
        let operation = span.operation();
        let reads = operation.starts_with("fetch")
            || ["load_uncached", "get_cached_instance"].contains(&operation);
        assert_eq!(span.level == Level::DEBUG, reads, "{span:?}");
        assert_eq!(span.fields["db.system.name"], "sqlite");
        assert!(!span.fields.contains_key("error.type"), "{span:?}");
        match span.fields.get("db.collection.name").map(String::as_str) {
            Some(table) => {
                assert_eq!(span.fields["otel.name"], format!("{operation} {table}"));
            }
            None => assert!(["commit", "drain_outbox"].contains(&operation), "{span:?}"),
        }
    }
    for seen in &seen {
        let text = format!("{:?}", seen.fields);
        assert!(!text.contains(SECRET) || seen.fields.contains_key("key"), "{seen:?}");
        let tells_key = text.contains(&KEY.to_string()[..4]);
        assert!(!tells_key || seen.level >= Level::DEBUG && seen.span.is_none(), "{seen:?}");
    }
    assert!(seen.iter().any(|seen| seen.fields.contains_key("key")), "keys are told at debug");
}

#[tokio::test]
async fn loads_are_told_within_the_span_of_their_read_and_failures_by_their_kind() {
    let here = Place::<Postgres, Memcached>::with(&[USERS]).await;
    user(0).insert(&here.orm).await.unwrap();
    User::invalidate(&here.orm, [KEY]).await.unwrap();
    let (notes, _guard) = listen();
    User::fetch(&here.orm, KEY).await.unwrap();
    let seen = notes.take();
    let loads = seen.iter().filter(|seen| {
        seen.fields.get("message").is_some_and(|text| text.contains("a row is loaded"))
    });
    let loads: Vec<_> = loads.map(|seen| seen.within.clone()).collect();
    assert_eq!(loads, [Some("fetch".to_owned())]);
    assert_eq!(seen[0].fields["db.system.name"], "postgresql");

    let error = user(0).insert(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    let error = User::fetch_one(&here.orm, KEY + 5).await.unwrap_err();
    assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
    let kinds: Vec<_> = notes
        .take()
        .into_iter()
        .filter(|seen| seen.span.is_some())
        .map(|span| (span.operation().to_owned(), span.fields["error.type"].clone()))
        .collect();
    let expected = [("insert", "database"), ("fetch_one", "row_not_found")];
    assert_eq!(kinds, expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
}
