//! Inserting rows.

use super::Here;
use crate::tables::people::{PAGES, PEOPLE, Page, Person, TICKETS, Ticket};
use cached_orm::{Error, MemcachedOrm as _};

#[tokio::test]
async fn insert_returns_what_the_database_made() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person { age: Some(30), ..Person::named("Ann") }.insert(&here.orm).await.unwrap();
    assert_eq!((ann.id, ann.age), (1, Some(30)));
    assert_eq!((ann.status.as_str(), ann.shout.as_str()), ("new", "ANN"));
    let bob = Person::named("Bob").insert(&here.orm).await.unwrap();
    assert_eq!(bob.id, 2);

    for person in [ann, bob] {
        assert_eq!(Person::fetch(&here.orm, person.id).await.unwrap().as_ref(), Some(&person));
        let uncached = Person::fetch_uncached(&here.orm, person.id).await.unwrap();
        assert_eq!(uncached, Some(person));
    }
}

#[tokio::test]
async fn insert_keeps_a_given_key() {
    let here = Here::with(&[PAGES]).await;
    for id in [7, -7, i64::MAX, i64::MIN, 0] {
        let page = Page { id, body: format!("page {id}") };
        assert_eq!(page.insert(&here.orm).await.unwrap(), page);
        assert_eq!(Page::fetch(&here.orm, id).await.unwrap(), Some(page));
    }
}

#[tokio::test]
async fn a_row_that_the_database_makes_altogether_is_returned() {
    let here = Here::with(&[TICKETS]).await;
    let blank = Ticket { id: 0, state: String::new() };
    let first = blank.insert(&here.orm).await.unwrap();
    let second = blank.insert(&here.orm).await.unwrap();
    assert_eq!(first, Ticket { id: 1, state: "open".into() });
    assert_eq!(second, Ticket { id: 2, state: "open".into() });
    assert_eq!(Ticket::fetch(&here.orm, 2).await.unwrap(), Some(second));

    // An update of it changes nothing, but meets the row.
    let mut first = first;
    first.update(&here.orm).await.unwrap();
    assert_eq!(first.state, "open");
}

#[tokio::test]
async fn an_insert_is_seen_at_once_where_the_row_was_known_to_be_absent() {
    let here = Here::with(&[PEOPLE]).await;
    assert_eq!(Person::fetch(&here.orm, 1).await.unwrap(), None);
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    assert_eq!(ann.id, 1);
    assert_eq!(Person::fetch(&here.orm, 1).await.unwrap(), Some(ann));
}

#[tokio::test]
async fn a_refused_insert_changes_nothing() {
    let here = Here::with(&[PAGES]).await;
    let page = Page { id: 1, body: "first".into() }.insert(&here.orm).await.unwrap();
    let error = Page { id: 1, body: "second".into() }.insert(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    assert!(error.to_string().contains("a unique index forbids it"), "{error}");
    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap(), Some(page));
}

#[tokio::test]
async fn a_row_that_was_deleted_can_be_inserted_again() {
    let here = Here::with(&[PAGES]).await;
    for round in 0..5 {
        let page = Page { id: 1, body: format!("round {round}") };
        page.insert(&here.orm).await.unwrap();
        assert_eq!(Page::fetch(&here.orm, 1).await.unwrap().as_ref(), Some(&page));
        assert!(page.delete(&here.orm).await.unwrap());
        assert_eq!(Page::fetch(&here.orm, 1).await.unwrap(), None);
    }
}
