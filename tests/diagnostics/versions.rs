use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Document {
    #[primary_key]
    #[orm(version)]
    id: i64,
    #[orm(version, skip)]
    a: i64,
    #[orm(version, generated)]
    b: i64,
    #[orm(version, readonly)]
    c: i64,
    #[orm(version, json)]
    d: i64,
    #[orm(version = "e")]
    e: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Twice {
    #[primary_key]
    id: i64,
    #[orm(version)]
    first: i64,
    #[orm(version)]
    second: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Text {
    #[primary_key]
    id: i64,
    #[orm(version)]
    revision: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Nullable {
    #[primary_key]
    id: i64,
    #[orm(version)]
    revision: Option<i64>,
}

fn main() {}
