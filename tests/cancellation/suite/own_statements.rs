//! Statements of the caller's own, on the connection of a transaction: the library
//! does not see that their futures are dropped.

use super::{
    Database, Stage,
    round::Round,
    transactions::{THEN, Then},
};
use crate::{
    cut::{Cuts, goes_on, in_time},
    tables::{Person, PersonColumns},
};
use cached_orm::MemcachedOrm as _;
use sqlx::{AssertSqlSafe, Connection as _};
use std::{pin::Pin, time::Instant};

type Connection = <Database as sqlx::Database>::Connection;
type Running<'s> = Pin<Box<dyn Future<Output = sqlx::Result<()>> + Send + 's>>;

type Run = fn(&mut Connection, Round) -> Running<'_>;

/// What a caller may do, with how many rows it writes.
const STATEMENTS: [(&str, Run, i64); 5] = [
    ("an update", |connection, round| {
        Box::pin(async move {
            let sql = format!("UPDATE people SET name = 'new' WHERE id = {}", round.id(2));
            sqlx::query(AssertSqlSafe(sql)).execute(connection).await.map(drop)
        })
    }, 1),
    ("a read of many rows", |connection, _| {
        Box::pin(async move {
            sqlx::query("SELECT * FROM people").fetch_all(connection).await.map(drop)
        })
    }, 0),
    ("two statements in one", |connection, round| {
        Box::pin(async move {
            let id = round.id(2);
            let sql = format!(
                "SELECT * FROM people WHERE id > {id} - 30;
                 UPDATE people SET name = 'new' WHERE id = {id}"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
        })
    }, 1),
    ("a statement that fails", |connection, _| {
        Box::pin(async move {
            // Whatever it says.
            let _ = sqlx::query("SELECT * FROM nowhere").fetch_all(connection).await;
            Ok(())
        })
    }, 0),
    ("a savepoint of sqlx's", |connection, round| {
        Box::pin(async move {
            let mut savepoint = connection.begin().await?;
            let sql = format!("UPDATE people SET name = 'new' WHERE id = {}", round.id(2));
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *savepoint).await?;
            savepoint.commit().await
        })
    }, 1),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn their_connection_is_of_use_to_the_next_or_closed() {
    let stage = Stage::new().await;
    let began = Instant::now();
    let mut then = THEN.into_iter().cycle();
    loop {
        for (name, run, writes) in STATEMENTS {
            let mut cuts = Cuts::default();
            while let (Some(cut), Some(then)) = (cuts.next(), then.next()) {
                let what = format!("{name}, {cut:?}, {then:?}");
                let round = Round::new(&stage).await;
                let before = round.snapshot(&stage).await;
                let mut transaction = stage.orm.begin().await.unwrap();
                assert!(transaction.touch::<Person>(round.id(2)).await.unwrap());
                round.person(1, "earlier").update(&mut transaction).await.unwrap();
                let outcome = cut.apply(run(&mut transaction, round)).await;
                cuts.note(outcome.as_ref());
                let ending = async { match then {
                    Then::RollBack => transaction.rollback().await.map(|()| false),
                    Then::Drop => {
                        drop(transaction);
                        Ok(false)
                    }
                    Then::Commit => transaction.commit().await.map(|_| true),
                    Then::ReadAndCommit => {
                        let read = Person::fetch(&mut transaction, round.id(1)).await;
                        if let Ok(read) = read {
                            let read = read.map(|row| row.name);
                            assert_eq!(read.as_deref(), Some("earlier"), "{what}");
                        }
                        transaction.commit().await.map(|_| true)
                    }
                    Then::WriteAndCommit => {
                        let patch = Person::patch(round.id(4)).set(PersonColumns::NAME, "later");
                        let _ = patch.execute(&mut transaction).await;
                        transaction.commit().await.map(|_| true)
                    }
                } };
                let committed = in_time(&what, ending).await;
                stage.at_rest(&what).await;
                let after = round.snapshot(&stage).await;
                let is_committed = committed.unwrap_or(false);
                assert_eq!(after.has(round, 1, "earlier"), is_committed, "{what}");
                let changes = after.changes_since(&before, round);
                match outcome {
                    Some(Ok(())) if is_committed => assert_eq!(changes, writes, "{what}"),
                    _ if is_committed => assert!([0, writes].contains(&changes), "{what}"),
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
