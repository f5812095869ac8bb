//! Rows by a value that several of them have.

use super::{Database, Here};
use crate::members::{MEMBERS, Member, SEATS, Seat};
use cached_orm::{MemcachedOrm as _, Orm};

async fn names(orm: &Orm<Database>, city: &str) -> Vec<String> {
    let found = Member::fetch_by_city(orm, city).await.unwrap();
    assert!(found.is_sorted_by_key(|member| member.id), "{found:?}");
    found.into_iter().map(|member| member.handle).collect()
}

async fn in_rome(here: &Here) -> Vec<String> {
    // Twice: as it is loaded, and as it is cached.
    let loaded = names(&here.orm, "Rome").await;
    assert_eq!(names(&here.orm, "Rome").await, loaded);
    loaded
}

/// Ann and Bob live in Rome, Cid in Oslo.
async fn with_three() -> (Here, Member, Member, Member) {
    let here = Here::with(&[MEMBERS]).await;
    let ann = Member::of("ann", "Rome").insert(&here.orm).await.unwrap();
    let bob = Member::of("bob", "Rome").insert(&here.orm).await.unwrap();
    let cid = Member::of("cid", "Oslo").insert(&here.orm).await.unwrap();
    assert_eq!(in_rome(&here).await, ["ann", "bob"]);
    (here, ann, bob, cid)
}

#[tokio::test]
async fn a_list_that_is_cached_costs_no_load() {
    let (here, ann, bob, _) = with_three().await;
    let mut since = here.statistics();
    for _ in 0..3 {
        let found = Member::fetch_by_city(&here.orm, "Rome").await.unwrap();
        assert_eq!(found, [ann.clone(), bob.clone()]);
    }
    assert_eq!(here.loads_since(&mut since), 0);
    let found = Member::fetch_by_team_and_city(&here.orm, 1, "Rome").await.unwrap();
    assert_eq!(found, [ann, bob]);
    assert_eq!(here.loads_since(&mut since), 1);
}

#[tokio::test]
async fn rows_that_come_and_go_are_seen() {
    let (here, mut ann, bob, mut cid) = with_three().await;
    let dan = Member::of("dan", "Rome").insert(&here.orm).await.unwrap();
    assert_eq!(in_rome(&here).await, ["ann", "bob", "dan"]);
    cid.city = Some("Rome".into());
    cid.update(&here.orm).await.unwrap();
    assert_eq!(in_rome(&here).await, ["ann", "bob", "cid", "dan"]);
    assert_eq!(names(&here.orm, "Oslo").await, [""; 0]);
    ann.city = None;
    ann.update(&here.orm).await.unwrap();
    assert_eq!(in_rome(&here).await, ["bob", "cid", "dan"]);
    assert!(bob.delete(&here.orm).await.unwrap());
    assert!(dan.delete(&here.orm).await.unwrap());
    assert_eq!(in_rome(&here).await, ["cid"]);
    // Nothing was cached that was untrue.
    assert_eq!(here.statistics().misled, 0);
}

#[tokio::test]
async fn another_column_that_changes_leaves_the_lists_and_changes_the_rows() {
    let (here, mut ann, _, _) = with_three().await;
    ann.note = "moved house".into();
    ann.update(&here.orm).await.unwrap();
    let mut since = here.statistics();
    let found = Member::fetch_by_city(&here.orm, "Rome").await.unwrap();
    assert_eq!(found[0], ann);
    assert_eq!(here.loads_since(&mut since), 0);
}

#[tokio::test]
async fn what_is_rolled_back_changes_no_list() {
    let (here, mut ann, bob, _) = with_three().await;
    let mut transaction = here.orm.begin().await.unwrap();
    ann.city = Some("Oslo".into());
    ann.update(&mut transaction).await.unwrap();
    Member::of("dan", "Rome").insert(&mut transaction).await.unwrap();
    let inside = Member::fetch_by_city(&mut transaction, "Rome").await.unwrap();
    assert_eq!(inside.iter().map(|row| row.handle.as_str()).collect::<Vec<_>>(), ["bob", "dan"]);
    assert_eq!(in_rome(&here).await, ["ann", "bob"]);
    transaction.rollback().await.unwrap();
    assert_eq!(in_rome(&here).await, ["ann", "bob"]);

    let mut transaction = here.orm.begin().await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    assert!(bob.delete(&mut savepoint).await.unwrap());
    savepoint.rollback().await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    Member::of("eve", "Rome").insert(&mut savepoint).await.unwrap();
    savepoint.commit().await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(in_rome(&here).await, ["ann", "bob", "eve"]);
}

#[tokio::test]
async fn a_part_of_the_primary_key_can_be_indexed() {
    let here = Here::with(&[SEATS]).await;
    for (hall, number) in [(1, 3), (1, 1), (2, 1), (1, 2)] {
        Seat { hall, number, guest: None }.insert(&here.orm).await.unwrap();
    }
    let numbers = async || {
        let found = Seat::fetch_by_hall(&here.orm, 1).await.unwrap();
        found.iter().map(|seat| seat.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers().await, [1, 2, 3]);
    assert_eq!(numbers().await, [1, 2, 3]);
    Seat { hall: 1, number: 0, guest: None }.insert(&here.orm).await.unwrap();
    assert_eq!(numbers().await, [0, 1, 2, 3]);
}
