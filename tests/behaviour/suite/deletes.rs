//! Deleting rows.

use super::Here;
use crate::tables::people::{PEOPLE, Person};
use cached_orm::MemcachedOrm as _;

#[tokio::test]
async fn a_deleted_row_is_gone_from_the_cache_as_well() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    let bob = Person::named("Bob").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();

    assert!(ann.delete(&here.orm).await.unwrap());
    assert_eq!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap(), None);
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), None);
    assert_eq!(Person::fetch_uncached(&here.orm, ann.id).await.unwrap(), None);
    assert_eq!(Person::fetch(&here.orm, bob.id).await.unwrap(), Some(bob));
}

#[tokio::test]
async fn deleting_says_whether_there_was_a_row() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    assert!(ann.delete(&here.orm).await.unwrap());
    assert!(!ann.delete(&here.orm).await.unwrap());
}

#[tokio::test]
async fn a_delete_that_is_rolled_back_leaves_row_and_entry() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();

    let mut transaction = here.orm.begin().await.unwrap();
    assert!(ann.delete(&mut transaction).await.unwrap());
    assert_eq!(Person::fetch(&mut transaction, ann.id).await.unwrap(), None);
    transaction.rollback().await.unwrap();

    let cached = Person::get_cached_instance(&here.orm, ann.id).await.unwrap();
    assert_eq!(cached.as_ref(), Some(&ann));
    assert_eq!(Person::fetch_uncached(&here.orm, ann.id).await.unwrap(), Some(ann));
}
