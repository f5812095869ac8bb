//! Primary keys of every kind.

use super::Table;
use cached_orm::{KeyKind, KeyPart, MemcachedOrm, PartWriter};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Texts are told apart byte by byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes")]
pub(crate) struct Note {
    #[primary_key]
    pub(crate) title: String,
    pub(crate) body: String,
}

pub(crate) const NOTES: Table = Table {
    postgres: "CREATE TABLE notes (title TEXT PRIMARY KEY, body TEXT NOT NULL)",
    // As long as InnoDB lets a key be.
    mariadb: "
        CREATE TABLE notes (
            title VARCHAR(768) COLLATE utf8mb4_nopad_bin PRIMARY KEY, body TEXT NOT NULL)",
    sqlite: "CREATE TABLE notes (title TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL)",
};

/// `ANN` and `ann` are one row to the database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "nicknames")]
pub(crate) struct Nickname {
    #[primary_key]
    pub(crate) name: String,
    pub(crate) owner: i64,
}

pub(crate) const NICKNAMES: Table = Table {
    postgres: "
        CREATE COLLATION caseless (
            provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE nicknames (name TEXT COLLATE caseless PRIMARY KEY, owner BIGINT NOT NULL)",
    mariadb: "
        CREATE TABLE nicknames (
            name VARCHAR(100) COLLATE utf8mb4_general_ci PRIMARY KEY, owner BIGINT NOT NULL)",
    sqlite: "
        CREATE TABLE nicknames (
            name TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, owner INTEGER NOT NULL)",
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "blobs")]
pub(crate) struct Blob {
    #[primary_key]
    pub(crate) hash: Vec<u8>,
    pub(crate) size: i64,
}

pub(crate) const BLOBS: Table = Table {
    postgres: "CREATE TABLE blobs (hash BYTEA PRIMARY KEY, size BIGINT NOT NULL)",
    mariadb: "CREATE TABLE blobs (hash VARBINARY(500) PRIMARY KEY, size BIGINT NOT NULL)",
    sqlite: "CREATE TABLE blobs (hash BLOB PRIMARY KEY NOT NULL, size INTEGER NOT NULL)",
};

/// A key of the program's own type.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct AccountId(pub(crate) i64);

impl KeyPart for AccountId {
    const KIND: KeyKind = <i64 as KeyPart>::KIND;

    fn write_part(&self, part: &mut PartWriter<'_>) {
        self.0.write_part(part);
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "accounts")]
pub(crate) struct Account {
    #[primary_key]
    pub(crate) id: AccountId,
    pub(crate) owner: String,
}

pub(crate) const ACCOUNTS: Table =
    Table::everywhere("CREATE TABLE accounts (id BIGINT PRIMARY KEY, owner TEXT NOT NULL)");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "visits")]
pub(crate) struct Visit {
    #[primary_key]
    pub(crate) visitor: Uuid,
    #[primary_key]
    pub(crate) day: NaiveDate,
    pub(crate) pages: i32,
}

pub(crate) const VISITS: Table = Table {
    postgres: "
        CREATE TABLE visits (
            visitor UUID, day DATE, pages INT NOT NULL, PRIMARY KEY (visitor, day))",
    mariadb: "
        CREATE TABLE visits (
            visitor BINARY(16), day DATE, pages INT NOT NULL, PRIMARY KEY (visitor, day))",
    sqlite: "
        CREATE TABLE visits (
            visitor BLOB NOT NULL, day DATE NOT NULL, pages INTEGER NOT NULL,
            PRIMARY KEY (visitor, day))",
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "seats")]
pub(crate) struct Seat {
    #[primary_key]
    pub(crate) hall: String,
    #[primary_key]
    pub(crate) line: i32,
    #[primary_key]
    pub(crate) number: i16,
    pub(crate) guest: Option<String>,
}

pub(crate) const SEATS: Table = Table {
    mariadb: "
        CREATE TABLE seats (
            hall VARCHAR(50) COLLATE utf8mb4_nopad_bin, line INT, number SMALLINT, guest TEXT,
            PRIMARY KEY (hall, line, number))",
    ..Table::everywhere(
        "CREATE TABLE seats (
            hall VARCHAR(50) NOT NULL, line INT NOT NULL, number SMALLINT NOT NULL, guest TEXT,
            PRIMARY KEY (hall, line, number))",
    )
};

/// Nothing but its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "tags")]
pub(crate) struct Tag {
    #[primary_key]
    pub(crate) post: i64,
    #[primary_key]
    pub(crate) label: String,
}

pub(crate) const TAGS: Table = Table::everywhere(
    "CREATE TABLE tags (
        post BIGINT NOT NULL, label VARCHAR(50) NOT NULL, PRIMARY KEY (post, label))",
);
