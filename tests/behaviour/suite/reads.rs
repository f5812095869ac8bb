//! Reads by primary key.

use super::Here;
use crate::tables::people::{PEOPLE, Person};
use cached_orm::{Error, MemcachedOrm as _};

#[tokio::test]
async fn the_second_read_is_a_hit() {
    let here = Here::with(&[PEOPLE]).await;
    here.run("INSERT INTO people (email, name) VALUES ('ann@example.org', 'Ann')").await;
    let first = Person::fetch(&here.orm, 1).await.unwrap().expect("the row is there");
    assert_eq!((first.name.as_str(), first.shout.as_str()), ("Ann", "ANN"));
    let between = here.statistics();
    assert_eq!((between.misses, between.loads, between.fills), (1, 1, 1));

    let second = Person::fetch(&here.orm, 1).await.unwrap();
    assert_eq!(second, Some(first));
    let after = here.statistics();
    assert_eq!((after.hits, after.misses, after.loads), (1, 1, 1));
}

#[tokio::test]
async fn fetch_one_gives_the_row_or_says_that_there_is_none() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    assert_eq!(Person::fetch_one(&here.orm, ann.id).await.unwrap(), ann);

    let error = Person::fetch_one(&here.orm, ann.id + 1).await.unwrap_err();
    let Error::RowNotFound { operation } = &error else { panic!("{error}") };
    assert_eq!((operation.name(), operation.entity()), ("fetch_one", Some("Person")));
}

#[tokio::test]
async fn fetch_uncached_neither_asks_nor_fills_the_cache() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::delete_cached_instance(&here.orm, ann.id).await.unwrap();

    let before = here.statistics();
    assert_eq!(Person::fetch_uncached(&here.orm, ann.id).await.unwrap().as_ref(), Some(&ann));
    assert_eq!(Person::fetch_uncached(&here.orm, ann.id + 1).await.unwrap(), None);
    assert_eq!(here.statistics(), before);
    assert_eq!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap(), None);

    Person::fetch(&here.orm, ann.id).await.unwrap();
    here.run("UPDATE people SET name = 'Bob'").await;
    let uncached = Person::fetch_uncached(&here.orm, ann.id).await.unwrap().unwrap();
    assert_eq!(uncached.name, "Bob");
}

#[tokio::test]
async fn a_failed_load_is_an_error_and_the_next_one_succeeds() {
    let here = Here::with(&[PEOPLE]).await;
    here.run("INSERT INTO people (email, name) VALUES ('ann@example.org', 'Ann')").await;
    here.run("ALTER TABLE people RENAME TO elsewhere").await;
    let error = Person::fetch(&here.orm, 1).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");

    here.run("ALTER TABLE elsewhere RENAME TO people").await;
    let ann = Person::fetch(&here.orm, 1).await.unwrap().expect("the row is back");
    assert_eq!(ann.name, "Ann");
    assert_eq!(here.statistics().load_errors, 1);
}

#[tokio::test]
async fn a_column_that_holds_what_its_field_cannot_is_named() {
    let here = Here::with(&[PEOPLE]).await;
    here.run("INSERT INTO people (email, name) VALUES ('ann@example.org', 'Ann')").await;
    // In one go, since SQLite's other connections still know the old columns.
    here.run(
        "ALTER TABLE people RENAME COLUMN status TO text_status;
         ALTER TABLE people ADD COLUMN status INT;
         UPDATE people SET status = 5",
    )
    .await;
    let error = Person::fetch(&here.orm, 1).await.unwrap_err();
    assert!(matches!(error, Error::Column { column: "status", .. }), "{error}");
    assert!(error.to_string().contains("column `status` of Person"), "{error}");
}

#[tokio::test]
async fn clones_are_one_handle_and_a_closed_one_answers_with_errors() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    let clone = here.orm.clone();
    Person::fetch(&clone, ann.id).await.unwrap();
    assert_eq!(clone.statistics(), here.statistics());

    clone.close().await;
    assert!(Person::fetch(&here.orm, ann.id).await.is_err());
    assert!(Person::get_cached_instance(&here.orm, ann.id).await.is_err());
    assert!(ann.delete(&here.orm).await.is_err());
}
