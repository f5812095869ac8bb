//! What begins and ends transactions and savepoints, and locks rows.

use super::{Database, Stage, methods::Calling, round::Round};
use crate::{
    cut::{Cuts, goes_on},
    tables::Person,
};
use cached_orm::{Savepoint, Transaction};
use std::time::Instant;

/// What is done with a savepoint in which the second row was written.
type SavepointEnd = for<'s> fn(Savepoint<'s, Database>) -> Calling<'s>;

const SAVEPOINT_ENDS: [(&str, SavepointEnd, bool); 2] = [
    ("commit", |savepoint| Box::pin(savepoint.commit()), true),
    ("rollback", |savepoint| Box::pin(savepoint.rollback()), false),
];

type TransactionEnd = fn(Transaction<Database>) -> Calling<'static>;

const TRANSACTION_ENDS: [(&str, TransactionEnd, bool); 2] = [
    ("commit", |transaction| Box::pin(async { transaction.commit().await.map(drop) }), true),
    ("rollback", |transaction| Box::pin(transaction.rollback()), false),
];

/// What may be called in a transaction, and changes nothing.
type Step = fn(&mut Transaction<Database>, Round) -> Calling<'_>;

const STEPS: [(&str, Step); 2] = [
    ("savepoint", |transaction, _| Box::pin(async { transaction.savepoint().await.map(drop) })),
    ("touch", |transaction, round| {
        Box::pin(async move { transaction.touch::<Person>(round.id(2)).await.map(drop) })
    }),
];

async fn with_earlier_write(stage: &Stage, round: Round) -> Transaction<Database> {
    let mut transaction = stage.orm.begin().await.unwrap();
    transaction.savepoint().await.unwrap().rollback().await.unwrap();
    round.person(1, "earlier").update(&mut transaction).await.unwrap();
    transaction
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_savepoint() {
    let stage = Stage::new().await;
    let began = Instant::now();
    loop {
        for (name, end, keeps) in SAVEPOINT_ENDS {
            for is_nested in [false, true] {
                let mut cuts = Cuts::default();
                while let Some(cut) = cuts.next() {
                    let what = format!("{name} of a savepoint, nested: {is_nested}, {cut:?}");
                    let round = Round::new(&stage).await;
                    let mut transaction = with_earlier_write(&stage, round).await;
                    let outcome = if is_nested {
                        let mut outer = transaction.savepoint().await.unwrap();
                        let mut inner = outer.savepoint().await.unwrap();
                        round.person(2, "inner").update(&mut inner).await.unwrap();
                        let outcome = cut.apply(end(inner)).await;
                        let kept = outer.commit().await;
                        assert!(outcome.is_none() || kept.is_ok(), "{what}: {kept:?}");
                        outcome
                    } else {
                        let mut part = transaction.savepoint().await.unwrap();
                        round.person(2, "inner").update(&mut part).await.unwrap();
                        cut.apply(end(part)).await
                    };
                    cuts.note(outcome.as_ref());
                    let committed = transaction.commit().await;
                    assert!(outcome.is_none() || committed.is_ok(), "{what}: {committed:?}");
                    stage.at_rest(&what).await;
                    let after = round.snapshot(&stage).await;
                    let is_committed = committed.is_ok();
                    assert_eq!(after.has(round, 1, "earlier"), is_committed, "{what}");
                    match outcome {
                        Some(ended) => {
                            ended.unwrap();
                            assert_eq!(after.has(round, 2, "inner"), keeps, "{what}");
                        }
                        None if is_committed => {}
                        None => assert!(!after.has(round, 2, "inner"), "{what}"),
                    }
                    round.assert_agrees(&stage, &after, &what).await;
                }
            }
        }
        if !goes_on(began) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_transaction() {
    let stage = Stage::new().await;
    let began = Instant::now();
    loop {
        for (name, end, commits) in TRANSACTION_ENDS {
            let mut cuts = Cuts::default();
            while let Some(cut) = cuts.next() {
                let what = format!("{name} of a transaction, {cut:?}");
                let round = Round::new(&stage).await;
                let mut transaction = with_earlier_write(&stage, round).await;
                round.person(2, "new").update(&mut transaction).await.unwrap();
                let outcome = cut.apply(end(transaction)).await;
                cuts.note(outcome.as_ref());
                stage.at_rest(&what).await;
                let after = round.snapshot(&stage).await;
                let is_there = after.has(round, 1, "earlier");
                assert_eq!(after.has(round, 2, "new"), is_there, "{what}");
                match outcome {
                    Some(ended) => {
                        ended.unwrap();
                        assert_eq!(is_there, commits, "{what}");
                    }
                    None => assert!(commits || !is_there, "{what}"),
                }
                round.assert_agrees(&stage, &after, &what).await;
            }
        }
        if !goes_on(began) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_begin_of_a_savepoint_and_a_lock() {
    let stage = Stage::new().await;
    let began = Instant::now();
    loop {
        for (name, step) in STEPS {
            for commits in [true, false] {
                let mut cuts = Cuts::default();
                while let Some(cut) = cuts.next() {
                    let what = format!("{name}, then committed: {commits}, {cut:?}");
                    let round = Round::new(&stage).await;
                    let mut transaction = with_earlier_write(&stage, round).await;
                    let outcome = cut.apply(step(&mut transaction, round)).await;
                    cuts.note(outcome.as_ref());
                    let later = round.person(4, "later").update(&mut transaction).await;
                    let ended = if commits {
                        transaction.commit().await.map(drop)
                    } else {
                        transaction.rollback().await
                    };
                    if let Some(stepped) = outcome {
                        stepped.and(later.clone()).and(ended.clone()).unwrap();
                    }
                    stage.at_rest(&what).await;
                    let after = round.snapshot(&stage).await;
                    let is_committed = commits && ended.is_ok();
                    assert_eq!(after.has(round, 1, "earlier"), is_committed, "{what}");
                    let is_later = is_committed && later.is_ok();
                    assert_eq!(after.has(round, 4, "later"), is_later, "{what}");
                    round.assert_agrees(&stage, &after, &what).await;
                }
            }
        }
        if !goes_on(began) {
            return;
        }
    }
}
