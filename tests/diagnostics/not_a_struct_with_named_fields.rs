use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
enum Enum {
    Variant,
}

#[derive(MemcachedOrm)]
union Union {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
struct Tuple(#[primary_key] i64);

#[derive(Serialize, Deserialize, MemcachedOrm)]
struct Unit;

fn main() {}
