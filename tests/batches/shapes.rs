//! Structs that batches could stumble over.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize, Serializer};

/// Serde cannot write it: it is neither cached nor copied.
#[derive(Debug, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "pages")]
pub(crate) struct Stubborn {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) body: Secret,
}

#[derive(Debug, PartialEq, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct Secret(pub(crate) String);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it is a secret"))
    }
}

/// Its key is not the table's.
#[derive(Debug, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "seats", cache_name = "lines")]
pub(crate) struct Line {
    #[primary_key]
    pub(crate) hall: String,
    #[primary_key]
    pub(crate) line: i32,
    pub(crate) guest: Option<String>,
}

/// `ANN` and `ann` are one name to the database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "players")]
pub(crate) struct Player {
    #[primary_key]
    pub(crate) team: String,
    #[primary_key]
    pub(crate) name: String,
    pub(crate) goals: i64,
}

pub(crate) const PLAYERS: Table = Table {
    postgres: "
        CREATE COLLATION caseless_pair (
            provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE players (
            team TEXT NOT NULL, name TEXT COLLATE caseless_pair NOT NULL, goals BIGINT NOT NULL,
            PRIMARY KEY (team, name))",
    mariadb: "
        CREATE TABLE players (
            team VARCHAR(100) COLLATE utf8mb4_nopad_bin,
            name VARCHAR(100) COLLATE utf8mb4_general_ci, goals BIGINT NOT NULL,
            PRIMARY KEY (team, name))",
    sqlite: "
        CREATE TABLE players (
            team TEXT NOT NULL, name TEXT COLLATE NOCASE NOT NULL, goals INTEGER NOT NULL,
            PRIMARY KEY (team, name))",
};
