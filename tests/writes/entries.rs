//! Columns whose types a list of values could get wrong.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "entries")]
pub(crate) struct Entry {
    #[primary_key]
    pub(crate) token: Uuid,
    #[primary_key]
    pub(crate) number: i32,
    pub(crate) flag: bool,
    pub(crate) before: Option<bool>,
    pub(crate) small: i16,
    pub(crate) maybe: Option<i32>,
    pub(crate) real: Option<f64>,
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) text: Option<String>,
    #[orm(json)]
    pub(crate) notes: Option<Vec<u32>>,
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) day: Option<NaiveDate>,
}

pub(crate) const ENTRIES: Table = Table {
    postgres: "
        CREATE TABLE entries (
            token UUID, number INT, flag BOOLEAN NOT NULL, before BOOLEAN, small SMALLINT NOT NULL,
            maybe INT, \"real\" DOUBLE PRECISION, bytes BYTEA, text VARCHAR(50), notes JSONB,
            at TIMESTAMPTZ, day DATE, PRIMARY KEY (token, number))",
    mariadb: "
        CREATE TABLE entries (
            token BINARY(16), number INT, flag BOOLEAN NOT NULL,
            `before` BOOLEAN, small SMALLINT NOT NULL, maybe INT, `real` DOUBLE,
            bytes BLOB, text VARCHAR(50), notes JSON, at TIMESTAMP(6) NULL, day DATE,
            PRIMARY KEY (token, number))",
    sqlite: "
        CREATE TABLE entries (
            token BLOB NOT NULL, number INTEGER NOT NULL, flag BOOLEAN NOT NULL, before BOOLEAN,
            small INTEGER NOT NULL, maybe INTEGER, real REAL, bytes BLOB, text TEXT, notes TEXT,
            at DATETIME, day DATE, PRIMARY KEY (token, number))",
};

/// Rows in which every other column is NULL, in turn.
pub(crate) fn entries(count: i32) -> Vec<Entry> {
    let entry = |number: i32| {
        let there = |bit: i32| (number >> bit) & 1 == 1;
        Entry {
            token: Uuid::from_u128(number as u128 % 3),
            number,
            flag: there(0),
            before: there(1).then_some(there(2)),
            small: number as i16,
            maybe: there(0).then_some(-number),
            real: there(1).then_some(f64::from(number) / 4.0),
            bytes: there(2).then(|| vec![number as u8; 3]),
            text: there(0).then(|| format!("text {number} 'é'")),
            notes: there(1).then(|| vec![number as u32; 2]),
            at: there(2)
                .then(|| DateTime::from_timestamp(1_000_000_000 + i64::from(number), 0))
                .flatten(),
            day: there(0)
                .then(|| NaiveDate::from_ymd_opt(2024, 1, 1 + number as u32 % 28))
                .flatten(),
        }
    };
    (0..count).map(entry).collect()
}
