use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
#[primary_key]
struct User {
    #[primary_key(generated)]
    id: i64,
    #[orm]
    a: i64,
    #[orm = "skip"]
    b: i64,
    #[orm("readonly")]
    c: i64,
    #[orm(json readonly)]
    d: i64,
    #[orm(column: "e")]
    e: i64,
    #[orm(serde::skip)]
    f: i64,
    #[primary_key = "id"]
    g: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, unique[team, name], also_fences { Other })]
struct Delimiters {
    #[primary_key]
    id: i64,
}

fn main() {}
