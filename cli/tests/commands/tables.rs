//! The program's structs, and their tables.

use cached_orm::{MemcachedOrm, Uncached};
use serde::{Deserialize, Serialize};

/// `city` lies in the cache in a form of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "users", ttl = "10m", negative_ttl = "10m")]
pub(crate) struct User {
    #[primary_key]
    pub(crate) id: i64,
    #[orm(unique)]
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    #[serde(with = "shouted")]
    pub(crate) city: String,
    pub(crate) score: f64,
}

mod shouted {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text.to_uppercase())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        Ok(String::deserialize(from)?.to_lowercase())
    }
}

pub(crate) const USERS: &str = "
    CREATE TABLE users (
        id BIGINT NOT NULL PRIMARY KEY, email VARCHAR(100) NOT NULL UNIQUE,
        name VARCHAR(100), city VARCHAR(100) NOT NULL, score DOUBLE PRECISION NOT NULL
    );";

/// Users with the ids from 1.
pub(crate) fn users(count: i64) -> Vec<User> {
    let user = |id| User {
        id,
        email: format!("user{id}@example.org"),
        name: (id % 3 != 0).then(|| format!("Name {id}")),
        city: "lund".to_owned(),
        score: 0.5,
    };
    (1..=count).map(user).collect()
}

/// Its entries are compressed, and lack `secret`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes", ttl = "10m", min_compress_len = 256)]
pub(crate) struct Note {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) body: String,
    #[orm(uncached)]
    pub(crate) secret: Uncached<String>,
}

pub(crate) const NOTES: &str = "
    CREATE TABLE notes (
        id BIGINT NOT NULL PRIMARY KEY, body VARCHAR(2000) NOT NULL, secret VARCHAR(100) NOT NULL
    );";

/// A key of texts; its bytes have hexadecimal digits that are letters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "plates", ttl = "10m")]
pub(crate) struct Plate {
    #[primary_key]
    pub(crate) country: String,
    #[primary_key]
    pub(crate) number: String,
    pub(crate) owner: String,
}

pub(crate) const PLATES: &str = "
    CREATE TABLE plates (
        owner VARCHAR(100) NOT NULL, country VARCHAR(20) NOT NULL, number VARCHAR(20) NOT NULL,
        PRIMARY KEY (country, number)
    );";

pub(crate) fn plate() -> Plate {
    Plate { country: "jk".into(), number: "o (1)é".into(), owner: "Ann".into() }
}

pub(crate) fn plate_key() -> (String, String) {
    ("jk".to_owned(), "o (1)é".to_owned())
}
