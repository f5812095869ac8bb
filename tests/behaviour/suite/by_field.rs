//! Reads by any column.

use super::Here;
use crate::tables::{
    keys::{NOTES, Note, NoteColumns},
    people::{PEOPLE, Person, PersonColumns},
};
use cached_orm::{Error, MemcachedOrm as _};

#[tokio::test]
async fn by_the_primary_key_it_is_a_cached_read() {
    let here = Here::with(&[PEOPLE, NOTES]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::fetch(&here.orm, ann.id).await.unwrap();

    let mut since = here.statistics();
    for _ in 0..3 {
        let found = Person::fetch_by_field(&here.orm, PersonColumns::ID, ann.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&ann));
    }
    assert_eq!(here.loads_since(&mut since), 0);

    let note = Note { title: "a".into(), body: "b".into() }.insert(&here.orm).await.unwrap();
    Note::fetch(&here.orm, "a".into()).await.unwrap();
    let mut since = here.statistics();
    let found = Note::fetch_by_field(&here.orm, NoteColumns::TITLE, "a").await.unwrap();
    assert_eq!(found, Some(note));
    assert_eq!(here.loads_since(&mut since), 0);
}

#[tokio::test]
async fn by_another_column_the_database_answers_and_the_cache_is_not_filled() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::delete_cached_instance(&here.orm, ann.id).await.unwrap();

    let email = ann.email.as_str();
    let found = Person::fetch_by_field(&here.orm, PersonColumns::EMAIL, email).await.unwrap();
    assert_eq!(found.as_ref(), Some(&ann));
    assert_eq!(Person::get_cached_instance(&here.orm, ann.id).await.unwrap(), None);
    let nobody = Person::fetch_by_field(&here.orm, PersonColumns::EMAIL, "nobody").await.unwrap();
    assert_eq!(nobody, None);

    // So it sees what others have written behind the library's back.
    here.run("UPDATE people SET name = 'Bob'").await;
    let found = Person::fetch_by_field(&here.orm, PersonColumns::NAME, "Bob").await.unwrap();
    assert_eq!(found.map(|found| found.id), Some(ann.id));
}

#[tokio::test]
async fn more_than_one_row_is_an_error_but_fetch_all_by_field_gives_them() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    let namesake = Person { email: "other@example.org".into(), ..ann.clone() };
    let namesake = namesake.insert(&here.orm).await.unwrap();
    Person::named("Bob").insert(&here.orm).await.unwrap();

    let error = Person::fetch_by_field(&here.orm, PersonColumns::NAME, "Ann").await.unwrap_err();
    assert!(matches!(error, Error::MoreThanOneRow { .. }), "{error}");

    let all = Person::fetch_all_by_field(&here.orm, PersonColumns::NAME, "Ann").await;
    let mut all = all.unwrap();
    all.sort_by_key(|person| person.id);
    assert_eq!(all, [ann, namesake]);
    let none = Person::fetch_all_by_field(&here.orm, PersonColumns::NAME, "Eve").await.unwrap();
    assert_eq!(none, []);
}

#[tokio::test]
async fn none_asks_for_rows_with_null() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    let bob = Person { age: Some(40), ..Person::named("Bob") }.insert(&here.orm).await.unwrap();
    assert_eq!(ann.age, None);

    let by_age = async |age: Option<i32>| {
        Person::fetch_all_by_field(&here.orm, PersonColumns::AGE, age).await.unwrap()
    };
    assert_eq!(by_age(None).await, std::slice::from_ref(&ann));
    assert_eq!(by_age(Some(40)).await, [bob]);
    let one = Person::fetch_by_field(&here.orm, PersonColumns::AGE, None).await.unwrap();
    assert_eq!(one, Some(ann));
}

#[tokio::test]
async fn in_a_transaction_they_see_what_it_has_written() {
    let here = Here::with(&[PEOPLE]).await;
    let mut transaction = here.orm.begin().await.unwrap();
    let ann = Person::named("Ann").insert(&mut transaction).await.unwrap();
    let by_name = PersonColumns::NAME;
    let found = Person::fetch_by_field(&mut transaction, by_name, "Ann").await.unwrap();
    assert_eq!(found.as_ref(), Some(&ann));
    let found = Person::fetch_by_field(&mut transaction, PersonColumns::ID, ann.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&ann));
    let all = Person::fetch_all_by_field(&mut transaction, by_name, "Ann").await.unwrap();
    assert_eq!(all, [ann]);
    transaction.rollback().await.unwrap();
    assert_eq!(Person::fetch_all_by_field(&here.orm, by_name, "Ann").await.unwrap(), []);
}
