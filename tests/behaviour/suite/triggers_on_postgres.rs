//! Triggers for the outbox, as only PostgreSQL has them.

use super::Here;
use crate::{
    databases::TestDatabase as _,
    polling::until,
    tables::people::{PAGES, Page},
};
use cached_orm::{MemcachedOrm, Postgres};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::sleep;

async fn pages() -> Here {
    let here = Here::built(&[PAGES], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Page>().await.unwrap();
    here
}

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

async fn rows_in_outbox(here: &Here) -> i64 {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM cached_orm_outbox");
    count.fetch_one(here.orm.pool()).await.unwrap()
}

#[tokio::test]
async fn the_librarys_writes_are_written_through_and_leave_nothing_to_drain() {
    let here = pages().await;
    let mut since = here.statistics();
    let mut row = page(1, "a").insert(&here.orm).await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), row);
    for round in 0..5 {
        row.body = format!("round {round}");
        row.update(&here.orm).await.unwrap();
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), row);
    }
    assert_eq!(here.loads_since(&mut since), 0);
    assert_eq!(rows_in_outbox(&here).await, 0);
    assert!(row.delete(&here.orm).await.unwrap());
    assert_eq!(rows_in_outbox(&here).await, 0);
    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap(), None);
}

/// The key is that of one write: not of the transaction after it, nor of others'
/// SQL on the same connection.
#[tokio::test]
async fn only_the_write_itself_is_left_out() {
    let here = Here::built(&[PAGES], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Page>().await.unwrap();
    page(1, "a").insert(&here.orm).await.unwrap();
    for _ in 0..20 {
        // On each of the pool's connections in turn.
        page(1, "b").update(&here.orm).await.unwrap();
        let before = rows_in_outbox(&here).await;
        here.run("UPDATE pages SET body = 'c' WHERE id = 1").await;
        assert_eq!(rows_in_outbox(&here).await, before + 1);
    }
    here.orm.drain_outbox().await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "d").update(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(here.orm.drain_outbox().await.unwrap().drained, 1);
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "d");
}

/// Behind a pooler that gives connections to others, LISTEN would stay behind.
#[tokio::test]
async fn without_listening_only_the_poll_finds_what_others_write() {
    for (listens, poll) in [(false, 3_600_000), (false, 50), (true, 3_600_000)] {
        let here = Here::built(&[PAGES], |builder| {
            builder.listen(listens).outbox_poll(Duration::from_millis(poll))
        })
        .await;
        here.orm.install_outbox().await.unwrap();
        here.orm.install_triggers::<Page>().await.unwrap();
        here.run("INSERT INTO pages VALUES (1, 'a')").await;
        let is_cached = async || {
            Page::fetch(&here.orm, 1).await.unwrap();
            Page::get_cached_instance(&here.orm, 1).await.unwrap().is_some()
        };
        until("the page is cached", is_cached).await;
        // What the installation has set going is over.
        sleep(Duration::from_millis(500)).await;
        until("the page is cached still", is_cached).await;
        here.run("UPDATE pages SET body = 'b' WHERE id = 1").await;
        if listens || poll < 1_000 {
            let is_new = async || Page::fetch_one(&here.orm, 1).await.unwrap().body == "b";
            until("the new page is read", is_new).await;
        } else {
            sleep(Duration::from_millis(500)).await;
            assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "a");
            assert_eq!(here.orm.drain_outbox().await.unwrap().remaining, 0);
            assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "b");
        }
    }
}

/// A trigger that turns DELETE into UPDATE hides from the library that the row
/// has changed.
#[tokio::test]
async fn what_a_trigger_does_instead_of_the_write_is_noted() {
    let here = pages().await;
    here.run(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN UPDATE pages SET body = 'deleted' WHERE id = OLD.id; RETURN NULL; END $$;
         CREATE TRIGGER keep BEFORE DELETE ON pages FOR EACH ROW EXECUTE FUNCTION keep()",
    )
    .await;
    let row = page(1, "a").insert(&here.orm).await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), row);
    assert!(!row.delete(&here.orm).await.unwrap());
    assert_eq!(here.orm.drain_outbox().await.unwrap().drained, 1);
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "deleted");
}

/// A trigger that gives the row another key.
#[tokio::test]
async fn a_row_under_another_key_than_was_asked_for_is_noted() {
    let here = pages().await;
    here.run(
        "CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.id := NEW.id + 100; RETURN NEW; END $$;
         CREATE TRIGGER move BEFORE INSERT ON pages FOR EACH ROW EXECUTE FUNCTION move()",
    )
    .await;
    assert_eq!(Page::fetch(&here.orm, 101).await.unwrap(), None);
    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap(), None);
    let row = page(1, "a").insert(&here.orm).await.unwrap();
    assert_eq!(row.id, 101);
    assert_eq!(here.orm.drain_outbox().await.unwrap().drained, 1);
    assert_eq!(Page::fetch_one(&here.orm, 101).await.unwrap(), row);
    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap(), None);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "children", database = Postgres)]
struct Child {
    #[primary_key]
    id: i64,
    page: Option<i64>,
}

#[tokio::test]
async fn rows_that_foreign_keys_change_are_noted() {
    let here = pages().await;
    here.run(
        "CREATE TABLE children (id BIGINT PRIMARY KEY,
            page BIGINT REFERENCES pages ON DELETE CASCADE ON UPDATE CASCADE);
         INSERT INTO pages VALUES (1, 'a'), (2, 'a');
         INSERT INTO children VALUES (10, 1), (20, 2)",
    )
    .await;
    here.orm.install_triggers::<Child>().await.unwrap();
    here.orm.drain_outbox().await.unwrap();
    for id in [10, 20] {
        assert!(Child::fetch(&here.orm, id).await.unwrap().is_some());
    }
    // By the library and by others.
    assert!(page(1, "a").delete(&here.orm).await.unwrap());
    here.run("UPDATE pages SET id = 3 WHERE id = 2").await;
    here.orm.drain_outbox().await.unwrap();
    assert_eq!(Child::fetch(&here.orm, 10).await.unwrap(), None);
    assert_eq!(Child::fetch_one(&here.orm, 20).await.unwrap().page, Some(3));
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "events", database = Postgres, accepts(partitions))]
struct Event {
    #[primary_key]
    year: i32,
    #[primary_key]
    name: String,
    text: String,
}

#[tokio::test]
async fn partitions_of_any_layout_are_noted() {
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    here.run(
        "CREATE TABLE events (year INT, name CHAR(5), text TEXT, PRIMARY KEY (year, name))
            PARTITION BY LIST (year);
         CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
         CREATE TABLE events_2 (dropped INT, text TEXT, name CHAR(5) NOT NULL, year INT NOT NULL);
         ALTER TABLE events_2 DROP COLUMN dropped;
         INSERT INTO events VALUES (1, 'aaaaa', 'old')",
    )
    .await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Event>().await.unwrap();
    here.run("ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES IN (2)").await;
    here.run("INSERT INTO events VALUES (2, 'bbbbb', 'old')").await;
    here.orm.drain_outbox().await.unwrap();
    let keys = [(1, "aaaaa".to_owned()), (2, "bbbbb".to_owned())];
    for sql in [
        "UPDATE events_1 SET text = 'new'; UPDATE events_2 SET text = 'new'",
        "UPDATE events SET year = 3 - year",
        "DELETE FROM events_1",
        "TRUNCATE events",
    ] {
        for key in &keys {
            Event::fetch(&here.orm, key.clone()).await.unwrap();
        }
        here.run(sql).await;
        here.orm.drain_outbox().await.unwrap();
        for key in &keys {
            let database = Event::fetch_uncached(&here.orm, key.clone()).await.unwrap();
            assert_eq!(Event::fetch(&here.orm, key.clone()).await.unwrap(), database, "{sql}");
        }
    }
}

/// As another program, with rights on the table only, a search path of its own
/// and as the worker of a replication.
#[tokio::test]
async fn others_need_no_rights_on_the_outbox() {
    let here = pages().await;
    let schema: String =
        sqlx::query_scalar("SELECT current_schema()").fetch_one(here.orm.pool()).await.unwrap();
    page(1, "a").insert(&here.orm).await.unwrap();
    let role = format!("{schema}_writer");
    here.run(&format!(
        "CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT, UPDATE ON pages TO {role}"
    ))
    .await;
    let other = here.other_pool().await;
    let updated = Postgres::run(
        &other,
        &format!(
            "BEGIN; SET LOCAL ROLE {role}; SET LOCAL search_path = pg_temp;
             CREATE TEMPORARY TABLE cached_orm_outbox (namespace TEXT, cache_key TEXT);
             UPDATE {schema}.pages SET body = 'b'; COMMIT"
        ),
    )
    .await;
    here.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    updated.unwrap();
    assert_eq!(here.orm.drain_outbox().await.unwrap().drained, 1);
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "b");
    let applied = "SET session_replication_role = replica; UPDATE pages SET body = 'c'; RESET ALL";
    Postgres::run(&other, applied).await.unwrap();
    assert_eq!(here.orm.drain_outbox().await.unwrap().drained, 1);
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "c");
}

#[tokio::test]
async fn a_table_with_children_and_dates_without_end() {
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    here.run(
        "CREATE TABLE children (id BIGINT PRIMARY KEY, page BIGINT);
         CREATE TABLE grandchildren () INHERITS (children)",
    )
    .await;
    here.orm.install_outbox().await.unwrap();
    let refused = here.orm.install_triggers::<Child>().await.unwrap_err();
    assert!(refused.to_string().contains("has child tables"), "{refused}");

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
    #[orm(table = "days", database = Postgres)]
    struct Day {
        #[primary_key]
        day: chrono::NaiveDate,
    }
    here.run("CREATE TABLE days (day DATE PRIMARY KEY)").await;
    here.orm.install_triggers::<Day>().await.unwrap();
    // Rust has no such days, and who writes them must not fail.
    here.run(
        "INSERT INTO days VALUES ('infinity'), ('-infinity'), ('5000000-01-01'), ('2026-01-31')",
    )
    .await;
    here.run("DELETE FROM days").await;
    assert_eq!(rows_in_outbox(&here).await, 2);
}
