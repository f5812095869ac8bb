//! Columns of every kind.

use super::Table;
use cached_orm::MemcachedOrm;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "kinds")]
pub(crate) struct Kinds {
    #[primary_key]
    pub(crate) id: i32,
    pub(crate) small: i16,
    pub(crate) medium: i32,
    pub(crate) large: i64,
    pub(crate) real: f64,
    pub(crate) flag: bool,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) maybe_small: Option<i16>,
    pub(crate) maybe_text: Option<String>,
    pub(crate) maybe_bytes: Option<Vec<u8>>,
    #[orm(json)]
    pub(crate) settings: Settings,
    pub(crate) token: Uuid,
    pub(crate) at: DateTime<Utc>,
    pub(crate) day: Option<NaiveDate>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) theme: String,
    pub(crate) sizes: Vec<u32>,
}

pub(crate) const KINDS: Table = Table {
    postgres: "
        CREATE TABLE kinds (
            id INT PRIMARY KEY, small SMALLINT NOT NULL, medium INT NOT NULL,
            large BIGINT NOT NULL, \"real\" DOUBLE PRECISION NOT NULL, flag BOOLEAN NOT NULL,
            text TEXT NOT NULL, bytes BYTEA NOT NULL, maybe_small SMALLINT, maybe_text TEXT,
            maybe_bytes BYTEA, settings JSONB NOT NULL, token UUID NOT NULL,
            at TIMESTAMPTZ NOT NULL, day DATE)",
    mariadb: "
        CREATE TABLE kinds (
            id INT PRIMARY KEY, small SMALLINT NOT NULL, medium INT NOT NULL,
            large BIGINT NOT NULL, `real` DOUBLE NOT NULL, flag BOOLEAN NOT NULL,
            text TEXT NOT NULL, bytes BLOB NOT NULL, maybe_small SMALLINT, maybe_text TEXT,
            maybe_bytes BLOB, settings JSON NOT NULL, token BINARY(16) NOT NULL,
            at TIMESTAMP(6) NOT NULL DEFAULT '2000-01-01', day DATE)",
    sqlite: "
        CREATE TABLE kinds (
            id INTEGER PRIMARY KEY, small INTEGER NOT NULL, medium INTEGER NOT NULL,
            large INTEGER NOT NULL, real REAL NOT NULL, flag BOOLEAN NOT NULL,
            text TEXT NOT NULL, bytes BLOB NOT NULL, maybe_small INTEGER, maybe_text TEXT,
            maybe_bytes BLOB, settings TEXT NOT NULL, token BLOB NOT NULL,
            at DATETIME NOT NULL, day DATE)",
};

/// Names that SQL or Rust have a use for, or that differ from the fields'.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "order", rename_all = "camelCase")]
pub(crate) struct Order {
    #[primary_key]
    pub(crate) select: i64,
    pub(crate) r#type: String,
    pub(crate) placed_by: String,
    #[orm(column = "GROUP by")]
    pub(crate) group: i32,
    #[orm(readonly)]
    pub(crate) legacy_number: i32,
}

pub(crate) const ORDERS: Table = Table {
    postgres: "
        CREATE TABLE \"order\" (
            \"select\" BIGINT PRIMARY KEY, \"type\" TEXT NOT NULL, \"placedBy\" TEXT NOT NULL,
            \"GROUP by\" INT NOT NULL, \"legacyNumber\" INT NOT NULL DEFAULT 7)",
    mariadb: "
        CREATE TABLE `order` (
            `select` BIGINT PRIMARY KEY, `type` TEXT NOT NULL, `placedBy` TEXT NOT NULL,
            `GROUP by` INT NOT NULL, `legacyNumber` INT NOT NULL DEFAULT 7)",
    sqlite: "
        CREATE TABLE \"order\" (
            \"select\" INTEGER PRIMARY KEY, \"type\" TEXT NOT NULL, \"placedBy\" TEXT NOT NULL,
            \"GROUP by\" INTEGER NOT NULL, \"legacyNumber\" INTEGER NOT NULL DEFAULT 7)",
};
