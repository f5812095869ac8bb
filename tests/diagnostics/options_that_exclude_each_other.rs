use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct User {
    #[primary_key]
    #[orm(json, readonly)]
    id: i64,
    #[orm(skip, column = "a")]
    a: i64,
    #[orm(skip, generated)]
    b: i64,
    #[orm(skip, readonly, json)]
    c: i64,
    #[orm(generated, readonly)]
    d: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct SkippedKey {
    #[primary_key]
    #[orm(skip)]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = (Postgres, MySql))]
struct TwoGenerated {
    #[primary_key]
    #[orm(generated)]
    a: i64,
    #[primary_key]
    #[orm(generated)]
    b: i64,
}

fn main() {}
