#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members", cache_name = "members", database = Postgres, negative_ttl = "2s")]
#[orm(unique(team, handle), index(team, city))]
pub struct Member {
    #[primary_key]
    team: i32,
    #[primary_key]
    number: i32,
    handle: String,
    #[orm(unique)]
    email: Option<String>,
    city: Option<String>,
    #[orm(json)]
    settings: Settings,
    #[orm(generated)]
    joined: DateTime<Utc>,
    #[orm(readonly)]
    legacy: Option<i32>,
    #[orm(skip)]
    #[serde(skip)]
    draft: bool,
}
