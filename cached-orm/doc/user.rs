// What the examples of `MemcachedOrm`'s methods work on.
pub use cached_orm::{MemcachedOrm, Orm, Postgres, Result, SetOptions};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "users", database = Postgres, ttl = "10m")]
pub struct User {
    #[primary_key]
    #[orm(generated)]
    pub id: i64,
    pub email: String,
    pub name: String,
}
