// What the examples of the guide work on: a table in memory, behind a cache in the
// process.
pub use cached_orm::{Error, MemcachedOrm, Orm, Sqlite, sqlx};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "users", database = Sqlite, ttl = "10m")]
pub struct User {
    #[primary_key]
    #[orm(generated)]
    pub id: i64,
    #[orm(unique)]
    pub email: String,
    pub name: String,
    #[orm(index)]
    pub city: String,
}

pub const SCHEMA: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, \
                          name TEXT NOT NULL, city TEXT NOT NULL); \
                          CREATE INDEX users_by_city ON users (city); \
                          INSERT INTO users VALUES (7, 'ann@example.org', 'Ann', 'Lima'), \
                                                   (8, 'bob@example.org', 'Bob', 'Lima')";

#[allow(dead_code, reason = "most pages have no need of it")]
pub async fn pool() -> Result<sqlx::SqlitePool, sqlx::Error> {
    let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
    sqlx::raw_sql(SCHEMA).execute(&pool).await?;
    Ok(pool)
}

pub async fn orm() -> Result<Orm<Sqlite>, Box<dyn std::error::Error>> {
    let orm = Orm::connect("sqlite::memory:", "embedded://16mb").await?;
    sqlx::raw_sql(SCHEMA).execute(orm.pool()).await?;
    Ok(orm)
}
