use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Floats {
    #[primary_key]
    id: i64,
    #[orm(index)]
    score: f64,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres, unique(name, limit))]
struct Nullable {
    #[primary_key]
    id: i64,
    name: Option<String>,
    limit: Option<f32>,
}

fn main() {}
