use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(MemcachedOrm)]
#[orm(database = Postgres)]
struct User {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize)]
struct Other;

fn main() {}
