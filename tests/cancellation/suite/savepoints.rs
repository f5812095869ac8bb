//! Methods in a savepoint of a transaction in which something was written before.

use super::{Stage, methods::METHODS, round::Round};
use crate::{
    cut::{Cuts, goes_on, in_time},
    databases::Kind,
};
use std::time::Instant;

/// How the savepoint ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Kept,
    Undone,
    Dropped,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_around_a_savepoint_does_not_go_with_it() {
    let stage = Stage::new().await;
    let began = Instant::now();
    let mut end = [End::Kept, End::Undone, End::Dropped].into_iter().cycle();
    loop {
        for method in METHODS {
            let mut cuts = Cuts::default();
            while let (Some(cut), Some(end)) = (cuts.next(), end.next()) {
                let what = format!("{} in a savepoint, {cut:?}, {end:?}", method.name);
                let round = Round::new(&stage).await;
                let before = round.snapshot(&stage).await;
                let mut transaction = stage.orm.begin().await.unwrap();
                transaction.savepoint().await.unwrap().rollback().await.unwrap();
                round.person(1, "earlier").update(&mut transaction).await.unwrap();
                let mut savepoint = transaction.savepoint().await.unwrap();
                round.person(4, "inner").update(&mut savepoint).await.unwrap();
                // Whoever has had the connection does not keep it from being undone.
                sqlx::query("SELECT 1").execute(&mut *savepoint).await.unwrap();
                let outcome = cut.apply((method.in_savepoint)(&mut savepoint, round)).await;
                cuts.note(outcome.as_ref());
                if let Some(Err(error)) = &outcome {
                    panic!("{what}: {error}");
                }
                let ended = match end {
                    End::Kept => savepoint.commit().await,
                    End::Undone => savepoint.rollback().await,
                    End::Dropped => {
                        drop(savepoint);
                        Ok(())
                    }
                };
                let committed = in_time(&what, transaction.commit()).await;
                // Unless it was a question whether the connection answers that was dropped,
                // or the end of a bulk write's own savepoint.
                let is_sure = Stage::DATABASE == Kind::Postgres && method.writes < 2;
                if is_sure && end == End::Undone {
                    ended.as_ref().unwrap_or_else(|error| panic!("{what}: {error}"));
                }
                if outcome.is_some() {
                    ended.as_ref().unwrap_or_else(|error| panic!("{what}: {error}"));
                    committed.as_ref().unwrap_or_else(|error| panic!("{what}: {error}"));
                }
                stage.at_rest(&what).await;
                let after = round.snapshot(&stage).await;
                let is_committed = committed.is_ok();
                assert_eq!(after.has(round, 1, "earlier"), is_committed, "{what}: {committed:?}");
                let is_kept = is_committed && end == End::Kept && ended.is_ok();
                assert_eq!(after.has(round, 4, "inner"), is_kept, "{what}");
                let changes = after.changes_since(&before, round);
                match outcome {
                    Some(_) if is_kept => assert_eq!(changes, method.writes, "{what}"),
                    None if is_kept => {
                        assert!([0, method.writes].contains(&changes), "{what}: {changes}");
                    }
                    _ => assert_eq!(changes, 0, "{what}"),
                }
                round.assert_agrees(&stage, &after, &what).await;
            }
        }
        if !goes_on(began) {
            return;
        }
    }
}
