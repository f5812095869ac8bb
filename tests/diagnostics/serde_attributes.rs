use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Lossy {
    #[primary_key]
    id: i64,
    #[serde(skip)]
    a: i64,
    #[serde(rename = "B", skip_serializing, default)]
    b: i64,
    #[serde(default, skip_deserializing)]
    c: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    d: Option<i64>,
    #[serde(serialize_with = "write")]
    f: i64,
    #[serde(deserialize_with = "read")]
    g: i64,
    #[orm(skip)]
    #[serde(skip_serializing)]
    h: i64,
    #[orm(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    i: Option<i64>,
    #[orm(skip)]
    #[serde(skip)]
    fine: i64,
    #[serde(with = "both")]
    fine_too: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Flat {
    #[primary_key]
    id: i64,
    #[orm(json)]
    #[serde(flatten)]
    rest: std::collections::HashMap<String, String>,
}

#[derive(Clone, Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
#[serde(into = "i64")]
struct OneWay {
    #[primary_key]
    id: i64,
}

impl From<OneWay> for i64 {
    fn from(one_way: OneWay) -> i64 {
        one_way.id
    }
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
#[serde(tag = "kind")]
struct Tagged {
    #[primary_key]
    id: i64,
}

/// JSON for clients has names of its own.
#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
#[serde(rename_all(serialize = "camelCase"))]
struct ForClients {
    #[primary_key]
    id: i64,
    created_at: i64,
    deleted_at: Option<i64>,
    #[serde(alias = "phoneNumber")]
    phone_number: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
#[serde(rename_all(deserialize = "kebab-case"), rename_all(serialize = "camelCase"))]
struct TwoCases {
    #[primary_key]
    id: i64,
    created_at: i64,
}

#[derive(Default, Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
#[serde(default, rename_all = "camelCase")]
struct Renamed {
    #[primary_key]
    id: i64,
    #[serde(rename(serialize = "displayName"))]
    name: String,
    #[serde(rename(deserialize = "loggedInAt"))]
    seen_at: i64,
    #[serde(rename(serialize = "a", deserialize = "b"))]
    other: i64,
    #[serde(rename(serialize = "fine", deserialize = "fine"))]
    fine: i64,
    #[serde(rename(serialize = "new", deserialize = "old"), alias = "new")]
    fine_too: i64,
    #[serde(rename(serialize = "fineAsWell"))]
    fine_as_well: i64,
    #[orm(skip)]
    #[serde(rename(serialize = "shown"))]
    computed: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Defaulted {
    #[primary_key]
    id: i64,
    #[orm(skip)]
    #[serde(skip, default = "seven")]
    computed: i64,
    #[orm(skip)]
    #[serde(skip, default)]
    fine: i64,
}

fn seven() -> i64 {
    7
}

mod both {
    pub fn serialize<S: serde::Serializer>(_: &i64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_unit()
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(_: D) -> Result<i64, D::Error> {
        Ok(0)
    }
}

use both::{deserialize as read, serialize as write};

fn main() {}
