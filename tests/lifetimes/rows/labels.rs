//! Rows that are read by indexes, of which copies are kept, and that have a secret.

use crate::tables::Table;
use cached_orm::{MemcachedOrm, Uncached};
use serde::{Deserialize, Serialize};

pub(crate) const LABELS: Table = Table::everywhere(
    "CREATE TABLE labels (
        id BIGINT PRIMARY KEY, handle VARCHAR(100) NOT NULL UNIQUE, team BIGINT NOT NULL,
        secret VARCHAR(100) NOT NULL)",
);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "labels", near_ttl = "1m", negative_ttl = "1m")]
pub(crate) struct Label {
    #[primary_key]
    pub(crate) id: i64,
    #[orm(unique)]
    pub(crate) handle: String,
    #[orm(index)]
    pub(crate) team: i64,
    #[orm(uncached)]
    pub(crate) secret: Uncached<String>,
}

impl Label {
    pub(crate) fn new(id: i64, handle: &str, team: i64) -> Self {
        Self { id, handle: handle.into(), team, secret: Uncached::new(format!("secret {id}")) }
    }

    pub(crate) fn unloaded(&self) -> Self {
        Self { secret: Uncached::not_loaded(), ..self.clone() }
    }
}
