//! The types, and rows of them.

use super::row;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sqlx::types::Json;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::{IpAddr, SocketAddrV6},
};
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time};
use uuid::Uuid;

row!(Small in "small": i16, "SMALLINT NOT NULL", "SMALLINT NOT NULL", "INTEGER NOT NULL");
row!(Large in "large": Option<i64>, "BIGINT", "BIGINT", "INTEGER");
row!(Flag in "flag": Option<bool>, "BOOLEAN", "BOOLEAN", "BOOLEAN");
row!(Single in "single": f32, "REAL NOT NULL", "FLOAT NOT NULL", "REAL NOT NULL");
row!(Double in "doubles": Option<f64>, "DOUBLE PRECISION", "DOUBLE", "REAL");
row!(Text in "text": String, "TEXT NOT NULL", "TEXT NOT NULL", "TEXT NOT NULL");
row!(MaybeText in "maybe_text": Option<String>, "TEXT", "TEXT", "TEXT");
row!(Bytes in "bytes": Option<Vec<u8>>, "BYTEA", "BLOB", "BLOB");
row!(Token in "token": Option<Uuid>, "UUID", "BINARY(16)", "BLOB");
row!(Moment in "moment": Option<DateTime<Utc>>, "TIMESTAMPTZ", "TIMESTAMP(6) NULL", "TEXT");
row!(LocalMoment in "local_moment": NaiveDateTime, "TIMESTAMP NOT NULL", "DATETIME(6) NOT NULL", "TEXT NOT NULL");
row!(Day in "day": NaiveDate, "DATE NOT NULL", "DATE NOT NULL", "TEXT NOT NULL");
row!(Clock in "clock": NaiveTime, "TIME NOT NULL", "TIME(6) NOT NULL", "TEXT NOT NULL");
row!(TimeMoment in "time_moment": OffsetDateTime, "TIMESTAMPTZ NOT NULL", "TIMESTAMP(6) NOT NULL", "TEXT NOT NULL");
row!(TimeLocal in "time_local": PrimitiveDateTime, "TIMESTAMP NOT NULL", "DATETIME(6) NOT NULL", "TEXT NOT NULL");
row!(TimeDay in "time_day": Date, "DATE NOT NULL", "DATE NOT NULL", "TEXT NOT NULL");
row!(TimeClock in "time_clock": Time, "TIME NOT NULL", "TIME(6) NOT NULL", "TEXT NOT NULL");

row!(Document in "document": #[orm(json)] Value, "JSONB", "JSON", "TEXT");
row!(PlainDocument in "plain_document": Json<Value>, "JSON NOT NULL", "JSON NOT NULL", "TEXT NOT NULL");
row!(MaybeDocument in "maybe_document": Option<Json<Value>>, "JSONB", "JSON", "TEXT");
row!(Nested in "nested": #[orm(json)] Option<Vec<Option<i32>>>, "JSONB", "JSON", "TEXT");
row!(Numbers in "numbers": #[orm(json)] (u64, f64, i64), "JSONB", "JSON", "TEXT");
row!(Unordered in "unordered": #[orm(json)] HashMap<String, HashSet<u32>>, "JSON", "JSON", "TEXT");

/// serde keeps what is in such a type, and takes it for a form that people read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub(crate) enum Origin {
    User { id: Uuid },
    Web { ip: IpAddr, at: DateTime<Utc> },
    Other(Common),
    Batch,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Common {
    pub(crate) by: Uuid,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
pub(crate) enum Adjacent {
    Host(IpAddr),
    Day(Option<NaiveDate>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Untagged {
    Token(Uuid),
    Host(IpAddr),
    Number(f64),
    Text(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Meta {
    #[serde(flatten)]
    pub(crate) common: Common,
    pub(crate) seen: Option<IpAddr>,
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, Value>,
}

row!(Tagged in "tagged": #[orm(json)] Origin, "JSONB", "JSON", "TEXT");
row!(AdjacentlyTagged in "adjacently_tagged": #[orm(json)] Adjacent, "JSONB", "JSON", "TEXT");
row!(WithoutTag in "without_tag": #[orm(json)] Untagged, "JSONB", "JSON", "TEXT");
row!(Flattened in "flattened": #[orm(json)] Meta, "JSONB", "JSON", "TEXT");
row!(Peer in "peer": #[orm(json)] SocketAddrV6, "JSONB", "JSON", "TEXT");

// What follows loses something, of some values.

row!(
    Seconds in "seconds":
    #[serde(with = "chrono::serde::ts_seconds")] DateTime<Utc>,
    "TIMESTAMPTZ NOT NULL", "TIMESTAMP(6) NOT NULL DEFAULT '2000-01-01'", "TEXT NOT NULL",
);

/// A secret that serde is not to show.
#[derive(Debug, Clone, PartialEq, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct Masked(pub(crate) String);

impl Serialize for Masked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

row!(Secret in "secret": Masked, "TEXT NOT NULL", "TEXT NOT NULL", "TEXT NOT NULL");

/// Text that is trimmed when it comes from clients.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct Trimmed(pub(crate) String);

impl<'de> Deserialize<'de> for Trimmed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.trim().to_owned()))
    }
}

row!(Tidy in "tidy": Option<Trimmed>, "TEXT", "TEXT", "TEXT");

/// Rounded for clients.
mod cents {
    use super::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64((value * 100.0).round() / 100.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        f64::deserialize(from)
    }
}

row!(
    Price in "price":
    #[serde(with = "cents")] f64, "DOUBLE PRECISION NOT NULL", "DOUBLE NOT NULL", "REAL NOT NULL",
);

/// The same letters in another order.
#[derive(Debug, Clone, PartialEq, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct Backwards(pub(crate) String);

impl Serialize for Backwards {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.chars().rev().collect::<String>())
    }
}

row!(Mirrored in "mirrored": Backwards, "TEXT NOT NULL", "TEXT NOT NULL", "TEXT NOT NULL");

/// What the whole struct is written as, and read from.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(crate) struct Wire {
    id: i64,
    note: String,
    value: i32,
}

impl From<Wire> for Wide {
    fn from(wire: Wire) -> Self {
        Self { id: wire.id, note: wire.note, value: i64::from(wire.value) }
    }
}

impl From<Wide> for Wire {
    fn from(wide: Wide) -> Self {
        Self { id: wide.id, note: wide.note, value: wide.value as i32 }
    }
}

row!(
    #[serde(from = "Wire", into = "Wire")]
    Wide in "wide": i64, "BIGINT NOT NULL", "BIGINT NOT NULL", "INTEGER NOT NULL",
);

// And these attributes lose nothing.

row!(
    #[derive(Default)]
    #[serde(rename_all = "SCREAMING-KEBAB-CASE", default)]
    Renamed in "renamed":
    #[serde(rename(serialize = "new", deserialize = "old"), alias = "new")] Option<String>,
    "TEXT", "TEXT", "TEXT",
);

row!(
    #[serde(deny_unknown_fields)]
    Strict in "strict": #[serde(default, alias = "v")] Option<i32>, "INT", "INT", "INTEGER",
);
