use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
#[orm(unique(tenant, handel), index(), unique, index = "handle", index(handle, "tenant"))]
#[orm(index(handle, handle), unique(id), index(tenant, settings), unique(draft, tenant))]
struct Lists {
    #[primary_key]
    id: i64,
    tenant: i32,
    handle: String,
    #[orm(json)]
    settings: Vec<String>,
    #[orm(skip)]
    draft: bool,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Fields {
    #[primary_key]
    #[orm(unique)]
    id: i64,
    #[orm(unique, index)]
    email: String,
    #[orm(index(name))]
    name: String,
    #[orm(unique = "yes")]
    phone: String,
    #[orm(json, index)]
    settings: Vec<String>,
    #[orm(skip, unique)]
    draft: bool,
    #[orm(uniqe)]
    code: String,
    #[orm(unique)]
    field: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
#[orm(unique(a, b), index(b, a), index(a_and_b), unique(c))]
struct Twice {
    #[primary_key]
    id: i64,
    a: i32,
    b: i32,
    a_and_b: i32,
    #[orm(index)]
    c: i32,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
#[orm(unique(tenant, number))]
struct WholeKey {
    #[primary_key]
    number: i64,
    #[primary_key]
    #[orm(index)]
    tenant: i32,
}

fn main() {}
