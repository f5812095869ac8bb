//! Structs on the same table that know of other indexes.

use super::Here;
use crate::members::{MEMBERS, Member};
use cached_orm::{Error, MemcachedOrm};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members")]
struct Resident {
    #[primary_key]
    id: i64,
    team: i32,
    handle: String,
    city: Option<String>,
    note: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members")]
struct Remark {
    #[primary_key]
    id: i64,
    note: String,
}

/// The same index as `Member`'s.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members")]
struct Citizen {
    #[primary_key]
    id: i64,
    #[orm(index)]
    city: Option<String>,
}

/// An index over what the database makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "members")]
struct Derived {
    #[primary_key]
    id: i64,
    #[orm(index, readonly)]
    city: Option<String>,
}

#[tokio::test]
async fn any_write_may_change_an_indexed_column_that_the_database_makes() {
    let here = Here::with(&[MEMBERS]).await;
    let ann = Member::of("ann", "Rome").insert(&here.orm).await.unwrap();
    let mut remark = Remark::fetch_one(&here.orm, ann.id).await.unwrap();
    remark.note = "first".into();
    remark.update(&here.orm).await.unwrap();
    assert_eq!(Derived::fetch_by_city(&here.orm, "Oslo").await.unwrap(), []);
    let error = remark.update(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    assert!(error.to_string().contains("of Derived over `city`"), "{error}");
    assert!(remark.delete(&here.orm).await.unwrap());
}

#[tokio::test]
async fn a_write_that_would_leave_an_index_behind_is_refused() {
    let here = Here::with(&[MEMBERS]).await;
    let ann = Member::of("ann", "Rome").insert(&here.orm).await.unwrap();
    let mut resident = Resident::fetch_one(&here.orm, ann.id).await.unwrap();
    // As long as nobody reads by the index, nothing can be stale.
    resident.note = "first".into();
    resident.update(&here.orm).await.unwrap();
    assert_eq!(Member::fetch_by_city(&here.orm, "Oslo").await.unwrap(), []);

    resident.city = Some("Oslo".into());
    let other = Resident { id: 99, handle: "bob".into(), ..resident.clone() };
    let refused = [
        resident.update(&here.orm).await.unwrap_err(),
        other.insert(&here.orm).await.map(drop).unwrap_err(),
        other.upsert(&here.orm).await.map(drop).unwrap_err(),
        Resident::insert_many(&here.orm, std::slice::from_ref(&other)).await.map(drop).unwrap_err(),
    ];
    let mut transaction = here.orm.begin().await.unwrap();
    let inside = resident.update(&mut transaction).await.unwrap_err();
    for error in refused.into_iter().chain([inside]) {
        assert!(matches!(error, Error::Configuration(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("of Resident: ") && text.contains("of Member over `city`"), "{text}");
    }
    // The transaction is none the worse for it.
    Remark { id: ann.id, note: "second".into() }.update(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let found = Member::fetch_by_city(&here.orm, "Rome").await.unwrap();
    assert_eq!(found[0].note, "second");
    assert!(resident.delete(&here.orm).await.unwrap());
    assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap(), []);
}

#[tokio::test]
async fn structs_with_the_same_index_share_its_entries() {
    let here = Here::with(&[MEMBERS]).await;
    let ann = Member::of("ann", "Rome").insert(&here.orm).await.unwrap();
    assert_eq!(Member::fetch_by_city(&here.orm, "Oslo").await.unwrap(), []);
    assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap().len(), 1);
    let mut citizen = Citizen::fetch_by_city(&here.orm, "Rome").await.unwrap().remove(0);
    citizen.city = Some("Oslo".into());
    citizen.update(&here.orm).await.unwrap();
    let moved = Member { city: citizen.city, ..ann };
    for _ in 0..2 {
        assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap(), []);
        assert_eq!(Member::fetch_by_city(&here.orm, "Oslo").await.unwrap(), std::slice::from_ref(&moved));
    }
}
