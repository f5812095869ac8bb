//! Writes that are undone at the end of a test.

use super::{Database, Here};
use crate::{
    polling::until,
    tables::people::{PAGES, Page, PEOPLE, Person},
};
use cached_orm::{Error, MemcachedOrm as _, Orm, test_kit::TestKit};
use sqlx::{AssertSqlSafe, Executor as _};

async fn place() -> Here {
    let here = Here::with(&[PAGES, PEOPLE]).await;
    here.run("INSERT INTO pages VALUES (1, 'one'), (2, 'two')").await;
    here.run("INSERT INTO people (email, name) VALUES ('ann@example.org', 'Ann')").await;
    here
}

async fn bodies(orm: &Orm<Database>) -> Vec<Option<String>> {
    let pages = Page::fetch_many(orm, 1..=3).await.unwrap();
    pages.into_iter().map(|page| page.map(|page| page.body)).collect()
}

/// What lies in the database for everybody.
async fn committed(here: &Here) -> Vec<String> {
    let rows = sqlx::query_scalar("SELECT body FROM pages ORDER BY id");
    rows.fetch_all(here.direct()).await.unwrap()
}

async fn change(orm: &Orm<Database>) {
    let mut page = Page::fetch_one(orm, 1).await.unwrap();
    page.body = "new".to_owned();
    page.update(orm).await.unwrap();
    assert!(Page::delete_by_key(orm, 2).await.unwrap());
    Page { id: 3, body: "three".to_owned() }.insert(orm).await.unwrap();
}

#[tokio::test]
async fn the_handle_sees_its_writes_and_nobody_else_does() {
    let here = place().await;
    let kit = TestKit::new();
    let orm = here.handle(|builder| builder.rollback_on_drop().test_kit(&kit)).await;
    assert_eq!(bodies(&orm).await, [Some("one".into()), Some("two".into()), None]);
    change(&orm).await;
    let changed = [Some("new".to_owned()), None, Some("three".to_owned())];
    assert_eq!(bodies(&orm).await, changed);
    kit.reset_counts();
    assert_eq!(bodies(&orm).await, changed);
    assert_eq!(kit.counts().statements, 0, "and they are cached as usual");

    // By the database and by the cache, which has the same rows for others.
    assert_eq!(committed(&here).await, ["one", "two"]);
    assert_eq!(bodies(&here.orm).await, [Some("one".into()), Some("two".into()), None]);
    orm.close().await;
    assert_eq!(committed(&here).await, ["one", "two"]);
    assert_eq!(bodies(&here.orm).await, [Some("one".into()), Some("two".into()), None]);
}

#[tokio::test]
async fn when_it_is_dropped_its_rows_are_free() {
    let here = place().await;
    let orm = here.handle(|builder| builder.rollback_on_drop()).await;
    change(&orm).await;
    drop(orm);
    // The database is told when the connection is gone.
    until("the row is written", async || {
        Page { id: 1, body: "next".to_owned() }.update(&here.orm).await.is_ok()
    })
    .await;
    assert_eq!(committed(&here).await, ["next", "two"]);
}

#[tokio::test]
async fn transactions_of_the_service_are_parts_of_it() {
    let here = place().await;
    let orm = here.handle(|builder| builder.rollback_on_drop()).await;

    let mut transaction = orm.begin().await.unwrap();
    Page { id: 1, body: "kept".to_owned() }.update(&mut transaction).await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    Page::delete_by_key(&mut savepoint, 2).await.unwrap();
    savepoint.rollback().await.unwrap();
    transaction.commit().await.unwrap();

    let mut transaction = orm.begin().await.unwrap();
    Page::delete_by_key(&mut transaction, 1).await.unwrap();
    transaction.rollback().await.unwrap();
    let mut transaction = orm.begin().await.unwrap();
    Page::delete_by_key(&mut transaction, 1).await.unwrap();
    drop(transaction);
    assert_eq!(bodies(&orm).await, [Some("kept".into()), Some("two".into()), None]);

    // With sqlx alone.
    let mut transaction = orm.pool().begin().await.unwrap();
    transaction.execute("DELETE FROM pages").await.unwrap();
    transaction.commit().await.unwrap();
    Page::invalidate(&orm, 1..=3).await.unwrap();
    assert_eq!(bodies(&orm).await, [None, None, None]);
    orm.close().await;
    assert_eq!(committed(&here).await, ["one", "two"]);
}

#[tokio::test]
async fn a_write_that_fails_undoes_itself_only() {
    let here = place().await;
    let orm = here.handle(|builder| builder.rollback_on_drop()).await;
    let bob = Person::named("Bob").insert(&orm).await.unwrap();
    let twin = Person { email: "Bob@example.org".into(), ..Person::named("Twin") };
    let error = twin.insert(&orm).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    let dora = Person::named("Dora").insert(&orm).await.unwrap();
    for person in [bob, dora] {
        assert_eq!(Person::fetch_one(&orm, person.id).await.unwrap(), person);
    }
    orm.close().await;
    let people: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM people")
        .fetch_one(here.direct())
        .await
        .unwrap();
    assert_eq!(people, 1);
}

#[tokio::test]
async fn a_write_that_is_cancelled_commits_nothing() {
    let here = place().await;
    for polls in 1..8 {
        let orm = here.handle(|builder| builder.rollback_on_drop()).await;
        Page { id: 3, body: "three".to_owned() }.insert(&orm).await.unwrap();
        let mut page = Page { id: 1, body: "new".to_owned() };
        crate::polling::cancel_after(polls, page.update(&orm)).await;
        // It may go on, or say that it cannot; it must not commit.
        drop(Page { id: 2, body: "new".to_owned() }.update(&orm).await);
        drop(sqlx::query(AssertSqlSafe("SELECT 1")).execute(orm.pool()).await);
        orm.close().await;
        assert_eq!(committed(&here).await, ["one", "two"], "{polls}");
    }
}

#[tokio::test]
async fn the_outbox_is_drained_when_the_test_says_so() {
    let here = place().await;
    here.orm.install_outbox().await.unwrap();
    let kit = TestKit::new();
    let orm = here.handle(|builder| builder.rollback_on_drop().test_kit(&kit)).await;
    assert_eq!(Page::fetch_one(&orm, 1).await.unwrap().body, "one");
    kit.cache().go_down();
    Page { id: 1, body: "new".to_owned() }.update(&orm).await.unwrap();
    kit.cache().come_back();
    let drained = orm.drain_outbox().await.unwrap();
    assert_eq!((drained.drained, drained.remaining), (1, 0));
    assert_eq!(Page::fetch_one(&orm, 1).await.unwrap().body, "new");
    orm.close().await;
    assert_eq!(committed(&here).await, ["one", "two"]);
}
