use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, ttl = "1m", ttl = "2m")]
#[orm(database = Sqlite)]
struct User {
    #[primary_key]
    #[primary_key]
    id: i64,
    #[orm(readonly, column = "a", readonly)]
    #[orm(column = "b")]
    name: String,
}

fn main() {}
