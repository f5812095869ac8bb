//! Statements inside a transaction whose futures are dropped halfway.

use super::{Database, Here};
use crate::{
    databases::Kind,
    polling::cancelled,
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _, Result, Savepoint, Transaction};

/// sqlx's driver for MySQL loses its place in the answers of the server, so there
/// the connection is of no more use.
const CAN_GO_ON: bool = !matches!(Here::DATABASE, Kind::MariaDb);

async fn with_pages() -> Here {
    let here = Here::with(&[PAGES]).await;
    for id in 1..=2 {
        page(id, "old").insert(&here.orm).await.unwrap();
    }
    here
}

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

/// A transaction in which one row was updated and another statement cancelled.
async fn after_cancelled(
    here: &Here,
    statement: impl AsyncFn(&mut Transaction<Database>) -> Result<()>,
) -> Transaction<Database> {
    loop {
        let mut transaction = here.orm.begin().await.unwrap();
        page(1, "new").update(&mut transaction).await.unwrap();
        if cancelled(statement(&mut transaction)).await {
            return transaction;
        }
        transaction.rollback().await.unwrap();
    }
}

/// Cancels an update in a savepoint.
async fn cancelled_in(savepoint: &mut Savepoint<'_, Database>) -> bool {
    cancelled(page(2, "lost").update(savepoint)).await
}

async fn assert_bodies(here: &Here, bodies: [&str; 2]) {
    for (id, body) in (1..).zip(bodies) {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap().body, body);
        let stored = Page::fetch_uncached(&here.orm, id).await.unwrap();
        assert_eq!(stored.unwrap().body, body);
    }
    assert_eq!(Page::fetch(&here.orm, 3).await.unwrap(), None);
}

fn assert_half_done<T>(outcome: Result<T>) {
    match outcome {
        Err(Error::HalfDone { .. }) => {}
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("a transaction went on after a statement that was cancelled"),
    }
}

#[tokio::test]
async fn the_transaction_refuses_to_go_on_and_can_be_rolled_back() {
    let here = with_pages().await;
    let mut transaction = after_cancelled(&here, async |t| page(2, "new").update(t).await).await;
    assert_half_done(page(2, "new").update(&mut transaction).await);
    assert_half_done(page(2, "new").delete(&mut transaction).await);
    assert_half_done(page(3, "new").insert(&mut transaction).await);
    assert_half_done(Page::fetch(&mut transaction, 1).await);
    assert_half_done(transaction.savepoint().await.map(drop));
    transaction.rollback().await.unwrap();
    assert_bodies(&here, ["old", "old"]).await;
}

#[tokio::test]
async fn the_transaction_cannot_be_committed() {
    let here = with_pages().await;
    let update = after_cancelled(&here, async |t| page(2, "new").update(t).await).await;
    assert_half_done(update.commit().await);
    assert_bodies(&here, ["old", "old"]).await;
    let insert = after_cancelled(&here, async |t| page(3, "new").insert(t).await.map(drop)).await;
    assert_half_done(insert.commit().await);
    assert_bodies(&here, ["old", "old"]).await;
    let delete = after_cancelled(&here, async |t| page(2, "new").delete(t).await.map(drop)).await;
    assert_half_done(delete.commit().await);
    assert_bodies(&here, ["old", "old"]).await;
}

#[tokio::test]
async fn dropped_it_is_rolled_back_and_its_connection_does_no_harm() {
    let here = with_pages().await;
    for _ in 0..20 {
        drop(after_cancelled(&here, async |t| page(2, "new").update(t).await).await);
        drop(after_cancelled(&here, async |t| Page::fetch(t, 2).await.map(drop)).await);
    }
    assert_bodies(&here, ["old", "old"]).await;
    for round in 0..20 {
        let body = round.to_string();
        page(1, &body).update(&here.orm).await.unwrap();
        assert_bodies(&here, [&body, "old"]).await;
    }
}

#[tokio::test]
async fn a_savepoint_around_the_write_saves_the_transaction() {
    let here = with_pages().await;
    for drops in [false, true] {
        loop {
            let mut transaction = here.orm.begin().await.unwrap();
            page(1, "new").update(&mut transaction).await.unwrap();
            let mut savepoint = transaction.savepoint().await.unwrap();
            if !cancelled_in(&mut savepoint).await {
                drop(savepoint);
                transaction.rollback().await.unwrap();
                continue;
            }
            assert_half_done(page(2, "lost").update(&mut savepoint).await);
            let undone = if drops {
                drop(savepoint);
                Ok(())
            } else {
                savepoint.rollback().await
            };
            if CAN_GO_ON {
                undone.unwrap();
                assert_eq!(Page::fetch_one(&mut transaction, 2).await.unwrap().body, "old");
                transaction.commit().await.unwrap();
                assert_bodies(&here, ["new", "old"]).await;
            } else {
                assert_half_done(transaction.commit().await);
                assert_bodies(&here, ["old", "old"]).await;
            }
            break;
        }
    }
}

#[tokio::test]
async fn a_savepoint_that_is_kept_does_not_hide_a_write_that_was_cancelled_in_it() {
    let here = with_pages().await;
    loop {
        let mut transaction = here.orm.begin().await.unwrap();
        let mut savepoint = transaction.savepoint().await.unwrap();
        let in_time = cancelled_in(&mut savepoint).await;
        let kept = savepoint.commit().await;
        if in_time {
            // Whether it could be kept or not.
            drop(kept);
            assert_half_done(transaction.commit().await);
            break;
        }
        transaction.rollback().await.unwrap();
    }
    assert_bodies(&here, ["old", "old"]).await;
}

#[tokio::test]
async fn a_read_that_was_cancelled_does_no_harm() {
    let here = with_pages().await;
    let mut transaction = after_cancelled(&here, async |t| Page::fetch(t, 2).await.map(drop)).await;
    if CAN_GO_ON {
        page(2, "new").update(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
        assert_bodies(&here, ["new", "new"]).await;
    } else {
        assert_half_done(page(2, "new").update(&mut transaction).await);
        assert_half_done(transaction.commit().await);
        assert_bodies(&here, ["old", "old"]).await;
    }
}
