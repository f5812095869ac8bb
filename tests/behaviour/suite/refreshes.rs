//! Reading a value anew.

use super::Here;
use crate::tables::people::{PEOPLE, Person};
use cached_orm::{Error, MemcachedOrm as _};

#[tokio::test]
async fn refresh_reads_the_database_and_fills_the_cache() {
    let here = Here::with(&[PEOPLE]).await;
    let mut ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();
    ann.draft = 9;
    here.run("UPDATE people SET name = 'Anna'").await;

    ann.refresh(&here.orm).await.unwrap();
    assert_eq!((ann.name.as_str(), ann.draft), ("Anna", 9));
    let cached = Person::get_cached_instance(&here.orm, ann.id).await.unwrap();
    assert_eq!(cached.map(|cached| cached.name).as_deref(), Some("Anna"));
}

#[tokio::test]
async fn refresh_fills_an_empty_cache_too() {
    let here = Here::with(&[PEOPLE]).await;
    let mut ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::delete_cached_instance(&here.orm, ann.id).await.unwrap();
    ann.refresh(&here.orm).await.unwrap();
    let cached = Person::get_cached_instance(&here.orm, ann.id).await.unwrap();
    assert_eq!(cached, Some(ann));
}

#[tokio::test]
async fn refreshing_a_row_that_is_gone_takes_its_entry_away() {
    let here = Here::with(&[PEOPLE]).await;
    let mut ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();
    here.run("DELETE FROM people").await;

    let before = ann.clone();
    let error = ann.refresh(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
    assert_eq!(ann, before);
    assert_eq!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap(), None);
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), None);
}

#[tokio::test]
async fn in_a_transaction_it_is_the_row_as_that_sees_it() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();

    let mut transaction = here.orm.begin().await.unwrap();
    let mut changed = Person { name: "Anna".into(), ..ann.clone() };
    changed.update(&mut transaction).await.unwrap();
    let mut mine = ann.clone();
    mine.refresh(&mut transaction).await.unwrap();
    assert_eq!(mine.name, "Anna");
    let cached = Person::get_cached_instance(&here.orm, ann.id).await.unwrap();
    assert_eq!(cached.as_ref(), Some(&ann));
    transaction.rollback().await.unwrap();

    mine.refresh(&here.orm).await.unwrap();
    assert_eq!(mine, ann);
}
