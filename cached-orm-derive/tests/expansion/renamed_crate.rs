#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(crate = "crate::reexports::orm", database = Sqlite, negative_ttl = "1m")]
struct Note {
    #[primary_key]
    id: i64,
    text: String,
}
