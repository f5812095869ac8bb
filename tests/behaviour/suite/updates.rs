//! Updating rows.

use super::Here;
use crate::{
    databases::Kind,
    tables::people::{COUNTERS, Counter, PEOPLE, Person},
};
use cached_orm::{Error, MemcachedOrm as _};

#[tokio::test]
async fn update_reads_back_what_the_database_made() {
    let here = Here::with(&[PEOPLE]).await;
    let mut ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    ann.name = "Anna".into();
    ann.age = Some(31);
    // Not written: the database makes them.
    ann.status = "mine".into();
    ann.shout = "mine".into();
    ann.update(&here.orm).await.unwrap();
    assert_eq!((ann.status.as_str(), ann.shout.as_str()), ("new", "ANNA"));
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap().as_ref(), Some(&ann));
    assert_eq!(Person::fetch_uncached(&here.orm, ann.id).await.unwrap(), Some(ann));
}

#[tokio::test]
async fn an_updated_row_is_in_the_cache_when_update_returns() {
    let here = Here::with(&[PEOPLE]).await;
    let mut ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();
    ann.name = "Anna".into();
    ann.update(&here.orm).await.unwrap();
    let cached = Person::get_cached_instance(&here.orm, ann.id).await.unwrap();
    assert_eq!(cached, Some(ann));
}

#[tokio::test]
async fn update_keeps_skipped_fields() {
    let here = Here::with(&[PEOPLE]).await;
    let mut ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    ann.draft = 5;
    ann.update(&here.orm).await.unwrap();
    assert_eq!(ann.draft, 5);
    // They have no column, so nobody else sees them.
    let others = Person::fetch_uncached(&here.orm, ann.id).await.unwrap().unwrap();
    assert_eq!(others.draft, 0);
}

#[tokio::test]
async fn updating_a_row_that_is_gone_is_an_error_and_leaves_the_value_alone() {
    let here = Here::with(&[PEOPLE]).await;
    let mut ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();
    ann.delete(&here.orm).await.unwrap();

    ann.name = "Anna".into();
    let before = ann.clone();
    let error = ann.update(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
    assert_eq!(ann, before);
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_refused_update_leaves_the_value_the_row_and_the_cache_alone() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    let bob = Person::named("Bob").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, bob.id).await.unwrap();

    let mut wrong = Person { email: ann.email.clone(), draft: 3, ..bob.clone() };
    let before = wrong.clone();
    let error = wrong.update(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    assert_eq!(wrong, before);
    assert_eq!(Person::get_cached_instance(&here.orm, bob.id).await.unwrap(), Some(bob.clone()));
    assert_eq!(Person::fetch_uncached(&here.orm, bob.id).await.unwrap(), Some(bob));
}

#[tokio::test]
async fn an_update_that_changes_no_value_has_met_its_row() {
    let here = Here::with(&[PEOPLE]).await;
    let mut ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    let before = ann.clone();
    ann.update(&here.orm).await.unwrap();
    ann.update(&here.orm).await.unwrap();
    assert_eq!(ann, before);
}

#[tokio::test]
async fn an_update_with_an_old_value_in_hand_writes_that_value() {
    let here = Here::with(&[COUNTERS]).await;
    let row = Counter { id: 1, writer: 0, revision: 0 };
    let mut mine = row.insert(&here.orm).await.unwrap();
    let mut theirs = mine.clone();
    theirs.writer = 2;
    theirs.update(&here.orm).await.unwrap();
    mine.writer = 1;
    mine.update(&here.orm).await.unwrap();

    let read = Counter::fetch_one(&here.orm, 1).await.unwrap();
    assert_eq!((read.writer, read.revision), (1, 2));
    // SQLite's RETURNING shows the row before the trigger; the others' does not.
    let returned = if Here::DATABASE == Kind::Sqlite { 1 } else { 2 };
    assert_eq!(mine.revision, returned);
}
