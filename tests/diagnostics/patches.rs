use cached_orm::{MemcachedOrm, Orm, Postgres};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct User {
    #[primary_key]
    id: i64,
    name: String,
}

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct Page {
    #[primary_key]
    id: i64,
    body: String,
}

async fn patch(orm: &Orm<Postgres>) -> cached_orm::Result<()> {
    User::patch(7).set(PageColumns::BODY, "x").execute(orm).await?;
    User::patch(7).set(UserColumns::NAME, 7).execute(orm).await?;
    Ok(())
}

fn main() {}
