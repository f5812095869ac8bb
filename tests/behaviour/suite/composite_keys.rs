//! Primary keys of several columns.

use super::Here;
use crate::tables::keys::{SEATS, Seat, TAGS, Tag, VISITS, Visit, VisitColumns};
use cached_orm::{Error, MemcachedOrm as _};
use chrono::NaiveDate;
use uuid::Uuid;

#[tokio::test]
async fn two_columns_make_a_key() {
    let here = Here::with(&[VISITS]).await;
    let visitor = Uuid::from_u128(77);
    let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    let mut visit = Visit { visitor, day, pages: 3 }.insert(&here.orm).await.unwrap();
    let instance_key = "(00000000-0000-0000-0000-00000000004d)(2024-02-29)";
    assert_eq!(visit.get_instance_key(), instance_key);

    visit.pages = 4;
    visit.update(&here.orm).await.unwrap();
    assert_eq!(Visit::fetch(&here.orm, (visitor, day)).await.unwrap().as_ref(), Some(&visit));
    let tomorrow = day.succ_opt().unwrap();
    assert_eq!(Visit::fetch(&here.orm, (visitor, tomorrow)).await.unwrap(), None);

    // One column of the key is a column like others.
    let found = Visit::fetch_by_field(&here.orm, VisitColumns::VISITOR, visitor).await.unwrap();
    assert_eq!(found.as_ref(), Some(&visit));

    visit.refresh(&here.orm).await.unwrap();
    assert!(visit.delete(&here.orm).await.unwrap());
    assert_eq!(Visit::fetch(&here.orm, (visitor, day)).await.unwrap(), None);
}

#[tokio::test]
async fn three_columns_make_a_key_and_none_is_confused_with_another() {
    let here = Here::with(&[SEATS]).await;
    let keys = [
        ("a", 1, 1),
        ("a", 1, 11),
        ("a", 11, 1),
        ("a)(1", 1, 1),
        ("a)(1)(1", 1, 1),
        ("a", -1, 1),
        ("", 1, 1),
        (" ", 1, 1),
    ];
    for (hall, line, number) in keys {
        let guest = Some(format!("{hall:?} {line} {number}"));
        Seat { hall: hall.into(), line, number, guest }.insert(&here.orm).await.unwrap();
    }
    for (hall, line, number) in keys {
        let key = (hall.to_owned(), line, number);
        for _ in 0..2 {
            let seat = Seat::fetch_one(&here.orm, key.clone()).await.unwrap();
            assert_eq!(seat.guest, Some(format!("{hall:?} {line} {number}")));
        }
    }
}

#[tokio::test]
async fn a_row_may_be_nothing_but_its_key() {
    let here = Here::with(&[TAGS]).await;
    let mut tag = Tag { post: 1, label: "rust".into() }.insert(&here.orm).await.unwrap();
    let key = (1, "rust".to_owned());
    tag.update(&here.orm).await.unwrap();
    assert_eq!(Tag::fetch(&here.orm, key.clone()).await.unwrap().as_ref(), Some(&tag));
    tag.refresh(&here.orm).await.unwrap();
    assert!(tag.delete(&here.orm).await.unwrap());
    assert_eq!(Tag::fetch(&here.orm, key).await.unwrap(), None);
    let error = tag.update(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
}
