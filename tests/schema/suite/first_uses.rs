//! A struct, or an index of it, that is used for the first time while a write is under way
//! which changes its rows.

use super::{
    Here,
    other_rows::{Crate, Version, assert_agrees, assert_refused, counter, here, version},
};
use crate::databases::Kind;
use cached_orm::{
    MemcachedOrm,
    test_kit::{Step, TestKit},
};
use serde::{Deserialize, Serialize};

macro_rules! place {
    ($name:ident, $table:literal $(, $attribute:meta)*) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
        #[orm(table = $table, cache_name = "places", accepts(partitions))]
        struct $name {
            #[primary_key]
            id: i64,
            $(#[$attribute])*
            city: String,
        }
    };
}
place!(Place, "places", orm(index));
place!(Bare, "places");
place!(Part, "places_1");
place!(Parts, "places_1", orm(index));

const PLACES: &str = "CREATE TABLE places (id BIGINT PRIMARY KEY, city VARCHAR(50) NOT NULL)";

fn lima(id: i64) -> Bare {
    Bare { id, city: "Lima".to_owned() }
}

/// A read beside the open write would wait for it.
const READS_WAIT: bool = matches!(Here::DATABASE, Kind::Sqlite);

#[tokio::test]
async fn in_a_transaction_of_the_callers() {
    if READS_WAIT {
        return;
    }
    let here = here().await;
    here.run(counter()).await;
    let mut transaction = here.orm.pool().begin().await.unwrap();
    let (_, first) = version(1).insert_on(&here.orm, &mut transaction).await.unwrap();
    let (_, second) = version(2).delete_on(&here.orm, &mut transaction).await.unwrap();
    assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 0);
    let error = second.and(first).fence(&mut transaction).await.unwrap_err();
    assert_refused(&error, &["insert_on of Version: trigger `counted`", "Crate"]);
    transaction.rollback().await.unwrap();
    assert_agrees(&here).await;
}

/// What a refusal says of a list that is read meanwhile.
#[tokio::test]
async fn an_index_in_a_transaction_of_the_callers() {
    if READS_WAIT {
        return;
    }
    let here = Here::with(&[]).await;
    here.run(PLACES).await;
    let mut transaction = here.orm.pool().begin().await.unwrap();
    let (_, pending) = lima(1).insert_on(&here.orm, &mut transaction).await.unwrap();
    assert_eq!(Place::fetch_by_city(&here.orm, "Lima").await.unwrap(), []);
    let error = pending.fence(&mut transaction).await.unwrap_err();
    assert_refused(&error, &["insert_on of Bare", "index of Place"]);
}

/// The last look is over, and COMMIT is not: what is read now may be what it changes.
#[tokio::test]
async fn while_a_commit_is_under_way() {
    if READS_WAIT {
        return;
    }
    for step in [Step::Checked, Step::Fenced] {
        let here = here().await;
        here.run(counter()).await;
        let kit = TestKit::new();
        let orm = here.handle(|builder| builder.test_kit(&kit)).await;
        let pause = kit.pause_at(step);
        let writing = tokio::spawn({
            let orm = orm.clone();
            async move { version(1).insert(&orm).await }
        });
        pause.reached().await;
        for _ in 0..2 {
            assert_eq!(Crate::fetch_one(&orm, 1).await.unwrap().versions, 0);
            assert_eq!(Crate::fetch_many(&orm, [1, 2]).await.unwrap().len(), 2);
        }
        pause.resume();
        writing.await.unwrap().unwrap();
        assert_eq!(Crate::fetch_one(&orm, 1).await.unwrap().versions, 1, "{step:?}");
        // From now on it is known, and its rows are stored.
        Crate::fetch_one(&orm, 1).await.unwrap();
        let loads = orm.statistics().loads;
        Crate::fetch_one(&orm, 1).await.unwrap();
        assert_eq!(orm.statistics().loads, loads);
        version(2).insert(&orm).await.unwrap_err();
    }
}

/// A list, whose struct is known already.
#[tokio::test]
async fn an_index_while_a_commit_is_under_way() {
    if READS_WAIT {
        return;
    }
    let here = Here::with(&[]).await;
    here.run(PLACES).await;
    let kit = TestKit::new();
    let orm = here.handle(|builder| builder.test_kit(&kit)).await;
    Place::fetch(&orm, 1).await.unwrap();
    let pause = kit.pause_at(Step::Fenced);
    let writing = tokio::spawn({
        let orm = orm.clone();
        async move { lima(1).insert(&orm).await }
    });
    pause.reached().await;
    assert_eq!(Place::fetch_by_city(&orm, "Lima").await.unwrap(), []);
    pause.resume();
    writing.await.unwrap().unwrap();
    assert_eq!(Place::fetch_by_city(&orm, "Lima").await.unwrap().len(), 1);
}

/// The caller's own COMMIT ends with `release`.
#[tokio::test]
async fn between_fence_and_release() {
    if READS_WAIT {
        return;
    }
    let here = here().await;
    here.run(counter()).await;
    let mut transaction = here.orm.pool().begin().await.unwrap();
    let (_, pending) = version(1).insert_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 0);
    transaction.commit().await.unwrap();
    fenced.release().await;
    assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 1);
}

/// A write of the struct's own puts its row in the cache, and a deferred trigger of the
/// other one changes it after that.
#[tokio::test]
async fn written_while_a_commit_is_under_way() {
    if Here::DATABASE != Kind::Postgres {
        // Elsewhere no trigger waits for COMMIT.
        return;
    }
    let here = here().await;
    here.run(
        "DELETE FROM crates;
         CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE crates SET versions = versions + 1 WHERE id = NEW.crate_id;
            RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER counted AFTER INSERT ON versions
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION counted()",
    )
    .await;
    let kit = TestKit::new();
    let orm = here.handle(|builder| builder.test_kit(&kit)).await;
    let pause = kit.pause_at(Step::Fenced);
    let writing = tokio::spawn({
        let orm = orm.clone();
        async move { version(1).insert(&orm).await }
    });
    pause.reached().await;
    Crate { id: 1, versions: 0 }.insert(&orm).await.unwrap();
    pause.resume();
    writing.await.unwrap().unwrap();
    assert_eq!(Crate::fetch_one(&orm, 1).await.unwrap().versions, 1);
}

/// Nothing of it is read or written.
#[tokio::test]
async fn verify_is_no_use() {
    let here = here().await;
    here.run(counter()).await;
    here.orm.verify::<Crate>().await.unwrap();
    version(1).insert(&here.orm).await.unwrap();
    Crate::fetch_one(&here.orm, 1).await.unwrap();
    here.orm.verify::<Version>().await.unwrap();
    version(2).insert(&here.orm).await.unwrap_err();
}

#[tokio::test]
async fn a_write_that_was_undone() {
    let here = here().await;
    here.run(counter()).await;
    let mut transaction = here.orm.begin().await.unwrap();
    for is_dropped in [false, true] {
        let mut savepoint = transaction.savepoint().await.unwrap();
        version(1).insert(&mut savepoint).await.unwrap();
        if !is_dropped {
            savepoint.rollback().await.unwrap();
        }
    }
    version(2).delete(&mut transaction).await.unwrap();
    if !READS_WAIT {
        Crate::fetch_one(&here.orm, 1).await.unwrap();
    }
    transaction.commit().await.unwrap();
    assert_agrees(&here).await;
}

/// One that was not undone counts, whatever is undone after it.
#[tokio::test]
async fn a_write_before_one_that_was_undone() {
    if READS_WAIT {
        return;
    }
    let here = here().await;
    here.run(counter()).await;
    let mut transaction = here.orm.begin().await.unwrap();
    version(1).insert(&mut transaction).await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    version(2).insert(&mut savepoint).await.unwrap();
    savepoint.rollback().await.unwrap();
    Crate::fetch_one(&here.orm, 1).await.unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert_refused(&error, &["insert of Version: trigger `counted`", "Crate"]);
}

/// By its own name, and the cache name of the whole.
#[tokio::test]
async fn a_partition_without_the_index_of_the_whole() {
    if Here::DATABASE != Kind::Postgres {
        // Elsewhere a partition has no name of its own.
        return;
    }
    for partition in [
        "CREATE TABLE places (id BIGINT PRIMARY KEY, city TEXT NOT NULL) PARTITION BY RANGE (id);
         CREATE TABLE places_1 PARTITION OF places FOR VALUES FROM (0) TO (1000)",
        "CREATE TABLE places (id BIGINT PRIMARY KEY, city TEXT NOT NULL);
         CREATE TABLE places_1 (PRIMARY KEY (id)) INHERITS (places)",
    ] {
        let here = Here::with(&[]).await;
        here.run(partition).await;
        assert_eq!(Place::fetch_by_city(&here.orm, "Lima").await.unwrap(), []);
        let part = Part { id: 1, city: "Lima".to_owned() };
        let error = part.insert(&here.orm).await.unwrap_err();
        assert_refused(&error, &["insert of Part", "index of Place over `city`"]);
        // The first that a handle does is a write in a transaction.
        let other = here.other_handle().await;
        Place::fetch_by_city(&other, "Lima").await.unwrap();
        let mut transaction = other.begin().await.unwrap();
        part.insert(&mut transaction).await.unwrap_err();
        transaction.rollback().await.unwrap();
        // With the index it is known which lists change.
        let part = Parts { id: 1, city: "Lima".to_owned() };
        part.insert(&here.orm).await.unwrap();
        assert_eq!(Place::fetch_by_city(&here.orm, "Lima").await.unwrap().len(), 1);
    }
}
