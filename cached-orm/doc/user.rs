// What the examples of `MemcachedOrm`'s methods work on.
#[allow(unused_imports)]
use cached_orm::{MemcachedOrm, Orm, Postgres, Result, SetOptions};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "users", database = Postgres, ttl = "10m")]
struct User {
    #[primary_key]
    #[orm(generated)]
    id: i64,
    email: String,
    name: String,
}
