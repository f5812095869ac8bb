use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, table, ttl =, ttl_jitter, rename_all)]
struct Missing {
    #[primary_key]
    #[orm(column)]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, table = users, cache_name = 'u', ttl = 600, negative_ttl = false)]
#[orm(ttl_jitter = "0.1", min_compress_len = "1024", rename_all = camelCase, crate = cached_orm)]
struct Kinds {
    #[primary_key]
    #[orm(generated = true)]
    id: i64,
    #[orm(column = 1)]
    a: i64,
    #[orm(json = "yes")]
    b: i64,
    #[orm(skip())]
    c: i64,
    #[orm(readonly(true))]
    d: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, ttl_jitter = 1.5, min_compress_len = -1, crate = "not a path")]
#[orm(rename_all = "camel_case", table("users"))]
struct Ranges {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, ttl_jitter = -0.1, rename_all = "loud")]
struct MoreRanges {
    #[primary_key]
    id: i64,
}

fn main() {}
