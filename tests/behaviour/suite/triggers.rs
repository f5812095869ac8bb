//! Triggers that change the row that is written.

use super::Here;
use crate::{
    databases::Kind,
    tables::people::{COUNTERS, Counter, PAGES, Page},
};
use cached_orm::MemcachedOrm as _;

fn page(body: &str) -> Page {
    Page { id: 1, body: body.into() }
}

/// The cache never shows another row than the database.
async fn assert_body(here: &Here, expected: &str) {
    for _ in 0..3 {
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, expected);
    }
    assert_eq!(Page::fetch_uncached(&here.orm, 1).await.unwrap().unwrap().body, expected);
}

#[tokio::test]
async fn update_shows_what_a_before_trigger_made_of_the_row() {
    let here = Here::with(&[PAGES]).await;
    // SQLite's BEFORE triggers cannot change the row, so there an AFTER trigger does.
    here.run(match Here::DATABASE {
        Kind::Postgres => {
            "CREATE FUNCTION louder() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN NEW.body := NEW.body || '!'; RETURN NEW; END $$;
             CREATE TRIGGER louder BEFORE INSERT OR UPDATE ON pages
                FOR EACH ROW EXECUTE FUNCTION louder()"
        }
        Kind::MariaDb => {
            "CREATE TRIGGER louder BEFORE INSERT ON pages
                FOR EACH ROW SET NEW.body = CONCAT(NEW.body, '!');
             CREATE TRIGGER louder_again BEFORE UPDATE ON pages
                FOR EACH ROW SET NEW.body = CONCAT(NEW.body, '!')"
        }
        Kind::Sqlite => {
            "CREATE TRIGGER louder AFTER INSERT ON pages
                BEGIN UPDATE pages SET body = body || '!' WHERE id = NEW.id; END;
             CREATE TRIGGER louder_again AFTER UPDATE OF body ON pages
                BEGIN UPDATE pages SET body = NEW.body || '!' WHERE id = NEW.id; END;
             PRAGMA recursive_triggers = OFF"
        }
    })
    .await;
    let inserted = page("a").insert(&here.orm).await.unwrap();
    let mut updated = page("b");
    if Here::DATABASE == Kind::Sqlite {
        // The trigger of the insert has fired the one of the update.
        assert_body(&here, "a!!").await;
        updated.update(&here.orm).await.unwrap();
    } else {
        assert_eq!(inserted.body, "a!");
        assert_body(&here, "a!").await;
        updated.update(&here.orm).await.unwrap();
        assert_eq!(updated.body, "b!");
        // The row is final, so it is in the cache already.
        let cached = Page::get_cached_instance(&here.orm, 1).await.unwrap();
        assert_eq!(cached, Some(updated));
    }
    assert_body(&here, "b!").await;
}

#[tokio::test]
async fn a_row_that_an_after_trigger_changes_again_is_never_cached_as_it_was_before() {
    // MariaDB's triggers cannot change their own table.
    let sql = match Here::DATABASE {
        Kind::Postgres => {
            "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN UPDATE pages SET body = NEW.body || ' stamped' WHERE id = NEW.id;
                   RETURN NULL; END $$;
             CREATE TRIGGER stamp AFTER INSERT OR UPDATE ON pages
                FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION stamp()"
        }
        Kind::Sqlite => {
            "CREATE TRIGGER stamp AFTER UPDATE OF body ON pages
                BEGIN UPDATE pages SET body = NEW.body || ' stamped' WHERE id = NEW.id; END"
        }
        Kind::MariaDb => "SELECT 1",
    };
    let stamped = if Here::DATABASE == Kind::MariaDb { "" } else { " stamped" };
    let here = Here::with(&[PAGES]).await;
    here.run("INSERT INTO pages VALUES (1, 'a')").await;
    here.run(sql).await;
    for body in ["b", "c", "d"] {
        page(body).update(&here.orm).await.unwrap();
        assert_body(&here, &format!("{body}{stamped}")).await;
        let mut transaction = here.orm.begin().await.unwrap();
        page(body).update(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
        assert_body(&here, &format!("{body}{stamped}")).await;
    }
}

/// An update fires no trigger of inserts, which may come back to the row they insert.
#[tokio::test]
async fn an_update_is_written_through_beside_a_trigger_of_inserts() {
    let here = Here::with(&[PAGES]).await;
    here.run("CREATE TABLE log (page BIGINT)").await;
    here.run(match Here::DATABASE {
        Kind::Postgres => {
            "CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$;
             CREATE TRIGGER logged BEFORE INSERT ON pages
                FOR EACH ROW EXECUTE FUNCTION logged()"
        }
        Kind::MariaDb => {
            "CREATE TRIGGER logged AFTER INSERT ON pages
                FOR EACH ROW INSERT INTO log VALUES (NEW.id)"
        }
        Kind::Sqlite => {
            "CREATE TRIGGER logged AFTER INSERT ON pages
                BEGIN INSERT INTO log VALUES (NEW.id); END"
        }
    })
    .await;
    let cached = async || Page::get_cached_instance(&here.orm, 1).await.unwrap();
    let is_read_afterwards = Here::DATABASE == Kind::MariaDb;
    let mut row = page("a").insert(&here.orm).await.unwrap();
    assert_eq!(cached().await.is_some(), is_read_afterwards);
    assert_body(&here, "a").await;
    for body in ["b", "c"] {
        row.body = body.into();
        row.update(&here.orm).await.unwrap();
        assert_eq!(cached().await.as_ref(), Some(&row));
    }
    row.body = "d".into();
    row.upsert(&here.orm).await.unwrap();
    assert_eq!(cached().await.is_some(), is_read_afterwards);
    assert_body(&here, "d").await;
}

#[tokio::test]
async fn a_row_numbered_by_a_trigger_is_read_with_its_last_number() {
    let here = Here::with(&[COUNTERS]).await;
    let mut row = Counter { id: 1, writer: 0, revision: 0 }.insert(&here.orm).await.unwrap();
    for round in 1..=5 {
        row.writer = round;
        row.update(&here.orm).await.unwrap();
        let read = Counter::fetch_one(&here.orm, 1).await.unwrap();
        assert_eq!((read.writer, read.revision), (round, i64::from(round)));
    }
}
