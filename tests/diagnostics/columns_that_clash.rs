use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct SameColumn {
    #[primary_key]
    id: i64,
    email: String,
    #[orm(column = "email")]
    address: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = (Postgres, MySql))]
struct SameButForCase {
    #[primary_key]
    id: i64,
    #[orm(column = "Name")]
    full_name: String,
    name: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
#[allow(non_snake_case)]
struct SameConstant {
    #[primary_key]
    id: i64,
    ID: i64,
}

fn main() {}
