#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "documents", database = (Postgres, MySql))]
struct Document {
    #[primary_key]
    id: i64,
    #[orm(version, column = "lock_version")]
    revision: i32,
    title: String,
}
