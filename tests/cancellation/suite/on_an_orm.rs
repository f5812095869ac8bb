//! Methods on an `Orm`.

use super::{
    Stage,
    methods::{METHODS, ORM_METHODS},
    round::Round,
};
use crate::{
    cut::{Cuts, goes_on},
    tables::Person,
};
use std::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_or_write_is_done_or_not_done_and_its_connection_is_nobodys() {
    let stage = Stage::new().await;
    // With them a write's BEGIN says which row it is about to write.
    stage.orm.install_triggers::<Person>().await.unwrap();
    let began = Instant::now();
    loop {
        for method in METHODS {
            let mut cuts = Cuts::default();
            while let Some(cut) = cuts.next() {
                let what = format!("{} on an `Orm`, {cut:?}", method.name);
                let round = Round::new(&stage).await;
                let before = round.snapshot(&stage).await;
                let outcome = cut.apply((method.on_orm)(&stage.orm, round)).await;
                cuts.note(outcome.as_ref());
                stage.at_rest(&what).await;
                let after = round.snapshot(&stage).await;
                let changes = after.changes_since(&before, round);
                match outcome {
                    Some(Ok(())) => assert_eq!(changes, method.writes, "{what}"),
                    Some(Err(error)) => panic!("{what}: {error}"),
                    None => assert!([0, method.writes].contains(&changes), "{what}: {changes}"),
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
async fn whatever_else_is_asked_leaves_nothing_behind() {
    let stage = Stage::new().await;
    let began = Instant::now();
    loop {
        for method in ORM_METHODS {
            let mut cuts = Cuts::default();
            while let Some(cut) = cuts.next() {
                let what = format!("{}, {cut:?}", method.name);
                let round = Round::new(&stage).await;
                let before = round.snapshot(&stage).await;
                let outcome = cut.apply((method.call)(&stage.orm, round)).await;
                cuts.note(outcome.as_ref());
                stage.at_rest(&what).await;
                assert_eq!(round.snapshot(&stage).await, before, "{what}");
                round.assert_agrees(&stage, &before, &what).await;
            }
        }
        if !goes_on(began) {
            return;
        }
    }
}
