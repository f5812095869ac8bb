//! Several structs on one table.

use crate::tables::Table;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

pub(crate) const MEMBERS: Table = Table::everywhere(
    "CREATE TABLE members (id BIGINT PRIMARY KEY, name VARCHAR(200) NOT NULL, age INT NOT NULL)",
);

/// The whole row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members", also_fences(MemberName))]
pub(crate) struct Member {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) age: i32,
}

impl Member {
    pub(crate) fn new(id: i64) -> Self {
        Self { id, name: "Ann".into(), age: 30 }
    }
}

/// Under the same keys as [`Member`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members", also_fences(self::MemberName))]
pub(crate) struct MemberAge {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) age: i32,
}

/// Under keys of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members", cache_name = "member_names", also_fences(Member))]
pub(crate) struct MemberName {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) name: String,
}
