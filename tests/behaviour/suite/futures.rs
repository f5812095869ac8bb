//! Every future can be spawned.

use super::Here;
use crate::tables::people::{PEOPLE, Person, PersonColumns};
use cached_orm::{Isolation, MemcachedOrm as _, SetOptions};
use std::future::Future;

async fn spawned<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(future).await.unwrap()
}

#[tokio::test]
async fn every_method_of_a_handle_can_be_spawned() {
    let here = Here::with(&[PEOPLE]).await;
    let orm = || here.orm.clone();
    let insert = |orm| async move { Person::named("Ann").insert(&orm).await };
    let ann = spawned(insert(orm())).await.unwrap();
    let id = ann.id;

    let db = orm();
    spawned(async move { Person::fetch(&db, id).await }).await.unwrap().unwrap();
    let db = orm();
    spawned(async move { Person::fetch_one(&db, id).await }).await.unwrap();
    let db = orm();
    spawned(async move { Person::fetch_uncached(&db, id).await }).await.unwrap().unwrap();
    let db = orm();
    let by_field = async move { Person::fetch_by_field(&db, PersonColumns::NAME, "Ann").await };
    spawned(by_field).await.unwrap().unwrap();
    let db = orm();
    let all = async move { Person::fetch_all_by_field(&db, PersonColumns::NAME, "Ann").await };
    assert_eq!(spawned(all).await.unwrap().len(), 1);
    let (db, mut row) = (orm(), ann.clone());
    spawned(async move { row.update(&db).await }).await.unwrap();
    let (db, mut row) = (orm(), ann.clone());
    spawned(async move { row.refresh(&db).await }).await.unwrap();
    let (db, row) = (orm(), ann.clone());
    let set = async move { row.set_cached_instance(&db, SetOptions::default()).await };
    assert!(spawned(set).await.unwrap());
    let db = orm();
    spawned(async move { Person::get_cached_instance(&db, id).await }).await.unwrap().unwrap();
    let db = orm();
    spawned(async move { Person::delete_cached_instance(&db, id).await }).await.unwrap();
    let db = orm();
    assert!(spawned(async move { ann.delete(&db).await }).await.unwrap());
    let db = orm();
    spawned(async move { db.close().await }).await;
}

#[tokio::test]
async fn a_transaction_and_its_savepoints_can_be_spawned() {
    let here = Here::with(&[PEOPLE]).await;
    let orm = here.orm.clone();
    let id = spawned(async move {
        let mut transaction = orm.begin_with(Isolation::ReadCommitted).await?;
        let mut ann = Person::named("Ann").insert(&mut transaction).await?;
        let mut savepoint = transaction.savepoint().await?;
        ann.update(&mut savepoint).await?;
        let mut inner = savepoint.savepoint().await?;
        Person::fetch_one(&mut inner, ann.id).await?;
        inner.rollback().await?;
        savepoint.commit().await?;
        ann.refresh(&mut transaction).await?;
        transaction.commit().await?;
        orm.begin().await?.rollback().await?;
        Ok::<_, cached_orm::Error>(ann.id)
    })
    .await
    .unwrap();
    assert_eq!(Person::fetch_one(&here.orm, id).await.unwrap().name, "Ann");
}
