#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "tickets", database = (MySql, Sqlite))]
struct Ticket {
    #[primary_key]
    #[orm(generated)]
    id: u64,
    #[orm(generated)]
    issued_at: DateTime<Utc>,
}
