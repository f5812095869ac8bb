//! SQL of the caller's own, and the methods that tell the cache of it.

use super::Here;
use crate::{
    documents::{PLAYERS, Player},
    sessions::Where,
    tables::people::{PAGES, Page},
};
use cached_orm::{MemcachedOrm as _, Statistics};
use sqlx::{AssertSqlSafe, Executor as _};

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

#[tokio::test]
async fn rows_that_are_invalidated_are_read_anew() {
    let here = Here::with(&[PAGES]).await;
    let pages: Vec<_> = (0..600).map(|id| page(id, "old")).collect();
    Page::insert_many(&here.orm, &pages).await.unwrap();
    Page::fetch(&here.orm, 1_000).await.unwrap();
    here.run("UPDATE pages SET body = 'new'; INSERT INTO pages VALUES (1000, 'new')").await;
    Page::invalidate(&here.orm, (0..600).chain([1_000, 5, 5])).await.unwrap();
    for id in (0..600).chain([1_000]) {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), page(id, "new"));
    }
    let before: Statistics = here.statistics();
    Page::invalidate(&here.orm, []).await.unwrap();
    assert_eq!(here.statistics(), before);
    // They are cached again.
    let mut since = here.statistics();
    assert_eq!(Page::fetch_one(&here.orm, 7).await.unwrap(), page(7, "new"));
    assert_eq!(here.loads_since(&mut since), 0);
}

#[tokio::test]
async fn a_touched_row_is_fenced_with_the_transaction() {
    let here = Here::with(&[PAGES]).await;
    for place in [Where::Transaction, Where::Savepoint] {
        page(1, "old").upsert(&here.orm).await.unwrap();
        let fences = here.statistics().fences;
        macro_rules! change {
            ($session:ident) => {{
                assert!($session.touch::<Page>(1).await.unwrap());
                assert!(!$session.touch::<Page>(2).await.unwrap());
                $session.execute("UPDATE pages SET body = 'new' WHERE id = 1").await.unwrap();
                $session.execute("INSERT INTO pages VALUES (3, 'new')").await.unwrap();
                assert!($session.touch::<Page>(3).await.unwrap());
                assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(1, "old"));
                assert_eq!(Page::fetch(&here.orm, 3).await.unwrap(), None);
            }};
        }
        match place {
            Where::Savepoint => in_savepoint!(here, |session| change!(session)),
            _ => in_transaction!(here, |session| change!(session)),
        }
        assert_eq!(here.statistics().fences, fences + 2);
        for _ in 0..2 {
            assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(1, "new"));
            assert_eq!(Page::fetch_one(&here.orm, 3).await.unwrap(), page(3, "new"));
        }
        Page::delete_by_key(&here.orm, 3).await.unwrap();
    }
    page(1, "old").upsert(&here.orm).await.unwrap();
    let fences = here.statistics().fences;
    undone!(here, |session| assert!(session.touch::<Page>(1).await.unwrap()));
    assert_eq!(here.statistics().fences, fences);
}

/// Whoever wants to write a touched row waits.
#[tokio::test]
async fn a_touched_row_is_locked() {
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    assert!(transaction.touch::<Page>(1).await.unwrap());
    let orm = here.orm.clone();
    let other = tokio::spawn(async move { page(1, "theirs").update(&orm).await.unwrap() });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(!other.is_finished());
    transaction.execute("UPDATE pages SET body = 'mine' WHERE id = 1").await.unwrap();
    transaction.commit().await.unwrap();
    other.await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(1, "theirs"));
}

#[tokio::test]
async fn touched_before_and_after_the_entries_of_indexes_follow() {
    let here = Here::with(&[PLAYERS]).await;
    Player::new(1, 1).insert(&here.orm).await.unwrap();
    let moved = Player { name: "Ann".into(), ..Player::new(1, 2) };
    for place in [Where::Transaction, Where::Savepoint] {
        let before = Player::fetch_one(&here.orm, 1).await.unwrap();
        let after = Player { team: before.team + 1, name: format!("{place:?}"), ..moved.clone() };
        assert_eq!(Player::fetch_by_team(&here.orm, before.team).await.unwrap().len(), 1);
        assert_eq!(Player::fetch_by_team(&here.orm, after.team).await.unwrap(), []);
        assert_eq!(Player::fetch_by_name(&here.orm, after.name.as_str()).await.unwrap(), None);
        let sql = format!(
            "UPDATE players SET team = {}, name = '{}' WHERE id = 1",
            after.team, after.name
        );
        macro_rules! change {
            ($session:ident) => {{
                assert!($session.touch::<Player>(1).await.unwrap());
                $session.execute(AssertSqlSafe(sql)).await.unwrap();
                assert!($session.touch::<Player>(1).await.unwrap());
            }};
        }
        match place {
            Where::Savepoint => in_savepoint!(here, |session| change!(session)),
            _ => in_transaction!(here, |session| change!(session)),
        }
        assert_eq!(Player::fetch_by_team(&here.orm, before.team).await.unwrap(), []);
        let there = Player::fetch_by_team(&here.orm, after.team).await.unwrap();
        assert_eq!(there, std::slice::from_ref(&after));
        let found = Player::fetch_by_name(&here.orm, after.name.as_str()).await.unwrap();
        assert_eq!(found, Some(after));
    }
}

#[tokio::test]
async fn a_row_that_is_deleted_after_it_was_touched_is_gone() {
    let here = Here::with(&[PLAYERS]).await;
    Player::new(1, 1).insert(&here.orm).await.unwrap();
    assert_eq!(Player::fetch_by_team(&here.orm, 1).await.unwrap().len(), 1);
    let mut transaction = here.orm.begin().await.unwrap();
    assert!(transaction.touch::<Player>(1).await.unwrap());
    transaction.execute("DELETE FROM players").await.unwrap();
    assert!(!transaction.touch::<Player>(1).await.unwrap());
    transaction.commit().await.unwrap();
    assert_eq!(Player::fetch(&here.orm, 1).await.unwrap(), None);
    assert_eq!(Player::fetch_by_team(&here.orm, 1).await.unwrap(), []);
}
