//! `fetch_by_field` of columns that have an index to themselves.

use super::Here;
use crate::members::{BADGES, Badge, BadgeColumns, MEMBERS, Member, MemberColumns};
use cached_orm::{Error, MemcachedOrm as _};
use std::slice::from_ref;

#[tokio::test]
async fn by_an_indexed_column_it_is_a_cached_read() {
    let here = Here::with(&[MEMBERS]).await;
    let ann = Member::of("ann", "Rome").insert(&here.orm).await.unwrap();
    let (email, city) = (MemberColumns::EMAIL, MemberColumns::CITY);
    let fetch = async || {
        let address = ann.email.clone();
        let one = Member::fetch_by_field(&here.orm, email, address.clone()).await.unwrap();
        assert_eq!(one.as_ref(), Some(&ann));
        let all = Member::fetch_all_by_field(&here.orm, email, address).await.unwrap();
        assert_eq!(all, std::slice::from_ref(&ann));
        let one = Member::fetch_by_field(&here.orm, city, "Rome".to_owned()).await.unwrap();
        assert_eq!(one.as_ref(), Some(&ann));
        let all = Member::fetch_all_by_field(&here.orm, city, "Rome".to_owned()).await.unwrap();
        assert_eq!(all, std::slice::from_ref(&ann));
    };
    fetch().await;
    let mut since = here.statistics();
    fetch().await;
    assert_eq!(here.loads_since(&mut since), 0);
}

#[tokio::test]
async fn null_is_in_no_index_and_the_database_finds_it() {
    let here = Here::with(&[MEMBERS]).await;
    let (email, city) = (MemberColumns::EMAIL, MemberColumns::CITY);
    assert_eq!(Member::fetch_by_field(&here.orm, email, None).await.unwrap(), None);
    Member::of("bob", "Lima").insert(&here.orm).await.unwrap();
    let nowhere = Member { email: None, city: None, ..Member::named("ann") };
    let nowhere = nowhere.insert(&here.orm).await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    for _ in 0..2 {
        let one = Member::fetch_by_field(&here.orm, email, None).await.unwrap();
        assert_eq!(one.as_ref(), Some(&nowhere));
        let all = Member::fetch_all_by_field(&here.orm, city, None).await.unwrap();
        assert_eq!(all, from_ref(&nowhere));
        let all = Member::fetch_all_by_field(&mut transaction, city, None).await.unwrap();
        assert_eq!(all, from_ref(&nowhere));
    }
    transaction.rollback().await.unwrap();
    let other = Member { email: None, city: None, ..Member::named("eve") };
    other.insert(&here.orm).await.unwrap();
    let error = Member::fetch_by_field(&here.orm, email, None).await.unwrap_err();
    assert!(matches!(error, Error::MoreThanOneRow { .. }), "{error}");
}

#[tokio::test]
async fn several_rows_are_an_error_to_the_one_and_a_list_to_the_other() {
    let here = Here::with(&[BADGES]).await;
    here.run("INSERT INTO badges VALUES (2, 'x', 'red'), (1, 'y', 'red'), (3, 'z', 'blue')").await;
    for _ in 0..2 {
        let error = Badge::fetch_by_field(&here.orm, BadgeColumns::COLOR, "red").await.unwrap_err();
        assert!(matches!(error, Error::MoreThanOneRow { .. }), "{error}");
        let all = Badge::fetch_all_by_field(&here.orm, BadgeColumns::COLOR, "red").await.unwrap();
        assert_eq!(all.iter().map(|badge| badge.id).collect::<Vec<_>>(), [1, 2]);
        let one = Badge::fetch_by_field(&here.orm, BadgeColumns::COLOR, "blue").await.unwrap();
        assert_eq!(one.map(|badge| badge.id), Some(3));
    }
}
