#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "users", database = Sqlite, also_fences(UserSummary, search::UserName))]
#[orm(near_ttl = "1s", early_refresh = "30s", stale_if_error = "1h")]
pub struct User {
    #[primary_key]
    id: i64,
    name: String,
}
