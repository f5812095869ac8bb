use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Mode {
    On,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct User {
    #[primary_key]
    id: i64,
    #[orm(skip)]
    mode: Mode,
}

fn main() {}
