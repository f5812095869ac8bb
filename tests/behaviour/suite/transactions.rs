//! Transactions: who sees what, and when.

use super::Here;
use crate::tables::{
    keys::{NOTES, Note},
    people::{PAGES, PEOPLE, Page, Person},
};
use cached_orm::MemcachedOrm as _;

#[tokio::test]
async fn it_reads_its_own_writes_and_others_do_so_after_its_commit() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();

    let mut transaction = here.orm.begin().await.unwrap();
    let mut changed = ann.clone();
    changed.name = "Anna".into();
    changed.update(&mut transaction).await.unwrap();
    assert_eq!(changed.shout, "ANNA");
    let seen = Person::fetch(&mut transaction, ann.id).await.unwrap();
    assert_eq!(seen.as_ref(), Some(&changed));
    let seen = Person::fetch_uncached(&mut transaction, ann.id).await.unwrap();
    assert_eq!(seen.as_ref(), Some(&changed));
    assert_eq!(Person::fetch_one(&mut transaction, ann.id).await.unwrap(), changed);

    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), Some(ann.clone()));
    assert_eq!(Person::fetch_uncached(&here.orm, ann.id).await.unwrap(), Some(ann.clone()));

    let committed = transaction.commit().await.unwrap();
    assert_eq!(committed.release_unconfirmed, 0);
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), Some(changed));
}

#[tokio::test]
async fn its_reads_neither_fill_nor_ask_the_cache() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::delete_cached_instance(&here.orm, ann.id).await.unwrap();
    let before = here.statistics();
    let mut transaction = here.orm.begin().await.unwrap();
    Person::fetch(&mut transaction, ann.id).await.unwrap().expect("the row");
    transaction.commit().await.unwrap();
    assert_eq!(here.statistics(), before);
    assert_eq!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap(), None);
}

#[tokio::test]
async fn rolled_back_or_dropped_it_leaves_database_and_cache_as_they_were() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    let bob = Person::named("Bob").insert(&here.orm).await.unwrap();
    for person in [&ann, &bob] {
        Person::fetch(&here.orm, person.id).await.unwrap();
    }
    for drops in [false, true] {
        let mut transaction = here.orm.begin().await.unwrap();
        let mut changed = Person { name: "Anna".into(), ..ann.clone() };
        changed.update(&mut transaction).await.unwrap();
        assert!(bob.delete(&mut transaction).await.unwrap());
        let carl = Person::named("Carl").insert(&mut transaction).await.unwrap();
        if drops {
            drop(transaction);
        } else {
            transaction.rollback().await.unwrap();
        }
        for person in [&ann, &bob] {
            let cached = Person::get_cached_instance(&here.orm, person.id).await.unwrap();
            assert_eq!(cached.as_ref(), Some(person));
            let stored = Person::fetch_uncached(&here.orm, person.id).await.unwrap();
            assert_eq!(stored.as_ref(), Some(person));
        }
        assert_eq!(Person::fetch(&here.orm, carl.id).await.unwrap(), None);
    }
    assert_eq!(here.statistics().fences, 2, "the two inserts");
}

#[tokio::test]
async fn it_may_write_many_rows_of_several_structs() {
    let here = Here::with(&[PEOPLE, PAGES, NOTES]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    let old = Page { id: 500, body: "old".into() }.insert(&here.orm).await.unwrap();
    assert_eq!(Note::fetch(&here.orm, "n".into()).await.unwrap(), None);

    let mut transaction = here.orm.begin().await.unwrap();
    for id in 0..200 {
        Page { id, body: id.to_string() }.insert(&mut transaction).await.unwrap();
    }
    let mut changed = Person { age: Some(1), ..ann.clone() };
    changed.update(&mut transaction).await.unwrap();
    changed.age = Some(2);
    changed.update(&mut transaction).await.unwrap();
    let note = Note { title: "n".into(), body: "b".into() }.insert(&mut transaction).await.unwrap();
    assert!(old.delete(&mut transaction).await.unwrap());
    transaction.commit().await.unwrap();

    for id in [0, 100, 199] {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap().body, id.to_string());
    }
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), Some(changed));
    assert_eq!(Note::fetch(&here.orm, "n".into()).await.unwrap(), Some(note));
    assert_eq!(Page::fetch(&here.orm, 500).await.unwrap(), None);
}

#[tokio::test]
async fn raw_sql_runs_beside_the_librarys_writes() {
    let here = Here::with(&[PEOPLE]).await;
    let mut ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();

    let mut transaction = here.orm.begin().await.unwrap();
    ann.name = "Anna".into();
    ann.update(&mut transaction).await.unwrap();
    let raw = sqlx::query("UPDATE people SET age = 50").execute(&mut *transaction).await.unwrap();
    assert_eq!(raw.rows_affected(), 1);
    ann.refresh(&mut transaction).await.unwrap();
    assert_eq!((ann.name.as_str(), ann.age), ("Anna", Some(50)));
    transaction.commit().await.unwrap();
    // The key was touched, so what the raw statement changed is seen too.
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), Some(ann));
}

#[tokio::test]
async fn a_transaction_that_wrote_nothing_commits() {
    let here = Here::with(&[PEOPLE]).await;
    here.orm.begin().await.unwrap().commit().await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    assert!(!Person::named("Ann").delete(&mut transaction).await.unwrap());
    transaction.commit().await.unwrap();
    assert_eq!(here.statistics().fences, 0);
}
