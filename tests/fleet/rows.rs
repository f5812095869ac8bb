//! Rows with triggers of every shape: keys of several columns and of dates, indexes over
//! columns that can be NULL, and names that must be quoted.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "Loud names", index(city, day))]
pub(crate) struct Loud {
    #[primary_key]
    pub(crate) id: i64,
    #[primary_key]
    #[orm(column = "the Day")]
    pub(crate) key_day: NaiveDate,
    #[orm(unique)]
    pub(crate) code: Option<String>,
    pub(crate) city: String,
    pub(crate) day: Option<NaiveDateTime>,
}

pub(crate) const LOUD: Table = Table {
    postgres: r#"
        CREATE TABLE "Loud names" (id BIGINT, "the Day" DATE, code TEXT UNIQUE,
            city TEXT NOT NULL, day TIMESTAMP, PRIMARY KEY (id, "the Day"))"#,
    mariadb: "
        CREATE TABLE `Loud names` (id BIGINT, `the Day` DATE, code VARCHAR(50) UNIQUE,
            city VARCHAR(50) NOT NULL, day DATETIME, PRIMARY KEY (id, `the Day`))",
    sqlite: r#"
        CREATE TABLE "Loud names" (id INTEGER NOT NULL, "the Day" TEXT NOT NULL, code TEXT UNIQUE,
            city TEXT NOT NULL, day TEXT, PRIMARY KEY (id, "the Day"))"#,
};

/// The same table without indexes, as an earlier version of the program had it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "Loud names")]
pub(crate) struct LoudBefore {
    #[primary_key]
    pub(crate) id: i64,
    #[primary_key]
    #[orm(column = "the Day")]
    pub(crate) key_day: NaiveDate,
    pub(crate) city: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "moments")]
pub(crate) struct Moment {
    #[primary_key]
    pub(crate) at: DateTime<Utc>,
    #[orm(index)]
    pub(crate) local: NaiveDateTime,
    #[orm(index)]
    pub(crate) day: NaiveDate,
    #[orm(index)]
    pub(crate) time: NaiveTime,
}

pub(crate) const MOMENTS: Table = Table {
    postgres: "
        CREATE TABLE moments (at TIMESTAMPTZ PRIMARY KEY, local TIMESTAMP NOT NULL,
            day DATE NOT NULL, time TIME NOT NULL)",
    mariadb: "
        CREATE TABLE moments (at TIMESTAMP(6) PRIMARY KEY, local DATETIME(6) NOT NULL,
            day DATE NOT NULL, time TIME(6) NOT NULL)",
    sqlite: "
        CREATE TABLE moments (at TEXT PRIMARY KEY, local TEXT NOT NULL,
            day TEXT NOT NULL, time TEXT NOT NULL)",
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "parted", database = Postgres)]
pub(crate) struct Parted {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) body: String,
}
