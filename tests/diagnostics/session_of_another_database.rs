use cached_orm::{MemcachedOrm, Orm, Postgres, Sqlite};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, MemcachedOrm)]
#[orm(database = Postgres)]
struct User {
    #[primary_key]
    id: i64,
}

async fn other_database(orm: &Orm<Sqlite>) {
    let _ = User::fetch(orm, 7).await;
}

async fn moved(orm: Orm<Postgres>) {
    let _ = User::fetch(orm, 7).await;
}

fn main() {}
