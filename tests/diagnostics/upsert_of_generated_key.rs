use cached_orm::{MemcachedOrm, Orm, Postgres};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct User {
    #[primary_key]
    #[orm(generated)]
    id: i64,
    name: String,
}

async fn save(orm: &Orm<Postgres>, user: User) -> cached_orm::Result<User> {
    user.upsert(orm).await
}

fn main() {}
