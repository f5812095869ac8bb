#[derive(Debug, Clone, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "users", database = Sqlite, ttl = "10m")]
pub struct User {
    #[primary_key]
    #[orm(generated)]
    id: i64,
    email: String,
    name: String,
}
