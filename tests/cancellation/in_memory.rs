//! A database that is there for as long as a connection to it is.

use crate::{
    cut::Cuts,
    tables::{self, Person, PersonColumns},
};
use cached_orm::{MemcachedOrm as _, Orm, Result, Sqlite};
use sqlx::sqlite::SqlitePoolOptions;
use std::pin::Pin;

type Calling<'s> = Pin<Box<dyn Future<Output = Result<()>> + Send + 's>>;

type Call = fn(&Orm<Sqlite>) -> Calling<'_>;

const CALLS: [(&str, Call); 5] = [
    ("begin", |orm| Box::pin(async move { orm.begin().await.map(drop) })),
    ("fetch_uncached", |orm| {
        Box::pin(async move { Person::fetch_uncached(orm, 1).await.map(drop) })
    }),
    ("patch", |orm| {
        let patch = Person::patch(1).set(PersonColumns::NAME, "new");
        Box::pin(async move { patch.execute(orm).await.map(drop) })
    }),
    ("commit", |orm| {
        Box::pin(async move {
            let mut transaction = orm.begin().await?;
            transaction.savepoint().await?.commit().await?;
            let patch = Person::patch(1).set(PersonColumns::NAME, "new");
            patch.execute(&mut transaction).await?;
            transaction.commit().await.map(drop)
        })
    }),
    ("rollback", |orm| {
        Box::pin(async move {
            let mut transaction = orm.begin().await?;
            transaction.savepoint().await?.rollback().await?;
            transaction.touch::<Person>(1).await?;
            transaction.rollback().await
        })
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_future_takes_the_database_with_it() {
    // Its only connection, as is usual for such a database.
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:");
    let orm = Orm::builder(pool.await.unwrap()).embedded(1 << 20).build().await.unwrap();
    sqlx::raw_sql(tables::sql(crate::databases::Kind::Sqlite)).execute(orm.pool()).await.unwrap();
    sqlx::raw_sql("INSERT INTO people VALUES (1, 'old', 'e', 'c', 0, '')")
        .execute(orm.pool())
        .await
        .unwrap();
    for (name, call) in CALLS {
        let mut cuts = Cuts::default();
        while let Some(cut) = cuts.next() {
            let outcome = cut.apply(call(&orm)).await;
            cuts.note(outcome.as_ref());
            if let Some(Err(error)) = outcome {
                panic!("{name}, {cut:?}: {error}");
            }
            let row = Person::fetch_uncached(&orm, 1).await;
            assert!(row.is_ok_and(|row| row.is_some()), "{name}, {cut:?}: the row is gone");
        }
    }
}
