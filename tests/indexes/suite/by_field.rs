//! `fetch_by_field` of columns that have an index to themselves.

use super::Here;
use crate::members::{BADGES, Badge, BadgeColumns, MEMBERS, Member, MemberColumns};
use cached_orm::{Error, MemcachedOrm as _};

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
async fn null_equals_nothing_and_costs_nothing() {
    let here = Here::with(&[MEMBERS]).await;
    Member { email: None, ..Member::named("ann") }.insert(&here.orm).await.unwrap();
    let mut since = here.statistics();
    let one = Member::fetch_by_field(&here.orm, MemberColumns::EMAIL, None).await.unwrap();
    assert_eq!(one, None);
    let all = Member::fetch_all_by_field(&here.orm, MemberColumns::CITY, None).await.unwrap();
    assert_eq!(all, []);
    assert_eq!(here.loads_since(&mut since), 0);
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
