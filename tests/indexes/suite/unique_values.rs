//! Rows by values that no two of them have.

use super::Here;
use crate::{
    databases::Kind,
    members::{BADGES, Badge, MEMBERS, Member, SEATS, Seat},
};
use cached_orm::{Error, MemcachedOrm as _};

async fn by_email(here: &Here, email: &str) -> Option<Member> {
    Member::fetch_by_email(&here.orm, email).await.unwrap()
}

async fn with_ann() -> (Here, Member) {
    let here = Here::with(&[MEMBERS]).await;
    let ann = Member::named("ann").insert(&here.orm).await.unwrap();
    (here, ann)
}

#[tokio::test]
async fn a_row_is_found_by_each_of_its_unique_values_and_then_in_the_cache() {
    let (here, ann) = with_ann().await;
    let fetch = async || {
        assert_eq!(by_email(&here, "ann@example.org").await.as_ref(), Some(&ann));
        let found = Member::fetch_by_team_and_handle(&here.orm, 1, "ann").await.unwrap();
        assert_eq!(found.as_ref(), Some(&ann));
    };
    // What a write of its own has put there is of use at once.
    let mut since = here.statistics();
    fetch().await;
    assert_eq!(here.loads_since(&mut since), 0);
}

#[tokio::test]
async fn what_was_not_cached_is_loaded_once() {
    let here = Here::with(&[MEMBERS]).await;
    here.run("INSERT INTO members (team, handle, email, note) VALUES (1, 'bob', 'b@b', '')").await;
    let mut since = here.statistics();
    assert_eq!(by_email(&here, "b@b").await.map(|bob| bob.handle).as_deref(), Some("bob"));
    // The value's entry is filled, and the row's is not: its key was not known
    // before the load.
    assert_eq!(here.loads_since(&mut since), 1);
    assert!(by_email(&here, "b@b").await.is_some());
    assert_eq!(here.loads_since(&mut since), 1);
    for _ in 0..3 {
        assert!(by_email(&here, "b@b").await.is_some());
    }
    assert_eq!(here.loads_since(&mut since), 0);
}

#[tokio::test]
async fn half_of_a_composite_value_is_another_value() {
    let (here, ann) = with_ann().await;
    let by = async |team: i32, handle: &str| {
        Member::fetch_by_team_and_handle(&here.orm, team, handle).await.unwrap()
    };
    assert_eq!(by(2, "ann").await, None);
    assert_eq!(by(1, "an").await, None);
    let namesake = Member { team: 2, email: None, ..Member::named("ann") };
    let namesake = namesake.insert(&here.orm).await.unwrap();
    assert_eq!(by(1, "ann").await, Some(ann));
    assert_eq!(by(2, "ann").await, Some(namesake));
}

#[tokio::test]
async fn a_pointer_to_a_row_that_has_moved_on_is_replaced() {
    let (here, mut ann) = with_ann().await;
    assert!(by_email(&here, "ann@example.org").await.is_some());
    ann.email = Some("anna@example.org".into());
    ann.update(&here.orm).await.unwrap();

    let before = here.statistics();
    assert_eq!(by_email(&here, "ann@example.org").await, None);
    let healed = here.statistics();
    assert_eq!((healed.misled - before.misled, healed.loads - before.loads), (1, 1));
    assert_eq!(by_email(&here, "ann@example.org").await, None);
    assert_eq!(by_email(&here, "anna@example.org").await.as_ref(), Some(&ann));
    let after = here.statistics();
    assert_eq!((after.misled, after.loads), (healed.misled, healed.loads));

    assert!(ann.delete(&here.orm).await.unwrap());
    assert_eq!(by_email(&here, "anna@example.org").await, None);
    assert_eq!(here.statistics().misled, after.misled + 1);
}

#[tokio::test]
async fn two_rows_that_swap_their_values_are_told_apart() {
    let (here, mut ann) = with_ann().await;
    let mut bob = Member::named("bob").insert(&here.orm).await.unwrap();
    for name in ["ann", "bob"] {
        assert_eq!(by_email(&here, &format!("{name}@example.org")).await.unwrap().handle, name);
    }
    std::mem::swap(&mut ann.email, &mut bob.email);
    let mut transaction = here.orm.begin().await.unwrap();
    Member { email: None, ..ann.clone() }.update(&mut transaction).await.unwrap();
    bob.update(&mut transaction).await.unwrap();
    ann.update(&mut transaction).await.unwrap();
    // As the transaction sees it, and as others do.
    let inside = Member::fetch_by_email(&mut transaction, "ann@example.org").await.unwrap();
    assert_eq!(inside.map(|row| row.handle).as_deref(), Some("bob"));
    if crate::databases::Kind::Sqlite != Here::DATABASE {
        assert_eq!(by_email(&here, "ann@example.org").await.unwrap().handle, "ann");
    }
    transaction.commit().await.unwrap();
    for _ in 0..2 {
        assert_eq!(by_email(&here, "ann@example.org").await.unwrap().handle, "bob");
        assert_eq!(by_email(&here, "bob@example.org").await.unwrap().handle, "ann");
    }
}

#[tokio::test]
async fn null_is_not_in_the_index() {
    let here = Here::with(&[MEMBERS]).await;
    for name in ["ann", "bob"] {
        Member { email: None, ..Member::named(name) }.insert(&here.orm).await.unwrap();
    }
    let mut ann = Member::fetch_by_team_and_handle(&here.orm, 1, "ann").await.unwrap().unwrap();
    assert_eq!(by_email(&here, "").await, None);
    ann.email = Some(String::new());
    ann.update(&here.orm).await.unwrap();
    assert_eq!(by_email(&here, "").await, Some(ann.clone()));
    ann.email = None;
    ann.update(&here.orm).await.unwrap();
    assert_eq!(by_email(&here, "").await, None);
}

#[tokio::test]
async fn hostile_values_are_values() {
    let here = Here::with(&[MEMBERS]).await;
    let long = "x".repeat(190);
    let mut values = vec![
        "", " ", "  ", "a ", " a", "A", "a", "NULL", ")(", "(1)", "%28", "'", "\\'", "\"; --", "a:b", ",",
        "\r\nflush_all\r\n", "\t", "é", "e\u{301}", "\u{1F980}", &long,
    ];
    let other_end = format!("{}y", &long[1..]);
    values.push(&other_end);
    let mut transaction = here.orm.begin().await.unwrap();
    for value in &values {
        let row = Member { email: Some((*value).to_owned()), ..Member::named(value) };
        row.insert(&mut transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
    // First both values are loaded, then the row that they point to, then nothing.
    for loads in [2, 1, 0] {
        let mut since = here.statistics();
        for value in &values {
            let row = Member::fetch_by_email(&here.orm, *value).await.unwrap();
            assert_eq!(row.unwrap().handle, *value);
            let row = Member::fetch_by_team_and_handle(&here.orm, 1, *value).await.unwrap();
            assert_eq!(row.unwrap().email.as_deref(), Some(*value));
        }
        assert_eq!(here.loads_since(&mut since), loads * values.len() as u64);
    }
}

#[tokio::test]
async fn two_rows_with_one_value_are_an_error_that_says_so() {
    let here = Here::with(&[BADGES]).await;
    // Without the index the struct would be refused. It goes while programs run.
    assert_eq!(Badge::fetch_by_code(&here.orm, "x").await.unwrap(), None);
    here.run(match Here::DATABASE {
        Kind::MariaDb => "DROP INDEX badges_by_code ON badges",
        _ => "DROP INDEX badges_by_code",
    })
    .await;
    here.run("INSERT INTO badges VALUES (1, 'x', 'red'), (2, 'x', 'red'), (3, 'y', 'red')").await;
    for _ in 0..2 {
        let error = Badge::fetch_by_code(&here.orm, "x").await.unwrap_err();
        assert!(matches!(error, Error::MoreThanOneRow { .. }), "{error}");
        assert_eq!(error.to_string(), "fetch_by_code of Badge: more than one row matches");
    }
    let mut transaction = here.orm.begin().await.unwrap();
    let error = Badge::fetch_by_code(&mut transaction, "x").await.unwrap_err();
    assert!(matches!(error, Error::MoreThanOneRow { .. }), "{error}");
    assert!(Badge::fetch_by_code(&mut transaction, "y").await.unwrap().is_some());
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn a_composite_primary_key_is_pointed_to() {
    let here = Here::with(&[SEATS]).await;
    let mut seat = Seat { hall: 1, number: 2, guest: Some(7) }.insert(&here.orm).await.unwrap();
    let mut since = here.statistics();
    assert_eq!(Seat::fetch_by_guest(&here.orm, 7).await.unwrap().as_ref(), Some(&seat));
    assert_eq!(here.loads_since(&mut since), 0);
    seat.guest = Some(8);
    seat.update(&here.orm).await.unwrap();
    assert_eq!(Seat::fetch_by_guest(&here.orm, 7).await.unwrap(), None);
    assert_eq!(Seat::fetch_by_guest(&here.orm, 8).await.unwrap(), Some(seat));
}

#[tokio::test]
async fn a_transaction_asks_the_database_and_leaves_the_cache_alone() {
    let here = Here::with(&[MEMBERS]).await;
    let mut transaction = here.orm.begin().await.unwrap();
    let mut ann = Member::named("ann").insert(&mut transaction).await.unwrap();
    let found = Member::fetch_by_email(&mut transaction, "ann@example.org").await.unwrap();
    assert_eq!(found.as_ref(), Some(&ann));
    let mut savepoint = transaction.savepoint().await.unwrap();
    ann.email = Some("a@a".into());
    ann.update(&mut savepoint).await.unwrap();
    assert!(Member::fetch_by_email(&mut savepoint, "a@a").await.unwrap().is_some());
    savepoint.rollback().await.unwrap();
    assert!(Member::fetch_by_email(&mut transaction, "a@a").await.unwrap().is_none());
    transaction.rollback().await.unwrap();
    assert_eq!(here.statistics().fills, 0);
    assert_eq!(by_email(&here, "ann@example.org").await, None);
}

#[tokio::test]
async fn taking_the_row_out_of_the_cache_leaves_the_pointer_which_is_good() {
    let (here, mut ann) = with_ann().await;
    Member::delete_cached_instance(&here.orm, ann.id).await.unwrap();
    let mut since = here.statistics();
    assert_eq!(by_email(&here, "ann@example.org").await.as_ref(), Some(&ann));
    // The row, by its key.
    assert_eq!(here.loads_since(&mut since), 1);
    assert!(Member::get_cached_instance(&here.orm, ann.id).await.unwrap().is_some());
    ann.refresh(&here.orm).await.unwrap();
    here.loads_since(&mut since);
    assert_eq!(by_email(&here, "ann@example.org").await, Some(ann));
    assert_eq!(here.loads_since(&mut since), 0);
}
