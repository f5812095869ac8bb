#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "odd`name", database = MySql)]
struct Invoice {
    #[primary_key]
    tenant: i32,
    #[primary_key]
    #[orm(generated)]
    number: u64,
    total: i64,
}
