use cached_orm::{MemcachedOrm, Orm, Postgres};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = (Postgres, Sqlight), tabel = "users", ttl = "10 minutes")]
struct User {
    id: i64,
    #[orm(colunm = "mail")]
    email: String,
}

async fn uses(orm: &Orm<Postgres>) -> cached_orm::Result<()> {
    let mut user = User::fetch_one(orm, 7).await?;
    user.update(orm).await?;
    user.delete(orm).await?;
    User::fetch_by_field(orm, UserColumns::EMAIL, "ann@example.org").await?;
    Ok(())
}

fn main() {}
