//! "No row has this value", until one has.

use super::Here;
use crate::members::{BADGES, Badge, MEMBERS, Member};
use cached_orm::MemcachedOrm as _;

const EMAIL: &str = "ann@example.org";

async fn by_email(here: &Here) -> Option<i64> {
    Member::fetch_by_email(&here.orm, EMAIL).await.unwrap().map(|row| row.id)
}

/// A place where it is remembered that nobody has the address, nor lives there.
async fn without_ann() -> Here {
    let here = Here::with(&[MEMBERS]).await;
    let mut since = here.statistics();
    for _ in 0..3 {
        assert_eq!(by_email(&here).await, None);
        assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap(), []);
    }
    assert_eq!(here.loads_since(&mut since), 2);
    here
}

fn ann() -> Member {
    Member::of("ann", "Rome")
}

#[tokio::test]
async fn an_insert_makes_it_untrue() {
    let here = without_ann().await;
    let ann = ann().insert(&here.orm).await.unwrap();
    for _ in 0..2 {
        assert_eq!(by_email(&here).await, Some(ann.id));
        assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap(), std::slice::from_ref(&ann));
    }
}

#[tokio::test]
async fn an_update_of_another_row_makes_it_untrue() {
    let here = without_ann().await;
    let mut bob = Member::named("bob").insert(&here.orm).await.unwrap();
    assert_eq!(by_email(&here).await, None);
    bob.email = Some(EMAIL.into());
    bob.city = Some("Rome".into());
    bob.update(&here.orm).await.unwrap();
    assert_eq!(by_email(&here).await, Some(bob.id));
    assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap(), [bob]);
}

#[tokio::test]
async fn a_transaction_makes_it_untrue_when_it_commits() {
    let here = without_ann().await;
    let mut transaction = here.orm.begin().await.unwrap();
    let ann = ann().insert(&mut transaction).await.unwrap();
    assert_eq!(by_email(&here).await, None);
    transaction.commit().await.unwrap();
    for _ in 0..2 {
        assert_eq!(by_email(&here).await, Some(ann.id));
        assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap(), std::slice::from_ref(&ann));
    }
}

#[tokio::test]
async fn what_is_rolled_back_leaves_it_true() {
    let here = without_ann().await;
    let mut transaction = here.orm.begin().await.unwrap();
    ann().insert(&mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    ann().insert(&mut savepoint).await.unwrap();
    savepoint.rollback().await.unwrap();
    Member::named("bob").insert(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let mut since = here.statistics();
    assert_eq!(by_email(&here).await, None);
    assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap(), []);
    assert_eq!(here.loads_since(&mut since), 0);
}

#[tokio::test]
async fn a_savepoint_that_is_kept_counts() {
    let here = without_ann().await;
    let mut transaction = here.orm.begin().await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    let ann = ann().insert(&mut savepoint).await.unwrap();
    savepoint.commit().await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(by_email(&here).await, Some(ann.id));
}

#[tokio::test]
async fn a_write_in_the_callers_own_transaction_makes_it_untrue() {
    let here = without_ann().await;
    let mut transaction = here.orm.pool().begin().await.unwrap();
    let (ann, pending) = ann().insert_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    fenced.release().await;
    assert_eq!(by_email(&here).await, Some(ann.id));
    assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap(), [ann]);
}

#[tokio::test]
async fn it_is_not_remembered_where_that_is_off() {
    let here = Here::with(&[BADGES]).await;
    let mut since = here.statistics();
    for _ in 0..2 {
        assert_eq!(Badge::fetch_by_code(&here.orm, "x").await.unwrap(), None);
        assert_eq!(Badge::fetch_by_color(&here.orm, "red").await.unwrap(), []);
    }
    assert_eq!(here.loads_since(&mut since), 4);
    let badge = Badge { id: 1, code: "x".into(), color: "red".into() };
    let badge = badge.insert(&here.orm).await.unwrap();
    assert_eq!(Badge::fetch_by_code(&here.orm, "x").await.unwrap(), Some(badge));
}
