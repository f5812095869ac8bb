//! What the tests write to.

use crate::databases::Kind;
use cached_orm::{MemcachedOrm, Uncached};
use serde::{Deserialize, Serialize};

/// The program chooses the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "people")]
pub(crate) struct Person {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) name: String,
    #[orm(unique)]
    pub(crate) email: String,
    #[orm(index)]
    pub(crate) city: String,
    pub(crate) counter: i64,
    #[orm(uncached)]
    pub(crate) secret: Uncached<String>,
}

/// The database numbers them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes")]
pub(crate) struct Note {
    #[primary_key]
    #[orm(generated)]
    pub(crate) id: i64,
    pub(crate) text: String,
}

pub(crate) fn sql(database: Kind) -> &'static str {
    match database {
        Kind::Postgres => {
            "CREATE TABLE people (
                id BIGINT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
                city TEXT NOT NULL, counter BIGINT NOT NULL, secret TEXT NOT NULL);
             CREATE INDEX ON people (city);
             CREATE TABLE notes (
                id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text TEXT NOT NULL);
             CREATE INDEX ON notes (text)"
        }
        Kind::MariaDb => {
            "CREATE TABLE people (
                id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL,
                email VARCHAR(100) NOT NULL UNIQUE, city VARCHAR(100) NOT NULL,
                counter BIGINT NOT NULL, secret VARCHAR(100) NOT NULL, INDEX (city));
             CREATE TABLE notes (
                id BIGINT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(100) NOT NULL, INDEX (text))"
        }
        Kind::Sqlite => {
            "CREATE TABLE people (
                id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
                city TEXT NOT NULL, counter INTEGER NOT NULL, secret TEXT NOT NULL);
             CREATE INDEX people_by_city ON people (city);
             CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL);
             CREATE INDEX notes_by_text ON notes (text)"
        }
    }
}
