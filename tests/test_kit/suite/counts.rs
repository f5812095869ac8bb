//! What was sent.

use super::Here;
use crate::tables::people::{PAGES, Page};
use cached_orm::{MemcachedOrm as _, Session, test_kit::TestKit};

async fn place(kit: &TestKit) -> Here {
    let here = Here::built(&[PAGES], |builder| builder.test_kit(kit)).await;
    here.run("INSERT INTO pages VALUES (1, 'one'), (2, 'two'), (3, 'three')").await;
    here
}

#[tokio::test]
async fn a_loop_of_reads_is_told_from_a_batch() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    for id in 1..=3 {
        Page::fetch_one(&here.orm, id).await.unwrap();
    }
    let counts = kit.counts();
    assert_eq!((counts.statements, counts.gets, counts.replaces), (3, 3, 3));

    kit.cache().flush().await.unwrap();
    kit.reset_counts();
    Page::fetch_many(&here.orm, 1..=3).await.unwrap();
    let counts = kit.counts();
    assert_eq!((counts.statements, counts.gets, counts.replaces), (1, 3, 3));

    kit.reset_counts();
    Page::fetch_many(&here.orm, 1..=3).await.unwrap();
    let counts = kit.counts();
    assert_eq!((counts.statements, counts.commands()), (0, 3), "hits");
}

#[tokio::test]
async fn a_write_counts_its_statements_and_its_fence() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    Page::delete_by_key(&here.orm, 1).await.unwrap();
    let alone = kit.counts();
    assert_eq!((alone.gets, alone.fences, alone.replaces, alone.deletes), (0, 1, 0, 1));
    assert!(alone.statements > 0);

    // In a transaction reads count too, and cost no command.
    kit.reset_counts();
    let mut transaction = here.orm.begin().await.unwrap();
    for id in 2..=3 {
        exists(&mut transaction, id).await;
    }
    transaction.commit().await.unwrap();
    let counts = kit.counts();
    assert_eq!((counts.statements, counts.commands()), (2, 0));
}

async fn exists<S: Session<Database = super::Database>>(db: S, id: i64) {
    assert!(Page::fetch(db, id).await.unwrap().is_some());
}

#[tokio::test]
async fn two_handles_may_have_one_kit() {
    let kit = TestKit::new();
    let here = place(&kit).await;
    let other = here.handle(|builder| builder.test_kit(&kit)).await;
    Page::fetch_one(&here.orm, 1).await.unwrap();
    Page::fetch_one(&other, 1).await.unwrap();
    assert_eq!(kit.counts().gets, 2);

    let apart = TestKit::new();
    let third = here.handle(|builder| builder.test_kit(&apart)).await;
    Page::fetch_one(&third, 1).await.unwrap();
    assert_eq!((kit.counts().gets, apart.counts().gets), (2, 1));
}
