#[derive(Debug, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "users", database = Postgres)]
pub struct User {
    #[primary_key]
    #[orm(generated)]
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    pub age: i32,
    pub score: f64,
    pub active: bool,
    pub avatar: Vec<u8>,
    pub visits: i64,
    pub level: i16,
    pub nickname: Option<String>,
}
