use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, ttl = "500ms")]
struct Milliseconds {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, ttl = "0s", negative_ttl = "never")]
struct Nothing {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, ttl = "off", negative_ttl = "1m1h")]
struct Order {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, ttl = "100000d", negative_ttl = "")]
struct Long {
    #[primary_key]
    id: i64,
}

fn main() {}
