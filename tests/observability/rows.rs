//! The tables of these tests, and the structs that mirror them.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

pub(crate) const USERS: Table = Table::everywhere(
    "CREATE TABLE users (
        id BIGINT PRIMARY KEY, email VARCHAR(100) NOT NULL UNIQUE, city VARCHAR(100) NOT NULL)",
);

pub(crate) const LABELS: Table =
    Table::everywhere("CREATE TABLE labels (id BIGINT PRIMARY KEY, text VARCHAR(100) NOT NULL)");

/// What is in rows, and must not be in anything else.
pub(crate) const SECRET: &str = "xyzzy";

/// A key that nothing else looks like.
pub(crate) const KEY: i64 = 723_941;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "users", negative_ttl = "5m")]
pub(crate) struct User {
    #[primary_key]
    pub(crate) id: i64,
    #[orm(unique)]
    pub(crate) email: String,
    #[orm(index)]
    pub(crate) city: String,
}

impl User {
    pub(crate) fn new(id: i64) -> Self {
        Self { id, email: format!("{SECRET}{id}"), city: SECRET.into() }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "labels", near_ttl = "5m", stale_if_error = "5m")]
pub(crate) struct Label {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) text: String,
}

/// Its text does not come back from serde.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "labels", cache_name = "masked_labels")]
pub(crate) struct Masked {
    #[primary_key]
    pub(crate) id: i64,
    #[serde(with = "stars")]
    pub(crate) text: String,
}

mod stars {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(_: &str, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("***")
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        String::deserialize(from)
    }
}
