//! Rows as most programs have them.

use super::Table;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

/// The database makes its key, its status and its shout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "people")]
pub(crate) struct Person {
    #[primary_key]
    #[orm(generated)]
    pub(crate) id: i64,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) age: Option<i32>,
    #[orm(generated)]
    pub(crate) status: String,
    #[orm(generated)]
    pub(crate) shout: String,
    #[orm(skip)]
    pub(crate) draft: u32,
}

pub(crate) const PEOPLE: Table = Table {
    postgres: "
        CREATE TABLE people (
            id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            email TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            age INT,
            status TEXT NOT NULL DEFAULT 'new',
            shout TEXT NOT NULL GENERATED ALWAYS AS (upper(name)) STORED)",
    mariadb: "
        CREATE TABLE people (
            id BIGINT AUTO_INCREMENT PRIMARY KEY,
            email VARCHAR(200) NOT NULL UNIQUE,
            name VARCHAR(200) NOT NULL,
            age INT,
            status VARCHAR(20) NOT NULL DEFAULT 'new',
            shout VARCHAR(200) AS (upper(name)) STORED)",
    sqlite: "
        CREATE TABLE people (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            email TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            age INTEGER,
            status TEXT NOT NULL DEFAULT 'new',
            shout TEXT NOT NULL GENERATED ALWAYS AS (upper(name)) STORED)",
};

impl Person {
    /// A person who is not in the table yet.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            id: 0,
            email: format!("{name}@example.org"),
            name: name.to_owned(),
            age: None,
            status: String::new(),
            shout: String::new(),
            draft: 0,
        }
    }
}

/// Another struct on the same table: the same cache key, but another shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "people")]
pub(crate) struct PersonName {
    #[primary_key]
    #[orm(generated)]
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// The program chooses the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "pages")]
pub(crate) struct Page {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) body: String,
}

pub(crate) const PAGES: Table = Table {
    postgres: "CREATE TABLE pages (id BIGINT PRIMARY KEY, body TEXT NOT NULL)",
    mariadb: "CREATE TABLE pages (id BIGINT PRIMARY KEY, body LONGTEXT NOT NULL)",
    sqlite: "CREATE TABLE pages (id INTEGER PRIMARY KEY, body TEXT NOT NULL)",
};

/// Rows are forgotten after a second, and absent ones are not remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "leaflets", ttl = "1s", ttl_jitter = 0, negative_ttl = "off")]
pub(crate) struct Leaflet {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) text: String,
}

pub(crate) const LEAFLETS: Table =
    Table::everywhere("CREATE TABLE leaflets (id BIGINT PRIMARY KEY, text TEXT NOT NULL)");

/// The database makes all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "tickets")]
pub(crate) struct Ticket {
    #[primary_key]
    #[orm(generated)]
    pub(crate) id: i64,
    #[orm(generated)]
    pub(crate) state: String,
}

pub(crate) const TICKETS: Table = Table {
    postgres: "
        CREATE TABLE tickets (
            id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            state TEXT NOT NULL DEFAULT 'open')",
    mariadb: "
        CREATE TABLE tickets (
            id BIGINT AUTO_INCREMENT PRIMARY KEY,
            state VARCHAR(20) NOT NULL DEFAULT 'open')",
    sqlite: "
        CREATE TABLE tickets (
            id INTEGER PRIMARY KEY,
            state TEXT NOT NULL DEFAULT 'open')",
};

/// A row that the database numbers anew at every update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "counters")]
pub(crate) struct Counter {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) writer: i32,
    #[orm(generated)]
    pub(crate) revision: i64,
}

pub(crate) const COUNTERS: Table = Table {
    postgres: "
        CREATE TABLE counters (
            id BIGINT PRIMARY KEY, writer INT NOT NULL, revision BIGINT NOT NULL DEFAULT 0);
        CREATE FUNCTION count_up() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.revision := OLD.revision + 1; RETURN NEW; END $$;
        CREATE TRIGGER count_up BEFORE UPDATE ON counters
            FOR EACH ROW EXECUTE FUNCTION count_up()",
    mariadb: "
        CREATE TABLE counters (
            id BIGINT PRIMARY KEY, writer INT NOT NULL, revision BIGINT NOT NULL DEFAULT 0);
        CREATE TRIGGER count_up BEFORE UPDATE ON counters
            FOR EACH ROW SET NEW.revision = OLD.revision + 1",
    sqlite: "
        CREATE TABLE counters (
            id INTEGER PRIMARY KEY, writer INTEGER NOT NULL, revision INTEGER NOT NULL DEFAULT 0);
        CREATE TRIGGER count_up AFTER UPDATE OF writer ON counters
            BEGIN UPDATE counters SET revision = revision + 1 WHERE id = NEW.id; END",
};
