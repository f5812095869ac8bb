//! Rows of every type, as they are generated: what a hit gives is what the database has,
//! and an update of something else changes nothing of it.

use super::{Database, Here};
use crate::{
    databases::Kind,
    rows::{Noted, types::*},
};
use cached_orm::{MemcachedOrm as _, Persist};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use proptest::{
    prelude::*,
    strategy::{BoxedStrategy, ValueTree as _},
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use std::{collections::HashMap, fmt::Debug};
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time};
use uuid::Uuid;

/// How many rows of each type are made up.
const ROWS: usize = 12;

/// Whether a row is to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Stored,
    NotStored,
    /// It depends on the value.
    Either,
}

/// The values that are read are the same for the database, whatever `PartialEq` says.
trait Row: Noted + Persist<Database, Key = i64> + Clone + Debug {
    /// The row as a text in which no two values are alike.
    fn text(&self) -> String {
        format!("{self:?}")
    }
}

macro_rules! rows {
    ($($name:ident)+) => {$(
        impl Row for $name {}
    )+};
}

rows! {
    Small Large Flag Single Double Text MaybeText Bytes Token Moment LocalMoment Day Clock
    TimeMoment TimeLocal TimeDay TimeClock Document PlainDocument MaybeDocument Nested Numbers
    Tagged AdjacentlyTagged WithoutTag Flattened Peer Seconds Secret Tidy Price Mirrored Wide
    Renamed Strict
}

impl Row for Unordered {
    fn text(&self) -> String {
        // In one order.
        serde_json::to_value(&self.value).map_or_else(
            |error| error.to_string(),
            |value| {
                let lists = value.as_object().into_iter().flatten();
                let sorted = lists.map(|(name, list)| {
                    let mut items: Vec<_> = list.as_array().into_iter().flatten().collect();
                    items.sort_by_key(|item| item.as_u64());
                    format!("{name}: {items:?}")
                });
                let mut sorted: Vec<_> = sorted.collect();
                sorted.sort();
                format!("{} {} {sorted:?}", self.id, self.note)
            },
        )
    }
}

/// Inserts a row with the value, reads it, changes its note, and looks at each step
/// whether it is what the database has.
async fn comes_back<T: Row>(here: &Here, id: i64, value: T::Value, expected: Expected) {
    let row = T::new(id, value);
    let what = format!("{} {row:?}", T::NAME);
    let inserted = match row.insert(&here.orm).await {
        Ok(inserted) => inserted,
        Err(error) => panic!("{what}: {error}"),
    };
    let truth = T::fetch_uncached(&here.orm, id).await.unwrap().expect("it was inserted");
    assert_eq!(inserted.text(), truth.text(), "inserted: {what}");
    // Written through, and loaded.
    for loaded in [false, true] {
        if loaded {
            T::delete_cached_instance(&here.orm, id).await.unwrap();
            let read = T::fetch_one(&here.orm, id).await.unwrap();
            assert_eq!(read.text(), truth.text(), "loaded: {what}");
        }
        let before = here.statistics();
        let mut read = T::fetch_one(&here.orm, id).await.unwrap();
        assert_eq!(read.text(), truth.text(), "read: {what}");
        let after = here.statistics();
        match (after.hits - before.hits, after.uncacheable - before.uncacheable) {
            (1, 0) => assert_ne!(expected, Expected::NotStored, "a hit: {what}"),
            (0, 1) => assert_ne!(expected, Expected::Stored, "not stored: {what}"),
            (hits, lost) => panic!("{hits} hits, {lost} not stored: {what}"),
        }
        assert_eq!(after.unreadable, before.unreadable, "{what}");

        let note = format!("after {loaded}");
        *read.note() = note.clone();
        read.update(&here.orm).await.unwrap();
        let mut changed = T::fetch_uncached(&here.orm, id).await.unwrap().expect("it is there");
        assert_eq!(read.text(), changed.text(), "updated: {what}");
        assert_eq!(*changed.note(), note);
        *changed.note() = inserted.clone().note().clone();
        assert_eq!(changed.text(), inserted.text(), "another field was changed: {what}");
        read.note().clone_from(inserted.clone().note());
        read.update(&here.orm).await.unwrap();
    }
}

async fn all_come_back<T: Row>(here: &Here, values: Vec<T::Value>, expected: Expected) {
    for (id, value) in (1..).zip(values) {
        comes_back::<T>(here, id, value, expected).await;
    }
}

/// What is worth trying, and then what is made up.
fn values<V: Debug + 'static>(special: Vec<V>, any: impl Strategy<Value = V> + 'static) -> Vec<V> {
    let any: BoxedStrategy<V> = any.boxed();
    let mut runner = TestRunner::default();
    let made_up = (0..ROWS).map(|_| any.new_tree(&mut runner).expect("a value").current());
    special.into_iter().chain(made_up).collect()
}

/// Text that every database takes: PostgreSQL has no NUL.
fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| text.replace('\0', "0"))
}

fn moments() -> impl Strategy<Value = DateTime<Utc>> {
    // What MariaDB's TIMESTAMP holds, to the microsecond.
    (1_000_000_i64..2_000_000_000_000_000)
        .prop_map(|at| DateTime::from_timestamp_micros(at).expect("a time"))
}

fn days() -> impl Strategy<Value = NaiveDate> {
    let first = NaiveDate::from_ymd_opt(1000, 1, 1).expect("a day");
    (0_u64..3_000_000).prop_map(move |days| first + Days::new(days))
}

fn times() -> impl Strategy<Value = NaiveTime> {
    (0_u32..86_400, 0_u32..1_000_000).prop_map(|(seconds, micros)| {
        NaiveTime::from_num_seconds_from_midnight_opt(seconds, micros * 1000).expect("a time")
    })
}

fn ips() -> impl Strategy<Value = std::net::IpAddr> {
    any::<std::net::IpAddr>()
}

fn uuids() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Databases keep no more of a number than a double has.
        (-1e6..1e6).prop_map(|number: f64| json!(number)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

const STORED: Expected = Expected::Stored;

#[tokio::test]
async fn numbers_and_flags() {
    let here =
        Here::with(&[Small::TABLE, Large::TABLE, Flag::TABLE, Single::TABLE, Double::TABLE]).await;
    all_come_back::<Small>(&here, values(vec![i16::MIN, -1, i16::MAX], any::<i16>()), STORED).await;
    let large = values(vec![None, Some(i64::MIN), Some(i64::MAX)], any::<Option<i64>>());
    all_come_back::<Large>(&here, large, STORED).await;
    all_come_back::<Flag>(&here, vec![None, Some(true), Some(false)], STORED).await;
    let mut single = values(vec![0.1, -0.0, f32::MIN_POSITIVE], -1e30_f32..1e30);
    let mut double = values(vec![None, Some(0.1 + 0.2), Some(-0.0), Some(5e-324)], any::<Option<i32>>().prop_map(|n| n.map(|n| f64::from(n) / 3.0)));
    if Here::DATABASE == Kind::Postgres {
        single.extend([f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
        double.extend([Some(f64::NAN), Some(f64::from_bits(0x7ff8_dead_beef_0001))]);
    }
    if Here::DATABASE != Kind::MariaDb {
        double.extend([Some(f64::INFINITY), Some(f64::NEG_INFINITY)]);
    }
    // MariaDB shows six digits of a FLOAT.
    if Here::DATABASE == Kind::MariaDb {
        single.retain(|number| *number == -0.0);
    }
    all_come_back::<Single>(&here, single, STORED).await;
    all_come_back::<Double>(&here, double, STORED).await;
}

#[tokio::test]
async fn texts_and_bytes() {
    let here =
        Here::with(&[Text::TABLE, MaybeText::TABLE, Bytes::TABLE, Token::TABLE]).await;
    let texts = || vec![String::new(), "***".into(), "naïve \u{1F980} '\"\\".into(), " x ".into()];
    all_come_back::<Text>(&here, values(texts(), text()), STORED).await;
    let maybe = values(vec![None, Some(String::new())], proptest::option::of(text()));
    all_come_back::<MaybeText>(&here, maybe, STORED).await;
    let bytes = vec![None, Some(vec![]), Some((0..=255).collect()), Some(vec![0; 70_000])];
    let bytes = values(bytes, any::<Option<Vec<u8>>>());
    let bytes = bytes.into_iter().filter(|bytes| {
        Here::DATABASE != Kind::MariaDb || bytes.as_ref().is_none_or(|bytes| bytes.len() < 65_536)
    });
    all_come_back::<Bytes>(&here, bytes.collect(), STORED).await;
    let tokens = values(vec![None, Some(Uuid::nil()), Some(Uuid::max())], uuids().prop_map(Some));
    all_come_back::<Token>(&here, tokens, STORED).await;
}

#[tokio::test]
async fn times_of_chrono() {
    let here =
        Here::with(&[Moment::TABLE, LocalMoment::TABLE, Day::TABLE, Clock::TABLE]).await;
    let moments = values(vec![None], moments().prop_map(Some));
    all_come_back::<Moment>(&here, moments, STORED).await;
    let local = (days(), times()).prop_map(|(day, time)| NaiveDateTime::new(day, time));
    all_come_back::<LocalMoment>(&here, values(vec![], local), STORED).await;
    all_come_back::<Day>(&here, values(vec![], days()), STORED).await;
    all_come_back::<Clock>(&here, values(vec![NaiveTime::MIN], times()), STORED).await;
    if Here::DATABASE == Kind::Sqlite {
        // It keeps what it is given.
        let nanoseconds = |n| DateTime::from_timestamp(1_700_000_000, n).expect("a time");
        let fine = [1, 999_999_999, 1_000, 0].map(|n| (nanoseconds(n), n));
        for (at, n) in fine {
            comes_back::<Moment>(&here, 1000 + i64::from(n), Some(at), STORED).await;
            comes_back::<LocalMoment>(&here, 1000 + i64::from(n), at.naive_utc(), STORED).await;
            comes_back::<Clock>(&here, 1000 + i64::from(n), at.time(), STORED).await;
        }
    }
}

#[tokio::test]
async fn times_of_time() {
    let here =
        Here::with(&[TimeMoment::TABLE, TimeLocal::TABLE, TimeDay::TABLE, TimeClock::TABLE]).await;
    let micros = 1_000_000_i128..2_000_000_000_000_000;
    let moments = micros.prop_map(|at| {
        OffsetDateTime::from_unix_timestamp_nanos(at * 1000).expect("a time")
    });
    all_come_back::<TimeMoment>(&here, values(vec![], moments), STORED).await;
    let day = |days: i32| Date::from_julian_day(2_100_000 + days).expect("a day");
    let days = (0..900_000).prop_map(day);
    all_come_back::<TimeDay>(&here, values(vec![], days.clone()), STORED).await;
    let time = |(seconds, micros): (u32, u32)| {
        let (minutes, second) = (seconds / 60, (seconds % 60) as u8);
        let (hour, minute) = ((minutes / 60) as u8, (minutes % 60) as u8);
        Time::from_hms_micro(hour, minute, second, micros).expect("a time")
    };
    let times = (0_u32..86_400, 0_u32..1_000_000).prop_map(time);
    all_come_back::<TimeClock>(&here, values(vec![Time::MIDNIGHT], times.clone()), STORED).await;
    let local = (days, times).prop_map(|(day, time)| PrimitiveDateTime::new(day, time));
    all_come_back::<TimeLocal>(&here, values(vec![], local), STORED).await;
}

#[tokio::test]
async fn documents_of_any_shape() {
    let tables = [Document::TABLE, PlainDocument::TABLE, MaybeDocument::TABLE, Nested::TABLE, Numbers::TABLE, Unordered::TABLE];
    let here = Here::with(&tables).await;
    let special = || {
        let large = json!({ "a": [u64::MAX, i64::MIN, 0.5, -1.0, null, {}], "": [[[]]], "é": "\u{1F980}" });
        vec![large, json!([]), json!(0), json!(""), json!("null"), json!(false), json!({ "null": null })]
    };
    let documents = || values(special(), documents().prop_filter("JSON null", |value| !value.is_null()));
    all_come_back::<Document>(&here, documents(), STORED).await;
    let plain = documents().into_iter().map(Json).collect();
    all_come_back::<PlainDocument>(&here, plain, STORED).await;
    let maybe = documents().into_iter().map(|value| Some(Json(value))).chain([None]).collect();
    all_come_back::<MaybeDocument>(&here, maybe, STORED).await;
    let nested = proptest::option::of(proptest::collection::vec(any::<Option<i32>>(), 0..5));
    all_come_back::<Nested>(&here, values(vec![Some(vec![None])], nested), STORED).await;
    let numbers = (any::<u64>(), -1e9..1e9, any::<i64>());
    all_come_back::<Numbers>(&here, values(vec![(u64::MAX, 0.1, i64::MIN)], numbers), STORED).await;
    let sets = proptest::collection::hash_map("[a-z\"]{1,3}", proptest::collection::hash_set(0_u32..100, 0..9), 0..6);
    let pair = HashMap::from([("a".to_owned(), [1, 2].into()), ("b".to_owned(), [].into())]);
    all_come_back::<Unordered>(&here, values(vec![pair], sets), STORED).await;
}

/// JSON's own `null`, which serde takes for an option without a value.
#[tokio::test]
async fn null_in_json() {
    let here = Here::with(&[Document::TABLE, PlainDocument::TABLE, MaybeDocument::TABLE]).await;
    comes_back::<PlainDocument>(&here, 1, Json(Value::Null), Expected::Either).await;
    comes_back::<MaybeDocument>(&here, 1, Some(Json(Value::Null)), Expected::Either).await;
    comes_back::<Document>(&here, 1, Value::Null, Expected::Either).await;
}

#[tokio::test]
async fn types_that_serde_keeps_before_it_knows_their_form() {
    let tables = [Tagged::TABLE, AdjacentlyTagged::TABLE, WithoutTag::TABLE, Flattened::TABLE, Peer::TABLE];
    let here = Here::with(&tables).await;
    let origins = prop_oneof![
        uuids().prop_map(|id| Origin::User { id }),
        (ips(), moments()).prop_map(|(ip, at)| Origin::Web { ip, at }),
        uuids().prop_map(|by| Origin::Other(Common { by })),
        Just(Origin::Batch),
    ];
    all_come_back::<Tagged>(&here, values(vec![Origin::Batch], origins), STORED).await;
    let adjacent = prop_oneof![
        ips().prop_map(Adjacent::Host),
        proptest::option::of(days()).prop_map(Adjacent::Day),
    ];
    all_come_back::<AdjacentlyTagged>(&here, values(vec![Adjacent::Day(None)], adjacent), STORED).await;
    let untagged = prop_oneof![
        uuids().prop_map(Untagged::Token),
        ips().prop_map(Untagged::Host),
        (-1e6..1e6).prop_map(Untagged::Number),
        "[^0-9\0]{0,9}".prop_map(Untagged::Text),
    ];
    all_come_back::<WithoutTag>(&here, values(vec![], untagged), STORED).await;
    let meta = |(by, seen, rest): (_, _, Value)| Meta {
        common: Common { by },
        seen,
        rest: [("rest".to_owned(), rest)].into(),
    };
    let metas = (uuids(), proptest::option::of(ips()), documents()).prop_map(meta);
    all_come_back::<Flattened>(&here, values(vec![], metas), STORED).await;
    let peers = ["[fe80::1%3]:80", "[::]:0", "[::1]:65535"];
    let peers = peers.map(|peer| peer.parse().expect("an address")).to_vec();
    all_come_back::<Peer>(&here, peers, STORED).await;
}

#[tokio::test]
async fn what_serde_changes_is_not_stored_and_what_it_leaves_alone_is() {
    const NOT: Expected = Expected::NotStored;
    let tables = [Seconds::TABLE, Secret::TABLE, Tidy::TABLE, Price::TABLE, Mirrored::TABLE, Wide::TABLE];
    let here = Here::with(&tables).await;
    let at = |micros| DateTime::from_timestamp_micros(micros).expect("a time");
    comes_back::<Seconds>(&here, 1, at(1_767_225_600_123_456), NOT).await;
    comes_back::<Seconds>(&here, 2, at(1_767_225_600_000_000), STORED).await;
    comes_back::<Secret>(&here, 1, Masked("hunter2".into()), NOT).await;
    comes_back::<Secret>(&here, 2, Masked("***".into()), STORED).await;
    comes_back::<Tidy>(&here, 1, Some(Trimmed(" x".into())), NOT).await;
    comes_back::<Tidy>(&here, 2, Some(Trimmed("x".into())), STORED).await;
    comes_back::<Tidy>(&here, 3, None, STORED).await;
    comes_back::<Price>(&here, 1, 0.125, NOT).await;
    comes_back::<Price>(&here, 2, 0.25, STORED).await;
    // The same letters in another order are another text, and no `HashSet`.
    comes_back::<Mirrored>(&here, 1, Backwards("1234".into()), NOT).await;
    comes_back::<Mirrored>(&here, 2, Backwards("1221".into()), STORED).await;
    comes_back::<Wide>(&here, 1, 1 << 40, NOT).await;
    comes_back::<Wide>(&here, 2, 1 << 20, STORED).await;
    for (id, moment) in (10..).zip(values(vec![], moments())) {
        comes_back::<Seconds>(&here, id, moment, Expected::Either).await;
    }
    for (id, text) in (10..).zip(values(vec![], text())) {
        comes_back::<Tidy>(&here, id, Some(Trimmed(text)), Expected::Either).await;
    }
}

#[tokio::test]
async fn attributes_that_lose_nothing() {
    let here = Here::with(&[Renamed::TABLE, Strict::TABLE]).await;
    let texts = values(vec![None, Some(String::new())], proptest::option::of(text()));
    all_come_back::<Renamed>(&here, texts, STORED).await;
    all_come_back::<Strict>(&here, values(vec![None], any::<Option<i32>>()), STORED).await;
}
