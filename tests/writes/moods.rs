//! Columns whose types a list of values could get wrong.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
pub(crate) enum Mood {
    Glad,
    Sad,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "moods")]
pub(crate) struct Entry {
    #[primary_key]
    pub(crate) token: Uuid,
    #[primary_key]
    pub(crate) number: i32,
    pub(crate) mood: Mood,
    pub(crate) before: Option<Mood>,
    /// Narrower than its column.
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

pub(crate) const MOODS: Table = Table {
    postgres: "
        CREATE TYPE mood AS ENUM ('glad', 'sad');
        CREATE TABLE moods (
            token UUID, number INT, mood mood NOT NULL, before mood, small SMALLINT NOT NULL,
            maybe INT, \"real\" DOUBLE PRECISION, bytes BYTEA, text VARCHAR(50), notes JSONB,
            at TIMESTAMPTZ, day DATE, PRIMARY KEY (token, number))",
    mariadb: "
        CREATE TABLE moods (
            token BINARY(16), number INT, mood ENUM('glad', 'sad') NOT NULL,
            `before` ENUM('glad', 'sad'), small SMALLINT NOT NULL, maybe INT, `real` DOUBLE,
            bytes BLOB, text VARCHAR(50), notes JSON, at TIMESTAMP(6) NULL, day DATE,
            PRIMARY KEY (token, number))",
    sqlite: "
        CREATE TABLE moods (
            token BLOB NOT NULL, number INTEGER NOT NULL, mood TEXT NOT NULL, before TEXT,
            small INTEGER NOT NULL, maybe INTEGER, real REAL, bytes BLOB, text TEXT, notes TEXT,
            at DATETIME, day DATE, PRIMARY KEY (token, number))",
};

/// Rows in which every other column is NULL, in turn.
pub(crate) fn entries(count: i32) -> Vec<Entry> {
    let entry = |number: i32| {
        let mood = |odd| if odd { Mood::Glad } else { Mood::Sad };
        let there = |bit: i32| (number >> bit) & 1 == 1;
        Entry {
            token: Uuid::from_u128(number as u128 % 3),
            number,
            mood: mood(there(0)),
            before: there(1).then_some(mood(there(2))),
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
