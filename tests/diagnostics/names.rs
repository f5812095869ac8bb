use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, table = "", cache_name = "")]
struct Empty {
    #[primary_key]
    id: i64,
    #[orm(column = "")]
    name: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, table = "app.us\0ers")]
struct Nul {
    #[primary_key]
    id: i64,
    #[orm(column = "na\0me")]
    name: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, table = "app.users.")]
struct Parts {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, table = ".users")]
struct NoSchema {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct LongerThanWhatPostgresqlKeepsOfTheNameOfATableWithoutATruncation {
    #[primary_key]
    id: i64,
    longer_than_what_postgresql_keeps_of_the_name_of_a_column_without_truncation: i64,
    #[orm(column = "longer_than_what_postgresql_keeps_of_the_name_of_a_column_and_more")]
    short: i64,
}

fn main() {}
