#[derive(Debug, Clone, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members", database = Postgres, ttl = "10m", unique(tenant, handle))]
pub struct Member {
    #[primary_key]
    pub tenant: i64,
    #[primary_key]
    pub number: i64,
    #[orm(unique)]
    pub email: Option<String>,
    pub handle: String,
    #[orm(index)]
    pub city: String,
    #[orm(json)]
    pub settings: Settings,
    #[orm(uncached)]
    pub password: Uncached<String>,
    #[orm(version)]
    pub revision: i64,
}
