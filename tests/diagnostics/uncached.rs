//! Columns that the cache must not hold.

use cached_orm::{MemcachedOrm, Uncached};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite)]
struct Plain {
    #[primary_key]
    id: i64,
    #[orm(uncached)]
    password: Option<String>,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite)]
struct WithoutTheAttribute {
    #[primary_key]
    id: i64,
    password: Uncached<String>,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite)]
struct Key {
    #[primary_key]
    #[orm(uncached)]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite)]
struct Json {
    #[primary_key]
    id: i64,
    #[orm(uncached, json)]
    settings: Uncached<Vec<i64>>,
    #[orm(uncached, skip)]
    draft: Uncached<bool>,
}

#[derive(Clone, Serialize, Deserialize, MemcachedOrm)]
#[serde(into = "Wire", from = "Wire")]
#[orm(database = Sqlite)]
struct Converted {
    #[primary_key]
    id: i64,
    #[orm(uncached)]
    #[serde(with = "somewhere")]
    password: Uncached<String>,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, index(name, password))]
struct Indexed {
    #[primary_key]
    id: i64,
    name: String,
    #[orm(uncached, unique)]
    password: Uncached<String>,
    #[orm(uncached, version)]
    version: Uncached<i64>,
}

fn main() {}
