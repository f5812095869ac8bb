#[derive(Debug, Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
pub(crate) struct Membership {
    #[primary_key]
    tenant: Uuid,
    role: String,
    #[primary_key]
    handle: String,
}
