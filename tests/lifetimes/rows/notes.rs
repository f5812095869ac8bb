//! Rows of which copies are kept in the process.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(crate) const NOTES: Table = Table::everywhere(
    "CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR(200) NOT NULL, revision BIGINT NOT NULL)",
);

/// What the derive is told below.
pub(crate) const NEAR_TTL: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes", near_ttl = "2s", negative_ttl = "1m")]
pub(crate) struct Note {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) revision: i64,
}

impl Note {
    pub(crate) fn new(id: i64) -> Self {
        Self { id, text: "first".into(), revision: 0 }
    }
}

/// Loaded anew in the last seconds of its life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes", ttl = "5s", ttl_jitter = 0, early_refresh = "3s")]
pub(crate) struct HotNote {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) revision: i64,
}

/// When a [`HotNote`] is loaded anew, and not yet over: memcached counts the ticks of
/// its clock.
pub(crate) const HOT_AFTER: Duration = Duration::from_millis(3300);

/// Lies there for a minute after its life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes", ttl = "1s", ttl_jitter = 0, stale_if_error = "1m")]
pub(crate) struct KeptNote {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) revision: i64,
}

/// Its whole life is up to chance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes", ttl = "100s", ttl_jitter = 0.5)]
pub(crate) struct JitteryNote {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) revision: i64,
}
