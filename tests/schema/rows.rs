//! A table that others change behind a struct's back.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

/// `shout` and `slug` are what triggers make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes", ttl = "1h", accepts(other_rows))]
pub(crate) struct Note {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) body: String,
    #[orm(readonly)]
    pub(crate) shout: Option<String>,
    #[orm(readonly, unique)]
    pub(crate) slug: Option<String>,
    /// What other tables refer to.
    pub(crate) code: i64,
}

pub(crate) const NOTES: Table = Table::everywhere(
    "CREATE TABLE notes (
        id BIGINT PRIMARY KEY,
        body VARCHAR(100) NOT NULL,
        shout VARCHAR(100),
        slug VARCHAR(100) UNIQUE,
        code BIGINT NOT NULL UNIQUE)",
);

/// The same table, by a struct without indexes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes", ttl = "1h", accepts(other_rows))]
pub(crate) struct Plain {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) body: String,
    #[orm(readonly)]
    pub(crate) shout: Option<String>,
    pub(crate) code: i64,
}

pub(crate) fn note(id: i64, body: &str) -> Note {
    Note { id, body: body.into(), shout: None, slug: None, code: id }
}

pub(crate) fn plain(id: i64, body: &str) -> Plain {
    Plain { id, body: body.into(), shout: None, code: id }
}
