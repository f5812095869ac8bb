//! Methods in a transaction in which something was written before.

use super::{Stage, methods::METHODS, round::Round};
use crate::{
    cut::{Cuts, goes_on, in_time},
    tables::{Person, PersonColumns},
};
use cached_orm::MemcachedOrm as _;
use std::time::Instant;

/// What is done after the method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Commit,
    WriteAndCommit,
    ReadAndCommit,
    RollBack,
    Drop,
}

pub(super) const THEN: [Then; 5] =
    [Then::Commit, Then::RollBack, Then::WriteAndCommit, Then::Drop, Then::ReadAndCommit];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_commit_acknowledges_is_there_and_nothing_else() {
    let stage = Stage::new().await;
    let began = Instant::now();
    let mut then = THEN.into_iter().cycle();
    loop {
        for method in METHODS {
            let mut cuts = Cuts::default();
            while let (Some(cut), Some(then)) = (cuts.next(), then.next()) {
                let what = format!("{} in a transaction, {cut:?}, {then:?}", method.name);
                let round = Round::new(&stage).await;
                let before = round.snapshot(&stage).await;
                let mut transaction = stage.orm.begin().await.unwrap();
                // On PostgreSQL a savepoint is there still when it was rolled back.
                transaction.savepoint().await.unwrap().rollback().await.unwrap();
                round.person(1, "earlier").update(&mut transaction).await.unwrap();
                let outcome = cut.apply((method.in_transaction)(&mut transaction, round)).await;
                cuts.note(outcome.as_ref());
                if let Some(Err(error)) = &outcome {
                    panic!("{what}: {error}");
                }
                let mut later = false;
                let ending = async { match then {
                    Then::RollBack => transaction.rollback().await.map(|()| false),
                    Then::Drop => {
                        drop(transaction);
                        Ok(false)
                    }
                    Then::Commit => transaction.commit().await.map(|_| true),
                    Then::ReadAndCommit => {
                        let read = Person::fetch_one(&mut transaction, round.id(1)).await;
                        if let Ok(read) = read {
                            assert_eq!(read.name, "earlier", "{what}");
                        }
                        transaction.commit().await.map(|_| true)
                    }
                    Then::WriteAndCommit => {
                        let patch = Person::patch(round.id(4)).set(PersonColumns::NAME, "later");
                        later = patch.execute(&mut transaction).await.is_ok();
                        transaction.commit().await.map(|_| true)
                    }
                } };
                let committed = in_time(&what, ending).await;
                let is_committed = match &committed {
                    Ok(is_committed) => *is_committed,
                    // Only where something was cut off.
                    Err(error) if outcome.is_some() => panic!("{what}: {error}"),
                    Err(_) => false,
                };
                stage.at_rest(&what).await;
                let after = round.snapshot(&stage).await;
                assert_eq!(after.has(round, 1, "earlier"), is_committed, "{what}: {committed:?}");
                assert_eq!(after.has(round, 4, "later"), is_committed && later, "{what}");
                let changes = after.changes_since(&before, round);
                match (&outcome, is_committed) {
                    (Some(_), true) => assert_eq!(changes, method.writes, "{what}"),
                    (None, true) => {
                        assert!([0, method.writes].contains(&changes), "{what}: {changes}");
                    }
                    (_, false) => assert_eq!(changes, 0, "{what}"),
                }
                round.assert_agrees(&stage, &after, &what).await;
            }
        }
        if !goes_on(began) {
            return;
        }
    }
}
