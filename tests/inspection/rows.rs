//! The tables of these tests, and the structs that mirror them.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

pub(crate) const PARTS: Table = Table::everywhere(
    "CREATE TABLE parts (
        id BIGINT PRIMARY KEY, label VARCHAR(2000) NOT NULL, stock BIGINT NOT NULL)",
);

/// What must not be seen in anything that is told.
pub(crate) const SECRET: &str = "xyzzy";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "parts", ttl = "10m", ttl_jitter = 0.25, negative_ttl = "5m", min_compress_len = 256)]
pub(crate) struct Part {
    #[primary_key]
    pub(crate) id: i64,
    #[orm(column = "label")]
    pub(crate) name: String,
    pub(crate) stock: i64,
}

impl Part {
    pub(crate) fn new(id: i64) -> Self {
        Self { id, name: SECRET.into(), stock: 1 }
    }
}

/// The same table, as another version of the program sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "parts")]
pub(crate) struct OlderPart {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) label: String,
}

pub(crate) const NEAR_PARTS: Table =
    Table::everywhere("CREATE TABLE near_parts (id BIGINT PRIMARY KEY, stock BIGINT NOT NULL)");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "near_parts", near_ttl = "5m")]
pub(crate) struct NearPart {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) stock: i64,
}

pub(crate) const BAGS: Table = Table {
    postgres: "CREATE TABLE bags (id BIGINT PRIMARY KEY, words JSONB NOT NULL, stock BIGINT NOT NULL)",
    mariadb: "CREATE TABLE bags (id BIGINT PRIMARY KEY, words JSON NOT NULL, stock BIGINT NOT NULL)",
    sqlite: "CREATE TABLE bags (id BIGINT PRIMARY KEY, words TEXT NOT NULL, stock BIGINT NOT NULL)",
};

/// One with a field whose order is another each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "bags")]
pub(crate) struct Bag {
    #[primary_key]
    pub(crate) id: i64,
    #[orm(json)]
    pub(crate) words: HashSet<String>,
    pub(crate) stock: i64,
}
