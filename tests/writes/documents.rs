//! Rows with a version, with indexes, and with a key that the database makes.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "documents")]
pub(crate) struct Document {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    #[orm(json)]
    pub(crate) tags: Vec<String>,
    #[orm(generated)]
    pub(crate) shout: String,
    #[orm(readonly)]
    pub(crate) legacy: i32,
    #[orm(version, column = "lock_version")]
    pub(crate) revision: i32,
}

impl Document {
    pub(crate) fn new(id: i64, title: &str) -> Self {
        Self {
            id,
            title: title.into(),
            body: None,
            tags: vec![],
            shout: title.to_uppercase(),
            legacy: 7,
            revision: 1,
        }
    }
}

pub(crate) const DOCUMENTS: Table = Table {
    postgres: "
        CREATE TABLE documents (
            id BIGINT PRIMARY KEY, title TEXT NOT NULL, body TEXT, tags JSONB NOT NULL,
            shout TEXT NOT NULL GENERATED ALWAYS AS (upper(title)) STORED,
            legacy INT NOT NULL DEFAULT 7, lock_version INT NOT NULL)",
    mariadb: "
        CREATE TABLE documents (
            id BIGINT PRIMARY KEY, title VARCHAR(200) NOT NULL, body TEXT, tags JSON NOT NULL,
            shout VARCHAR(200) AS (upper(title)) STORED,
            legacy INT NOT NULL DEFAULT 7, lock_version INT NOT NULL)",
    sqlite: "
        CREATE TABLE documents (
            id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT, tags TEXT NOT NULL,
            shout TEXT NOT NULL GENERATED ALWAYS AS (upper(title)) STORED,
            legacy INTEGER NOT NULL DEFAULT 7, lock_version INTEGER NOT NULL)",
};

/// Writes must know the team that a player leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "players")]
pub(crate) struct Player {
    #[primary_key]
    pub(crate) id: i64,
    #[orm(unique)]
    pub(crate) name: String,
    #[orm(index)]
    pub(crate) team: i32,
}

impl Player {
    pub(crate) fn new(id: i64, team: i32) -> Self {
        Self { id, name: format!("player {id}"), team }
    }
}

pub(crate) const PLAYERS: Table = Table {
    postgres: "
        CREATE TABLE players (
            id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, team INT NOT NULL)",
    mariadb: "
        CREATE TABLE players (
            id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE, team INT NOT NULL)",
    sqlite: "
        CREATE TABLE players (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, team INTEGER NOT NULL)",
};

/// A key of two columns, and nothing besides it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "seats")]
pub(crate) struct Seat {
    #[primary_key]
    pub(crate) hall: i32,
    #[primary_key]
    pub(crate) row: String,
}

pub(crate) const SEATS: Table = Table {
    postgres: "CREATE TABLE seats (hall INT, \"row\" TEXT, PRIMARY KEY (hall, \"row\"))",
    mariadb: "CREATE TABLE seats (hall INT, `row` VARCHAR(9), PRIMARY KEY (hall, `row`))",
    sqlite: "
        CREATE TABLE seats (hall INTEGER NOT NULL, \"row\" TEXT NOT NULL, PRIMARY KEY (hall, \"row\"))",
};
