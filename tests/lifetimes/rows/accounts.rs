//! Rows with columns that the cache must not hold.

use crate::tables::Table;
use cached_orm::{MemcachedOrm, Uncached};
use serde::{Deserialize, Serialize};

pub(crate) const ACCOUNTS: Table = Table::everywhere(
    "CREATE TABLE accounts (
        id BIGINT PRIMARY KEY, name VARCHAR(200) NOT NULL, password VARCHAR(200) NOT NULL,
        recovery VARCHAR(200))",
);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "accounts")]
pub(crate) struct Account {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) name: String,
    #[orm(uncached)]
    pub(crate) password: Uncached<String>,
    #[orm(uncached, column = "recovery")]
    pub(crate) recovery_code: Uncached<Option<String>>,
}

impl Account {
    /// One whose secrets are these.
    pub(crate) fn with(id: i64, password: &str, recovery: &str) -> Self {
        Self {
            id,
            name: "Ann".into(),
            password: Uncached::new(password.into()),
            recovery_code: Uncached::new(Some(recovery.into())),
        }
    }

    /// As the cache gives it.
    pub(crate) fn unloaded(&self) -> Self {
        Self {
            password: Uncached::not_loaded(),
            recovery_code: Uncached::not_loaded(),
            ..self.clone()
        }
    }
}

/// A part of the same table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "accounts")]
pub(crate) struct OnlySecret {
    #[primary_key]
    pub(crate) id: i64,
    #[orm(uncached)]
    pub(crate) password: Uncached<String>,
}
