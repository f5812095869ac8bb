use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Address {
    street: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct User {
    #[primary_key]
    id: i64,
    address: Address,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Unsigned {
    #[primary_key]
    id: i64,
    visits: u64,
}

fn main() {}
