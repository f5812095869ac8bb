//! Each key gets its own row, in its own place.

use super::Here;
use crate::{
    shapes::{Line, Secret, Stubborn},
    tables::{
        keys::{BLOBS, Blob, SEATS, Seat, TAGS, Tag, VISITS, Visit},
        people::{PAGES, PEOPLE, Page, Person},
    },
};
use cached_orm::{Error, MemcachedOrm as _};
use chrono::NaiveDate;
use rand::seq::SliceRandom as _;
use uuid::Uuid;

fn page(id: i64) -> Page {
    Page { id, body: format!("page {id}") }
}

#[tokio::test]
async fn rows_come_in_the_order_asked_with_duplicates_and_gaps() {
    let here = Here::with(&[PAGES]).await;
    for id in 0..50 {
        page(id).insert(&here.orm).await.unwrap();
    }
    for _ in 0..20 {
        let mut ids: Vec<i64> = (-20..70).chain(10..30).chain([7; 5]).collect();
        ids.shuffle(&mut rand::rng());
        // Some of them are cached, and others are not.
        for id in ids.iter().take(20) {
            Page::delete_cached_instance(&here.orm, *id).await.unwrap();
        }
        let expected: Vec<_> =
            ids.iter().map(|&id| (0..50).contains(&id).then(|| page(id))).collect();
        assert_eq!(Page::fetch_many(&here.orm, ids.clone()).await.unwrap(), expected);
        // And from the cache alone.
        let mut since = here.statistics();
        assert_eq!(Page::fetch_many(&here.orm, ids).await.unwrap(), expected);
        assert_eq!(here.loads_since(&mut since), 0);
    }
}

#[tokio::test]
async fn an_empty_batch_asks_nobody() {
    let here = Here::with(&[PAGES]).await;
    // Neither is the table there.
    here.run("DROP TABLE pages").await;
    let before = here.statistics();
    assert_eq!(Page::fetch_many(&here.orm, []).await.unwrap(), []);
    assert_eq!(here.statistics(), before);
    let mut transaction = here.orm.begin().await.unwrap();
    assert_eq!(Page::fetch_many(&mut transaction, []).await.unwrap(), []);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_key_that_comes_twice_is_asked_for_once() {
    let here = Here::with(&[PEOPLE]).await;
    let ann = Person::named("Ann").insert(&here.orm).await.unwrap();
    Person::delete_cached_instance(&here.orm, ann.id).await.unwrap();
    for (loads, hits) in [(1, 0), (0, 1)] {
        let before = here.statistics();
        let rows = Person::fetch_many(&here.orm, [ann.id; 100]).await.unwrap();
        assert_eq!(rows, vec![Some(ann.clone()); 100]);
        let after = here.statistics();
        assert_eq!((after.loads - before.loads, after.hits - before.hits), (loads, hits));
    }
}

#[tokio::test]
async fn a_row_that_serde_cannot_copy_is_read_again() {
    let here = Here::with(&[PAGES]).await;
    page(1).insert(&here.orm).await.unwrap();
    let row = || Some(Stubborn { id: 1, body: Secret("page 1".into()) });
    let expected = [row(), None, row(), None, row()];
    let ids = [1, 2, 1, 2, 1];
    assert_eq!(Stubborn::fetch_many(&here.orm, ids).await.unwrap(), expected);
    let mut transaction = here.orm.begin().await.unwrap();
    assert_eq!(Stubborn::fetch_many(&mut transaction, ids).await.unwrap(), expected);
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn composite_keys_of_two_and_three_columns() {
    let here = Here::with(&[SEATS, TAGS]).await;
    let seat = |hall: &str, line, number| Seat {
        hall: hall.into(),
        line,
        number,
        guest: Some(format!("{hall} {line} {number}")),
    };
    let mut keys = Vec::new();
    for line in 0..10 {
        for number in 0..20 {
            keys.push(("A".to_owned(), line, number));
            // What is one key's part is not another's.
            keys.push((line.to_string(), i32::from(number), line as i16));
        }
    }
    for (hall, line, number) in keys.iter().filter(|key| key.1 % 2 == 0) {
        seat(hall, *line, *number).insert(&here.orm).await.unwrap();
        let key = (hall.clone(), *line, *number);
        if number % 2 == 0 {
            Seat::delete_cached_instance(&here.orm, key).await.unwrap();
        }
    }
    let expected: Vec<_> = keys
        .iter()
        .map(|(hall, line, number)| (line % 2 == 0).then(|| seat(hall, *line, *number)))
        .collect();
    for _ in 0..2 {
        assert_eq!(Seat::fetch_many(&here.orm, keys.clone()).await.unwrap(), expected);
    }
    let mut transaction = here.orm.begin().await.unwrap();
    assert_eq!(Seat::fetch_many(&mut transaction, keys).await.unwrap(), expected);
    transaction.commit().await.unwrap();

    let tags = [(1, "a"), (1, "b"), (2, "a")];
    let tags = tags.map(|(post, label)| Tag { post, label: label.into() });
    for tag in &tags {
        tag.insert(&here.orm).await.unwrap();
        Tag::delete_cached_instance(&here.orm, (tag.post, tag.label.clone())).await.unwrap();
    }
    let keys = [(2, "a"), (2, "b"), (1, "b"), (1, "a")].map(|(post, label)| (post, label.into()));
    let found = Tag::fetch_many(&here.orm, keys).await.unwrap();
    let [one_a, one_b, two_a] = tags.map(Some);
    assert_eq!(found, [two_a, None, one_b, one_a]);
}

#[tokio::test]
async fn keys_of_other_types() {
    let here = Here::with(&[BLOBS, VISITS]).await;
    let blobs = [vec![], vec![0], vec![0, 0], vec![0xFF; 300]];
    for hash in &blobs {
        Blob { hash: hash.clone(), size: hash.len() as i64 }.insert(&here.orm).await.unwrap();
        Blob::delete_cached_instance(&here.orm, hash.clone()).await.unwrap();
    }
    let asked = blobs.iter().cloned().chain([vec![1]]);
    let sizes: Vec<_> = Blob::fetch_many(&here.orm, asked).await.unwrap();
    let sizes: Vec<_> = sizes.into_iter().map(|blob| blob.map(|blob| blob.size)).collect();
    assert_eq!(sizes, [Some(0), Some(1), Some(2), Some(300), None]);

    let visitors = [Uuid::new_v4(), Uuid::new_v4()];
    let days = [1, 2, 3].map(|day| NaiveDate::from_ymd_opt(2024, 2, day).unwrap());
    let keys: Vec<_> =
        visitors.iter().flat_map(|&visitor| days.map(|day| (visitor, day))).collect();
    for (pages, &(visitor, day)) in (0..).zip(&keys) {
        Visit { visitor, day, pages }.insert(&here.orm).await.unwrap();
        Visit::delete_cached_instance(&here.orm, (visitor, day)).await.unwrap();
    }
    let found = Visit::fetch_many(&here.orm, keys.into_iter().rev()).await.unwrap();
    let pages: Vec<_> = found.into_iter().flatten().map(|visit| visit.pages).collect();
    assert_eq!(pages, [5, 4, 3, 2, 1, 0]);
}

#[tokio::test]
async fn two_rows_with_one_key_are_an_error() {
    let here = Here::with(&[SEATS]).await;
    let seat = |number| Seat { hall: "A".into(), line: 1, number, guest: None };
    seat(1).insert(&here.orm).await.unwrap();
    let key = |line| ("A".to_owned(), line);
    let one = Line { hall: "A".into(), line: 1, guest: None };
    assert_eq!(Line::fetch_many(&here.orm, [key(1), key(2)]).await.unwrap(), [Some(one), None]);
    // By this crate it would be refused: `Line` is on the table under another name.
    here.run("INSERT INTO seats (hall, line, number) VALUES ('A', 1, 2)").await;
    for line in [1, 2] {
        Line::delete_cached_instance(&here.orm, key(line)).await.unwrap();
    }
    for keys in [vec![key(1), key(2)], vec![key(1)]] {
        let error = Line::fetch_many(&here.orm, keys).await.unwrap_err();
        assert!(matches!(error, Error::MoreThanOneRow { .. }), "{error}");
        assert_eq!(error.to_string(), "fetch_many of Line: more than one row matches");
    }
    // The leases were given back.
    assert_eq!(Line::fetch_many(&here.orm, [key(2), key(3)]).await.unwrap(), [None, None]);
}
