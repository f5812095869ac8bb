#[derive(Serialize, Deserialize, MemcachedOrm)]
struct HttpRoute {
    #[primary_key]
    id: i64,
    path: String,
}
