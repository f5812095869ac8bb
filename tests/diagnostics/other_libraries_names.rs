use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, table_name = "users", expires = "10m", prefix = "users")]
struct User {
    #[orm(pk, auto_increment)]
    id: i64,
    #[orm(rename = "mail")]
    email: String,
    #[orm(tabel = "users", sensitive)]
    password: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = (Pg, MariaDb, PostgreSQL))]
struct Databases {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, colum = "id", unique(mail))]
struct ColumnForField {
    #[primarykey]
    #[primary_key]
    id: i64,
    #[orm(column = "mail")]
    email: String,
}

fn main() {}
