use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, tabel = "users", cachename = "users")]
#[orm(frobnicate, ttl_jiter = 0.1)]
#[orm(primary_key(id), generated)]
struct User {
    #[primary_key]
    #[orm(generatd)]
    id: i64,
    #[orm(primary_key)]
    other_id: i64,
    #[orm(table = "users")]
    name: String,
    #[orm(nullable, Skip)]
    email: Option<String>,
}

fn main() {}
