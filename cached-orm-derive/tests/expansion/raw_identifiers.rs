#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct r#Enum {
    #[primary_key]
    r#type: String,
    r#fn: i32,
}
