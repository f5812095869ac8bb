//! Commits and whole writes whose futures are dropped at some point.

use super::Here;
use crate::{
    polling::{cancel_after, until},
    tables::people::{PAGES, Page},
};
use cached_orm::MemcachedOrm as _;

/// From nothing at all to a commit that is through.
const POINTS: [usize; 12] = [0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30];

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

/// Waits until no other transaction has the row, and says what the row is then.
async fn at_rest(here: &Here) -> String {
    let mut transaction = here.orm.begin().await.unwrap();
    // The lock without the library, which shall have nothing to do with it.
    let lock = sqlx::query("UPDATE pages SET id = id WHERE id = 1");
    lock.execute(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    Page::fetch_uncached(&here.orm, 1).await.unwrap().expect("the row is there").body
}

#[tokio::test]
async fn a_commit_ends_one_way_or_the_other_and_the_cache_agrees() {
    let here = Here::with(&[PAGES]).await;
    let mut expected = "0".to_owned();
    page(1, &expected).insert(&here.orm).await.unwrap();
    for (round, polls) in (1..).zip(POINTS) {
        Page::fetch(&here.orm, 1).await.unwrap();
        let body = format!("{round}");
        let mut transaction = here.orm.begin().await.unwrap();
        page(1, &body).update(&mut transaction).await.unwrap();
        let finished = cancel_after(polls, transaction.commit()).await;
        if let Some(outcome) = &finished {
            outcome.as_ref().unwrap();
        }

        let now = at_rest(&here).await;
        if polls == 0 {
            assert_eq!(now, expected, "a commit that was never polled");
        } else {
            // Its task goes on without it.
            assert_eq!(now, body, "a commit that was polled {polls} times");
        }
        expected = now;
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, expected);
        until("the fence is released and the row is cached again", async || {
            let row = Page::fetch_one(&here.orm, 1).await.unwrap();
            assert_eq!(row.body, expected);
            Page::get_cached_instance(&here.orm, 1).await.unwrap().is_some()
        })
        .await;
    }
}

#[tokio::test]
async fn an_update_of_its_own_ends_one_way_or_the_other_and_the_cache_agrees() {
    let here = Here::with(&[PAGES]).await;
    let mut before = "0".to_owned();
    page(1, &before).insert(&here.orm).await.unwrap();
    for (round, polls) in (1..).zip(POINTS) {
        Page::fetch(&here.orm, 1).await.unwrap();
        let body = format!("{round}");
        let mut row = page(1, &body);
        let finished = cancel_after(polls, row.update(&here.orm)).await;
        let now = at_rest(&here).await;
        match finished {
            Some(outcome) => {
                outcome.unwrap();
                assert_eq!(now, body);
            }
            None => assert!(now == body || now == before, "{now}"),
        }
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, now);
        before = now;
    }
}

#[tokio::test]
async fn a_reader_who_goes_away_does_no_harm_to_others() {
    let here = Here::with(&[PAGES]).await;
    page(1, "row").insert(&here.orm).await.unwrap();
    for polls in POINTS {
        Page::delete_cached_instance(&here.orm, 1).await.unwrap();
        cancel_after(polls, Page::fetch(&here.orm, 1)).await;
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "row");
        until("the row is cached", async || {
            Page::fetch(&here.orm, 1).await.unwrap();
            Page::get_cached_instance(&here.orm, 1).await.unwrap().is_some()
        })
        .await;
    }
}
