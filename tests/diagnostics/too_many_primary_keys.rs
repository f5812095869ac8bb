use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct User {
    #[primary_key]
    a: i64,
    #[primary_key]
    b: i64,
    #[primary_key]
    c: i64,
    #[primary_key]
    d: i64,
    #[primary_key]
    e: i64,
    #[primary_key]
    f: i64,
    #[primary_key]
    g: i64,
    #[primary_key]
    h: i64,
    #[primary_key]
    i: i64,
}

fn main() {}
