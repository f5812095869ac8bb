//! Writes in a transaction that the caller has begun with sqlx.

use super::{Database, Stage, round::Round};
use crate::{
    cut::{Cut, Cuts, goes_on},
    databases::Kind,
    polling::until,
};
use cached_orm::{Error, MemcachedOrm as _, Orm, Pending};
use sqlx::Connection as _;
use std::{pin::Pin, time::Instant};

type Connection = <Database as sqlx::Database>::Connection;

/// Of use after a future was dropped: sqlx's driver for MySQL loses its place, so
/// that the connection is to be closed, and its transaction with it.
const CAN_GO_ON: bool = !matches!(Stage::DATABASE, Kind::MariaDb);

type Writing<'s> =
    Pin<Box<dyn Future<Output = cached_orm::Result<Pending<Database>>> + Send + 's>>;
type Write = for<'s> fn(&'s Orm<Database>, &'s mut Connection, Round) -> Writing<'s>;

const WRITES: [(&str, Write); 3] = [
    ("insert_on", |orm, connection, round| {
        Box::pin(async move {
            let inserted = round.person(5, "new").insert_on(orm, connection).await;
            inserted.map(|(_, pending)| pending)
        })
    }),
    ("update_on", |orm, connection, round| {
        Box::pin(async move { round.person(2, "new").update_on(orm, connection).await })
    }),
    ("delete_on", |orm, connection, round| {
        Box::pin(async move {
            let deleted = round.person(2, "old").delete_on(orm, connection).await;
            deleted.map(|(_, pending)| pending)
        })
    }),
];

/// What the caller does after a future was dropped, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    RollBack,
    Drop,
    /// Against all advice, if the future was dropped.
    Commit,
}

const THEN: [Then; 3] = [Then::RollBack, Then::Commit, Then::Drop];

const BEGIN: &str =
    if matches!(Stage::DATABASE, Kind::Sqlite) { "BEGIN IMMEDIATE" } else { "BEGIN" };

/// What is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dropped {
    Write,
    Fence,
    Release,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_agrees_whatever_becomes_of_the_transaction() {
    let stage = Stage::new().await;
    let began = Instant::now();
    let mut then = THEN.into_iter().cycle();
    loop {
        for (name, write) in WRITES {
            for dropped in [Dropped::Write, Dropped::Fence, Dropped::Release] {
                let mut cuts = Cuts::default();
                while let (Some(cut), Some(then)) = (cuts.next(), then.next()) {
                    let what = format!("{dropped:?} of {name}, {cut:?}, {then:?}");
                    let is_through = attempt(&stage, write, dropped, cut, then, &what).await;
                    cuts.note(is_through.then_some(&()));
                }
            }
        }
        if !goes_on(began) {
            return;
        }
    }
}

/// Whether what was to be dropped got through.
async fn attempt(
    stage: &Stage,
    write: Write,
    dropped: Dropped,
    cut: Cut,
    then: Then,
    what: &str,
) -> bool {
    let round = Round::new(stage).await;
    let before = round.snapshot(stage).await;
    let mut connection = stage.orm.pool().acquire().await.unwrap();
    let mut transaction = connection.begin_with(BEGIN).await.unwrap();
    let mut fenced = None;
    let is_through = match dropped {
        Dropped::Write => {
            let written = cut.apply(write(&stage.orm, &mut transaction, round)).await;
            match written {
                Some(pending) => {
                    fenced = Some(pending.unwrap().fence(&mut transaction).await.unwrap());
                    true
                }
                None => false,
            }
        }
        Dropped::Fence => {
            let pending = write(&stage.orm, &mut transaction, round).await.unwrap();
            fenced = cut.apply(pending.fence(&mut transaction)).await.map(Result::unwrap);
            fenced.is_some()
        }
        Dropped::Release => {
            let pending = write(&stage.orm, &mut transaction, round).await.unwrap();
            fenced = Some(pending.fence(&mut transaction).await.unwrap());
            true
        }
    };
    if !is_through && !CAN_GO_ON {
        drop(transaction);
        connection.close_on_drop();
        drop(connection);
        stage.at_rest(what).await;
        assert_eq!(round.snapshot(stage).await, before, "{what}");
        round.assert_agrees(stage, &before, what).await;
        return false;
    }
    let mut is_released = true;
    let is_committed = match then {
        Then::RollBack if dropped != Dropped::Release => {
            transaction.rollback().await.unwrap();
            false
        }
        Then::Drop if dropped != Dropped::Release => {
            drop(transaction);
            false
        }
        _ => {
            transaction.commit().await.unwrap();
            if let Some(fenced) = fenced {
                if dropped == Dropped::Release {
                    is_released = cut.apply(fenced.release()).await.is_some();
                } else {
                    fenced.release().await;
                }
            }
            true
        }
    };
    drop(connection);
    stage.at_rest(what).await;
    let after = round.snapshot(stage).await;
    if is_through || !is_committed {
        assert_eq!(after.changes_since(&before, round), i64::from(is_committed), "{what}");
    }
    if !is_through {
        // The fences are put from outside, and nobody has waited for them.
        until(&format!("{what}: the cache agrees"), async || {
            round.disagreement(stage, &after).await.is_none()
        })
        .await;
    }
    round.assert_agrees(stage, &after, what).await;
    is_through && is_released
}

/// PostgreSQL aborts a transaction for an error, and unlocks its rows.
#[tokio::test]
async fn a_transaction_that_was_aborted_or_is_over_is_not_fenced() {
    let stage = Stage::new().await;
    let round = Round::new(&stage).await;
    let before = round.snapshot(&stage).await;
    let mut connection = stage.orm.pool().acquire().await.unwrap();
    let fences = stage.orm.statistics().fences;

    let mut transaction = connection.begin_with(BEGIN).await.unwrap();
    let pending = round.person(2, "new").update_on(&stage.orm, &mut transaction).await.unwrap();
    sqlx::query("SELECT * FROM nowhere").execute(&mut *transaction).await.unwrap_err();
    let fenced = pending.fence(&mut transaction).await;
    if Stage::DATABASE == Kind::Postgres {
        let error = fenced.unwrap_err();
        assert!(matches!(error, Error::RolledBack { .. }), "{error}");
        assert_eq!(stage.orm.statistics().fences, fences);
    } else {
        drop(fenced.unwrap());
    }
    transaction.rollback().await.unwrap();

    let mut transaction = connection.begin_with(BEGIN).await.unwrap();
    let pending = round.person(1, "new").update_on(&stage.orm, &mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    let error = pending.fence(&mut connection).await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    assert!(error.to_string().contains("in no transaction"), "{error}");
    drop(connection);
    round.assert_agrees(&stage, &before, "a rollback").await;
}
