//! Rows that are not there.

use super::Here;
use crate::tables::people::{LEAFLETS, Leaflet, PEOPLE, Person};
use cached_orm::MemcachedOrm as _;

#[tokio::test]
async fn an_absent_row_is_asked_for_once() {
    let here = Here::with(&[PEOPLE]).await;
    for _ in 0..3 {
        assert_eq!(Person::fetch(&here.orm, 5).await.unwrap(), None);
    }
    let statistics = here.statistics();
    assert_eq!((statistics.loads, statistics.hits), (1, 2));
    // The entry says that there is no row, so it is no instance.
    assert_eq!(Person::get_cached_instance(&here.orm, 5).await.unwrap(), None);
}

#[tokio::test]
async fn with_negative_ttl_off_it_is_asked_for_every_time() {
    let here = Here::with(&[LEAFLETS]).await;
    for _ in 0..3 {
        assert_eq!(Leaflet::fetch(&here.orm, 5).await.unwrap(), None);
    }
    assert_eq!(here.statistics().loads, 3);

    here.run("INSERT INTO leaflets VALUES (5, 'by others')").await;
    let leaflet = Leaflet::fetch_one(&here.orm, 5).await.unwrap();
    assert_eq!(leaflet.text, "by others");
}

#[tokio::test]
async fn a_row_inserted_by_others_is_seen_when_the_absence_is_forgotten() {
    let here = Here::with(&[PEOPLE]).await;
    assert_eq!(Person::fetch(&here.orm, 1).await.unwrap(), None);
    here.run("INSERT INTO people (email, name) VALUES ('ann@example.org', 'Ann')").await;
    Person::delete_cached_instance(&here.orm, 1).await.unwrap();
    assert_eq!(Person::fetch_one(&here.orm, 1).await.unwrap().name, "Ann");
}

#[tokio::test]
async fn an_insert_in_a_transaction_is_seen_after_its_commit() {
    let here = Here::with(&[PEOPLE]).await;
    assert_eq!(Person::fetch(&here.orm, 1).await.unwrap(), None);
    let mut transaction = here.orm.begin().await.unwrap();
    let ann = Person::named("Ann").insert(&mut transaction).await.unwrap();
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), None);
    transaction.commit().await.unwrap();
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), Some(ann));
}
