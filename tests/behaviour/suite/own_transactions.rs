//! Writes in transactions that the caller has begun with sqlx.

use super::{Database, Here};
use crate::{
    databases::Kind,
    polling::until,
    tables::{
        keys::{NOTES, Note},
        people::{COUNTERS, Counter, PAGES, PEOPLE, Page, Person},
    },
};
use cached_orm::{Error, MemcachedOrm as _, Orm};
use sqlx::Connection as _;
use std::time::Duration;
use tokio::time::sleep;

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

async fn body(orm: &Orm<Database>, id: i64) -> Option<String> {
    Page::fetch(orm, id).await.unwrap().map(|page| page.body)
}

async fn is_cached(orm: &Orm<Database>, id: i64) -> bool {
    Page::get_cached_instance(orm, id).await.unwrap().is_some()
}

async fn assert_hit(here: &Here, id: i64, expected: &str) {
    body(&here.orm, id).await;
    let hits = here.statistics().hits;
    assert_eq!(body(&here.orm, id).await.as_deref(), Some(expected));
    assert_eq!(here.statistics().hits, hits + 1, "the key is cached again");
}

#[tokio::test]
async fn what_is_written_is_seen_after_commit_and_not_before() {
    let here = Here::with(&[PAGES]).await;
    for id in 1..=2 {
        page(id, "old").insert(&here.orm).await.unwrap();
        assert_hit(&here, id, "old").await;
    }
    assert_eq!(body(&here.orm, 3).await, None);

    let mut transaction = here.direct().begin().await.unwrap();
    let mut changed = page(1, "new");
    let updated = changed.update_on(&here.orm, &mut transaction).await.unwrap();
    let (was_there, deleted) =
        page(2, "").delete_on(&here.orm, &mut transaction).await.unwrap();
    assert!(was_there);
    let (row, inserted) =
        page(3, "new").insert_on(&here.orm, &mut transaction).await.unwrap();
    assert_eq!((row, &changed), (page(3, "new"), &page(1, "new")));
    let old = async || {
        for _ in 0..2 {
            assert_eq!(body(&here.orm, 1).await.as_deref(), Some("old"));
            assert_eq!(body(&here.orm, 2).await.as_deref(), Some("old"));
            assert_eq!(body(&here.orm, 3).await, None);
        }
    };
    // Nothing is fenced yet: the old rows may be hits.
    old().await;
    let fenced = updated.and(deleted).and(inserted).fence(&mut transaction).await.unwrap();
    assert_eq!(here.statistics().fences, 2 + 3);
    old().await;
    for id in 1..=3 {
        assert!(!is_cached(&here.orm, id).await);
    }

    transaction.commit().await.unwrap();
    // Not acknowledged yet, but nothing old is cached.
    assert_eq!(body(&here.orm, 1).await.as_deref(), Some("new"));
    let committed = fenced.release().await;
    assert_eq!(committed.release_unconfirmed, 0);
    for _ in 0..2 {
        assert_eq!(body(&here.orm, 1).await.as_deref(), Some("new"));
        assert_eq!(body(&here.orm, 2).await, None);
        assert_eq!(body(&here.orm, 3).await.as_deref(), Some("new"));
    }
    assert_hit(&here, 1, "new").await;
    assert_hit(&here, 3, "new").await;
}

#[tokio::test]
async fn generated_columns_and_skipped_fields_are_taken_over() {
    let here = Here::with(&[PEOPLE]).await;
    let mut transaction = here.direct().begin().await.unwrap();
    let (mut ann, inserted) =
        Person::named("Ann").insert_on(&here.orm, &mut transaction).await.unwrap();
    assert!(ann.id > 0);
    assert_eq!((ann.status.as_str(), ann.shout.as_str()), ("new", "ANN"));
    ann.name = "Anna".into();
    ann.draft = 7;
    let updated = ann.update_on(&here.orm, &mut transaction).await.unwrap();
    assert_eq!((ann.shout.as_str(), ann.draft), ("ANNA", 7));
    let fenced = inserted.and(updated).fence(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    fenced.release().await;
    ann.draft = 0;
    assert_eq!(Person::fetch_one(&here.orm, ann.id).await.unwrap(), ann);
}

#[tokio::test]
async fn a_release_after_rollback_makes_the_key_usable_at_once() {
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut transaction = here.direct().begin().await.unwrap();
    let pending = page(1, "new").update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(body(&here.orm, 1).await.as_deref(), Some("old"));
    fenced.release().await;
    assert_hit(&here, 1, "old").await;
}

#[tokio::test]
async fn dropped_after_rollback_the_fence_ends_by_itself() {
    let here = Here::built(&[PAGES], |builder| builder.fence_ttl(Duration::from_secs(1))).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut transaction = here.direct().begin().await.unwrap();
    let pending = page(1, "new").update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    drop(fenced);
    assert_eq!(body(&here.orm, 1).await.as_deref(), Some("old"));
    assert!(!is_cached(&here.orm, 1).await, "the fence is there");
    until("the fence has ended", async || {
        assert_eq!(body(&here.orm, 1).await.as_deref(), Some("old"));
        is_cached(&here.orm, 1).await
    })
    .await;

    // Of a write that is not even fenced the cache knows nothing.
    let mut transaction = here.direct().begin().await.unwrap();
    let pending = page(1, "new").update_on(&here.orm, &mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    drop(pending);
    assert_hit(&here, 1, "old").await;
}

#[tokio::test]
async fn outside_a_transaction_nothing_is_written() {
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut connection = here.direct().acquire().await.unwrap();
    let errors = [
        page(1, "new").update_on(&here.orm, &mut connection).await.map(drop).unwrap_err(),
        page(1, "").delete_on(&here.orm, &mut connection).await.map(drop).unwrap_err(),
        page(2, "new").insert_on(&here.orm, &mut connection).await.map(drop).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::Configuration(_)), "{error}");
        assert!(error.to_string().contains("begin one"), "{error}");
    }
    assert_eq!(Page::fetch_uncached(&here.orm, 1).await.unwrap(), Some(page(1, "old")));
    assert_eq!(Page::fetch_uncached(&here.orm, 2).await.unwrap(), None);

    // sqlx's transaction on that connection is one.
    let mut transaction = connection.begin().await.unwrap();
    let pending = page(1, "new").update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    fenced.release().await;
    assert_hit(&here, 1, "new").await;
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_transaction_to_be_rolled_back() {
    let here = Here::with(&[PAGES]).await;
    for id in 1..=2 {
        page(id, "old").insert(&here.orm).await.unwrap();
        assert_hit(&here, id, "old").await;
    }
    let mut transaction = here.direct().begin().await.unwrap();
    let pending = page(1, "new").update_on(&here.orm, &mut transaction).await.unwrap();
    let error = page(2, "new").insert_on(&here.orm, &mut transaction).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    drop(pending);
    transaction.rollback().await.unwrap();
    for id in 1..=2 {
        assert_hit(&here, id, "old").await;
    }

    let mut transaction = here.direct().begin().await.unwrap();
    let error = page(9, "new").update_on(&here.orm, &mut transaction).await.map(drop).unwrap_err();
    assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
    let (was_there, nothing) = page(9, "").delete_on(&here.orm, &mut transaction).await.unwrap();
    assert!(!was_there);
    let fences = here.statistics().fences;
    let fenced = nothing.fence(&mut transaction).await.unwrap();
    assert_eq!(here.statistics().fences, fences, "a row that is not there is not fenced");
    transaction.commit().await.unwrap();
    assert_eq!(fenced.release().await.release_unconfirmed, 0);
}

/// PostgreSQL answers COMMIT of an aborted transaction with success, as sqlx
/// tells it.
#[tokio::test]
async fn fenced_but_not_committed_the_old_row_stays_what_is_read() {
    if Here::DATABASE != Kind::Postgres {
        return;
    }
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut transaction = here.direct().begin().await.unwrap();
    let pending = page(1, "new").update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    sqlx::query("SELECT 1 / 0").execute(&mut *transaction).await.unwrap_err();
    // Rolled back, whatever it says.
    transaction.commit().await.unwrap();
    fenced.release().await;
    assert_eq!(Page::fetch_uncached(&here.orm, 1).await.unwrap(), Some(page(1, "old")));
    assert_hit(&here, 1, "old").await;
}

#[tokio::test]
async fn several_entities_go_into_one_transaction() {
    let here = Here::with(&[PAGES, NOTES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut note = Note { title: "a b".into(), body: "old".into() };
    note.insert(&here.orm).await.unwrap();
    let mut transaction = here.direct().begin().await.unwrap();
    let one = page(1, "new").update_on(&here.orm, &mut transaction).await.unwrap();
    note.body = "new".into();
    let other = note.update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = other.and(one).fence(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    fenced.release().await;
    assert_hit(&here, 1, "new").await;
    assert_eq!(Note::fetch_one(&here.orm, "a b".into()).await.unwrap(), note);
}

#[tokio::test]
async fn two_transactions_on_one_row_are_ordered_by_its_lock() {
    const WRITERS: i32 = 3;
    const ROUNDS: i32 = 15;
    let here = Here::with(&[COUNTERS]).await;
    Counter { id: 1, writer: 0, revision: 0 }.insert(&here.orm).await.unwrap();
    let begin = match Here::DATABASE {
        Kind::Sqlite => "BEGIN IMMEDIATE",
        Kind::Postgres | Kind::MariaDb => "BEGIN",
    };
    let writers = (1..=WRITERS).map(|writer| {
        let (orm, pool) = (here.orm.clone(), here.direct().clone());
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                let mut connection = pool.acquire().await.unwrap();
                let mut transaction = connection.begin_with(begin).await.unwrap();
                let mut row = Counter { id: 1, writer, revision: 0 };
                let pending = row.update_on(&orm, &mut transaction).await.unwrap();
                let fenced = pending.fence(&mut transaction).await.unwrap();
                transaction.commit().await.unwrap();
                fenced.release().await;
                // SQLite returns the row before its trigger has counted.
                let counted = row.revision + i64::from(Here::DATABASE == Kind::Sqlite);
                let read = Counter::fetch_one(&orm, 1).await.unwrap();
                assert!(read.revision >= counted, "{} after {counted}", read.revision);
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut last = 0;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let read = Counter::fetch_one(&here.orm, 1).await.unwrap();
        assert!(read.revision >= last, "{} after {last}", read.revision);
        last = read.revision;
        sleep(Duration::from_millis(1)).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let read = Counter::fetch_one(&here.orm, 1).await.unwrap();
    assert_eq!(read.revision, i64::from(WRITERS * ROUNDS));
}
