//! Working on the cache alone.

use super::Here;
use crate::{
    polling::until,
    tables::people::{LEAFLETS, Leaflet, PAGES, PEOPLE, Page, Person},
};
use cached_orm::{MemcachedOrm as _, SetOptions};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn get_cached_instance_asks_the_cache_and_nothing_else() {
    let here = Here::with(&[PEOPLE]).await;
    here.run("INSERT INTO people (email, name) VALUES ('ann@example.org', 'Ann')").await;
    assert_eq!(Person::get_cached_instance(&here.orm, 1).await.unwrap(), None);
    let ann = Person::fetch_one(&here.orm, 1).await.unwrap();

    here.run("DROP TABLE people").await;
    assert_eq!(Person::get_cached_instance(&here.orm, 1).await.unwrap(), Some(ann));
    assert_eq!(Person::get_cached_instance(&here.orm, 2).await.unwrap(), None);
}

#[tokio::test]
async fn set_cached_instance_stores_what_the_database_has() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    let mut old = ann.clone();
    old.name = "not what the database has".into();
    Person::delete_cached_instance(&here.orm, ann.id).await.unwrap();

    assert!(old.set_cached_instance(&here.orm, SetOptions::default()).await.unwrap());
    let cached = Person::get_cached_instance(&here.orm, ann.id).await.unwrap();
    assert_eq!(cached.as_ref(), Some(&ann));

    here.run("UPDATE people SET name = 'Anna'").await;
    assert!(old.set_cached_instance(&here.orm, SetOptions::default()).await.unwrap());
    assert_eq!(Person::fetch_one(&here.orm, ann.id).await.unwrap().name, "Anna");
}

#[tokio::test]
async fn set_cached_instance_of_a_row_that_is_gone_takes_its_entry_away() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();
    here.run("DELETE FROM people").await;
    assert!(!ann.set_cached_instance(&here.orm, SetOptions::default()).await.unwrap());
    assert_eq!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap(), None);
}

#[tokio::test]
async fn an_instance_stays_as_long_as_its_ttl_says() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    let options = SetOptions::default().ttl(Duration::from_secs(2));
    let stored = Instant::now();
    assert!(ann.set_cached_instance(&here.orm, options).await.unwrap());
    assert!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap().is_some());
    until("the instance expires", async || {
        Person::get_cached_instance(&here.orm, ann.id).await.unwrap().is_none()
    })
    .await;
    // memcached's clock ticks once a second, so an entry may lose almost one.
    let stayed = stored.elapsed();
    assert!(stayed > Duration::from_millis(900) && stayed < Duration::from_secs(5), "{stayed:?}");
}

#[tokio::test]
async fn a_row_stays_as_long_as_its_struct_says() {
    let here = Here::with(&[LEAFLETS]).await;
    here.run("INSERT INTO leaflets VALUES (1, 'first')").await;
    assert_eq!(Leaflet::fetch_one(&here.orm, 1).await.unwrap().text, "first");
    here.run("UPDATE leaflets SET text = 'second'").await;
    until("the row expires", async || {
        Leaflet::fetch_one(&here.orm, 1).await.unwrap().text == "second"
    })
    .await;
}

#[tokio::test]
async fn a_compressed_instance_is_read_back() {
    // It is larger than an entry may be, unless it is compressed.
    let here = Here::with(&[PAGES]).await;
    let page = Page { id: 1, body: "compressible ".repeat(800_000) };
    page.insert(&here.orm).await.unwrap();
    assert_eq!(Page::get_cached_instance(&here.orm, 1).await.unwrap(), None);
    assert!(!page.set_cached_instance(&here.orm, SetOptions::default()).await.unwrap());

    let options = SetOptions::default().ttl(Duration::from_secs(60)).min_compress_len(100);
    assert!(page.set_cached_instance(&here.orm, options).await.unwrap());
    assert_eq!(Page::get_cached_instance(&here.orm, 1).await.unwrap(), Some(page));
}

#[tokio::test]
async fn delete_cached_instance_takes_the_row_out_of_the_cache() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();
    here.run("UPDATE people SET name = 'Anna'").await;
    Person::delete_cached_instance(&here.orm, ann.id).await.unwrap();
    assert_eq!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap(), None);
    assert_eq!(Person::fetch_one(&here.orm, ann.id).await.unwrap().name, "Anna");
    // Nothing there is no error.
    Person::delete_cached_instance(&here.orm, 99).await.unwrap();
}

#[tokio::test]
async fn keys_read_as_documented() {
    let here = Here::built(&[PEOPLE], |builder| builder.namespace("shop")).await;
    let ann = Person { id: 7, ..Person::named("Ann") };
    assert_eq!(ann.get_instance_key(), "(7)");
    assert_eq!(ann.get_cache_key(&here.orm).as_str(), "shop:people:(7)");
}
