#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "accounts", database = (Postgres, MySql))]
pub struct Account {
    #[primary_key]
    id: i64,
    name: String,
    #[orm(uncached)]
    password: Uncached<String>,
    #[orm(uncached, column = "notes")]
    memo: cached_orm::Uncached<Option<Vec<u8>>>,
    #[orm(uncached, generated)]
    token: Uncached<Uuid>,
}
