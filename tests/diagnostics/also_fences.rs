//! Structs that cannot be fenced along with another.

use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, table = "users", also_fences(OtherKey))]
struct User {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, table = "users", cache_name = "other")]
struct OtherKey {
    #[primary_key]
    id: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, table = "pages", also_fences(OtherTable))]
struct Page {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, table = "books")]
struct OtherTable {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, table = "tags", also_fences(SameName))]
struct Tag {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, table = "tags")]
struct SameName {
    #[primary_key]
    id: i64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, table = "posts", also_fences(Indexed))]
struct Post {
    #[primary_key]
    id: i64,
    title: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Sqlite, table = "posts", cache_name = "titles")]
struct Indexed {
    #[primary_key]
    id: i64,
    #[orm(index)]
    title: String,
}

fn main() {}
