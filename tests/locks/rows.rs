//! Rows that transactions lock.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "badges", also_fences(BadgeName))]
pub(crate) struct Badge {
    #[primary_key]
    pub(crate) id: i64,
    #[orm(unique)]
    pub(crate) code: String,
    #[orm(index)]
    pub(crate) city: String,
    pub(crate) note: String,
    pub(crate) visits: i64,
}

/// Another struct on the same table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "badges", cache_name = "badge_names")]
pub(crate) struct BadgeName {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) code: String,
}

pub(crate) const BADGES: Table = Table {
    postgres: "
        CREATE TABLE badges (id BIGINT PRIMARY KEY, code TEXT NOT NULL UNIQUE,
            city TEXT NOT NULL, note TEXT NOT NULL, visits BIGINT NOT NULL);
        CREATE INDEX ON badges (city)",
    mariadb: "
        CREATE TABLE badges (id BIGINT PRIMARY KEY, code VARCHAR(50) NOT NULL UNIQUE,
            city VARCHAR(50) NOT NULL, note VARCHAR(50) NOT NULL, visits BIGINT NOT NULL,
            INDEX (city))",
    sqlite: "
        CREATE TABLE badges (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE,
            city TEXT NOT NULL, note TEXT NOT NULL, visits INTEGER NOT NULL);
        CREATE INDEX badges_city ON badges (city)",
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "dated")]
pub(crate) struct Dated {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) visits: i64,
    #[orm(version)]
    pub(crate) version: i64,
}

pub(crate) const DATED: Table = Table::everywhere(
    "CREATE TABLE dated (id BIGINT PRIMARY KEY, visits BIGINT NOT NULL, version BIGINT NOT NULL)",
);
