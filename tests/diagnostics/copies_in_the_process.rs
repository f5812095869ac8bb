//! Readers are given copies of a row that is kept in the process.

use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, near_ttl = "1s")]
struct NotClone {
    #[primary_key]
    id: i64,
}

fn main() {}
