#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "post_tags", database = (Postgres, MySql))]
struct PostTag {
    #[primary_key]
    #[orm(generated)]
    post: i64,
    #[primary_key]
    tag: String,
}
