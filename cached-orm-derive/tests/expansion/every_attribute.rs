#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "app.users", cache_name = "users", rename_all = "camelCase")]
#[orm(database = (Postgres, Sqlite))]
#[orm(ttl = "1h30m", ttl_jitter = 0.25, negative_ttl = "off", min_compress_len = 1024)]
pub struct User {
    #[primary_key]
    #[orm(generated)]
    id: i64,
    full_name: String,
    #[orm(column = "e \"mail\"#")]
    email: String,
    #[orm(json)]
    #[serde(rename = "prefs", default)]
    preferences: Preferences,
    #[orm(generated)]
    created_at: DateTime<Utc>,
    #[orm(readonly)]
    legacy: Option<i32>,
    parent: PhantomData<Self>,
    #[orm(skip)]
    #[serde(skip)]
    scratch: Vec<u8>,
}
