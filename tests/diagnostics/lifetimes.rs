//! How long rows live, and structs that share a table.

use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, near_ttl = "0s", stale_if_error = "soon", early_refresh = "1h")]
struct Times {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, also_fences, early_refresh(1))]
struct NoStruct {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, also_fences("Other"))]
struct NoName {
    #[primary_key]
    id: i64,
}

fn main() {}
