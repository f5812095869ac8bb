//! A migration changes the schema while programs run. Not a single acknowledged write
//! may leave a row in the cache that the database does not have.

use super::{Database, Here};
use crate::{
    databases::Kind,
    rows::{NOTES, Note, NoteColumns, Plain, PlainColumns, note, plain},
};
use cached_orm::{MemcachedOrm as _, Orm};

/// What a migration adds, by its name.
fn migrations() -> Vec<(&'static str, &'static str)> {
    match Here::DATABASE {
        Kind::Postgres => vec![
            (
                "an AFTER trigger",
                "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF pg_trigger_depth() = 1 THEN
                        UPDATE notes SET shout = upper(NEW.body), slug = 's-' || NEW.body
                        WHERE id = NEW.id;
                    END IF;
                    RETURN NULL; END $$;
                 CREATE TRIGGER shout AFTER INSERT OR UPDATE ON notes
                    FOR EACH ROW EXECUTE FUNCTION shout()",
            ),
            (
                "an AFTER trigger in the place of a BEFORE trigger",
                "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF pg_trigger_depth() = 1 THEN
                        UPDATE notes SET shout = upper(NEW.body), slug = 's-' || NEW.body
                        WHERE id = NEW.id;
                    END IF;
                    RETURN NEW; END $$;
                 CREATE TRIGGER shout BEFORE INSERT ON notes
                    FOR EACH ROW EXECUTE FUNCTION shout();
                 CREATE OR REPLACE TRIGGER shout AFTER INSERT OR UPDATE ON notes
                    FOR EACH ROW EXECUTE FUNCTION shout()",
            ),
            (
                "an AFTER trigger that is switched on",
                "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF pg_trigger_depth() = 1 THEN
                        UPDATE notes SET shout = upper(NEW.body), slug = 's-' || NEW.body
                        WHERE id = NEW.id;
                    END IF;
                    RETURN NULL; END $$;
                 CREATE TRIGGER shout AFTER INSERT OR UPDATE ON notes
                    FOR EACH ROW EXECUTE FUNCTION shout();
                 ALTER TABLE notes DISABLE TRIGGER shout; ALTER TABLE notes ENABLE TRIGGER shout",
            ),
            (
                "a child whose trigger comes back by ON UPDATE CASCADE",
                "CREATE TABLE replies (id BIGINT PRIMARY KEY,
                    code BIGINT REFERENCES notes (code) ON UPDATE CASCADE);
                 INSERT INTO replies SELECT id, code FROM notes;
                 CREATE FUNCTION moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    UPDATE notes SET shout = 'moved', slug = 'moved-' || id WHERE code = NEW.code;
                    RETURN NULL; END $$;
                 CREATE TRIGGER moved AFTER UPDATE ON replies
                    FOR EACH ROW EXECUTE FUNCTION moved()",
            ),
        ],
        // Its triggers cannot change their own table, and its cascades fire none.
        Kind::MariaDb => vec![(
            "a BEFORE trigger",
            "CREATE TRIGGER shout_1 BEFORE INSERT ON notes FOR EACH ROW
                SET NEW.shout = UPPER(NEW.body), NEW.slug = CONCAT('s-', NEW.body);
             CREATE TRIGGER shout_2 BEFORE UPDATE ON notes FOR EACH ROW
                SET NEW.shout = UPPER(NEW.body), NEW.slug = CONCAT('s-', NEW.body)",
        )],
        Kind::Sqlite => vec![
            (
                "an AFTER trigger",
                "CREATE TRIGGER shout_1 AFTER INSERT ON notes BEGIN
                    UPDATE notes SET shout = upper(NEW.body), slug = 's-' || NEW.body
                    WHERE id = NEW.id; END;
                 CREATE TRIGGER shout_2 AFTER UPDATE OF body ON notes BEGIN
                    UPDATE notes SET shout = upper(NEW.body), slug = 's-' || NEW.body
                    WHERE id = NEW.id; END",
            ),
            (
                "a child whose trigger comes back by ON UPDATE CASCADE",
                "CREATE TABLE replies (id INTEGER PRIMARY KEY,
                    code BIGINT REFERENCES notes (code) ON UPDATE CASCADE);
                 INSERT INTO replies SELECT id, code FROM notes;
                 CREATE TRIGGER moved AFTER UPDATE ON replies BEGIN
                    UPDATE notes SET shout = 'moved', slug = 'moved-' || id WHERE code = NEW.code;
                 END",
            ),
        ],
    }
}

/// Every way to write one row or several of [`Note`], that go by a transaction of
/// their own; each writes rows that are new, or have the body `old`.
const WAYS: [&str; 6] = ["insert", "update", "patch", "upsert", "insert_many", "update_many"];

macro_rules! writes_of {
    ($row:ident, $columns:ident, $new:ident: $write:ident) => {
        async fn $write(orm: &Orm<Database>, way: &str, first: i64, body: &str) {
            let bodies = |id: i64| format!("{body}-{id}");
            let changed = |id: i64| $row { code: id + 1000, ..$new(id, &bodies(id)) };
            match way {
                "insert" => drop($new(first, &bodies(first)).insert(orm).await.unwrap()),
                "update" => changed(first).update(orm).await.unwrap(),
                "patch" => {
                    let patch = $row::patch(first).set($columns::BODY, bodies(first));
                    patch.set($columns::CODE, first + 1000).execute(orm).await.unwrap();
                }
                "upsert" => drop(changed(first).upsert(orm).await.unwrap()),
                "insert_many" => {
                    let rows: Vec<_> = (first..first + 3).map(|id| $new(id, &bodies(id))).collect();
                    $row::insert_many(orm, &rows).await.unwrap();
                }
                "update_many" => {
                    let mut rows: Vec<_> = (first..first + 3).map(changed).collect();
                    $row::update_many(orm, &mut rows).await.unwrap();
                }
                other => panic!("{other}"),
            }
        }
    };
}
writes_of!(Note, NoteColumns, note: write);
writes_of!(Plain, PlainColumns, plain: write_plain);

/// Rows to write on, in the database only.
async fn rows_for(here: &Here, way: &str, first: i64) {
    if !way.starts_with("insert") {
        for id in first..first + 3 {
            here.run(&format!("INSERT INTO notes (id, body, code) VALUES ({id}, 'old', {id})"))
                .await;
        }
    }
}

#[tokio::test]
async fn no_row_is_cached_that_a_new_trigger_has_changed() {
    for (migration, sql) in migrations() {
        for way in WAYS {
            let here = Here::with(&[NOTES]).await;
            rows_for(&here, way, 1).await;
            rows_for(&here, way, 11).await;
            write_plain(&here.orm, way, 1, "before").await;
            here.run(sql).await;
            write_plain(&here.orm, way, 11, "after").await;
            for id in [11, 12, 13] {
                let database = Plain::fetch_uncached(&here.orm, id).await.unwrap();
                let cached = Plain::fetch(&here.orm, id).await.unwrap();
                assert_eq!(cached, database, "{migration}, {way}");
            }
            let written = Plain::fetch_one(&here.orm, 11).await.unwrap();
            let fires = way != "insert" && way != "insert_many" || !migration.contains("CASCADE");
            assert_eq!(written.shout.is_some(), fires, "{migration}, {way}: {written:?}");
        }
    }
}

/// "No row has this value" lies in the cache, and a trigger gives it to a row.
#[tokio::test]
async fn a_value_that_a_new_trigger_gives_to_a_row_is_found() {
    for (migration, sql) in migrations() {
        for way in WAYS {
            let here = Here::with(&[NOTES]).await;
            rows_for(&here, way, 1).await;
            rows_for(&here, way, 11).await;
            write(&here.orm, way, 1, "before").await;
            here.run(sql).await;
            let value = |id: i64| match migration.contains("CASCADE") {
                true => format!("moved-{id}"),
                false => format!("s-after-{id}"),
            };
            for id in [11, 12, 13] {
                assert_eq!(Note::fetch_by_slug(&here.orm, value(id)).await.unwrap(), None);
            }
            write(&here.orm, way, 11, "after").await;
            for id in [11, 12, 13] {
                let row = Note::fetch_uncached(&here.orm, id).await.unwrap();
                let expected = row.filter(|row| row.slug == Some(value(id)));
                let found = Note::fetch_by_slug(&here.orm, value(id)).await.unwrap();
                assert_eq!(found, expected, "{migration}, {way}");
            }
        }
    }
}

/// As with a transaction of the program's own, where only values can be at stake.
#[tokio::test]
async fn a_value_that_a_trigger_gives_in_a_transaction_is_found() {
    for (migration, sql) in migrations() {
        let here = Here::with(&[NOTES]).await;
        rows_for(&here, "update", 1).await;
        here.run(sql).await;
        let value = match migration.contains("CASCADE") {
            true => "moved-1",
            false => "s-after",
        };
        assert_eq!(Note::fetch_by_slug(&here.orm, value).await.unwrap(), None);
        let mut transaction = here.orm.begin().await.unwrap();
        let mut changed = Note { code: 1000, ..note(1, "after") };
        changed.update(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
        let found = Note::fetch_by_slug(&here.orm, value).await.unwrap();
        assert_eq!(found, Note::fetch_uncached(&here.orm, 1).await.unwrap(), "{migration}");
        assert!(found.is_some_and(|row| row.slug.as_deref() == Some(value)), "{migration}");
    }
}

/// The check costs nobody the rows that are as they were returned.
#[tokio::test]
async fn rows_that_nothing_changes_are_still_cached_by_the_write() {
    let here = Here::with(&[NOTES]).await;
    for way in WAYS {
        here.run("DELETE FROM notes").await;
        rows_for(&here, way, 1).await;
        let written = here.statistics().write_throughs;
        write_plain(&here.orm, way, 1, "new").await;
        assert!(here.statistics().write_throughs > written, "{way}");
    }
    // After a change that is of no consequence the catalog is asked once more.
    here.run(match Here::DATABASE {
        Kind::Postgres | Kind::Sqlite => "CREATE INDEX by_body ON notes (body)",
        Kind::MariaDb => "ALTER TABLE notes ADD INDEX by_body (body)",
    })
    .await;
    here.run("DELETE FROM notes").await;
    write_plain(&here.orm, "insert", 1, "new").await;
    let written = here.statistics().write_throughs;
    write_plain(&here.orm, "update", 1, "newer").await;
    assert_eq!(here.statistics().write_throughs, written + 1);
}

/// The migration waits for the write, or the write for it; between them is no gap.
#[tokio::test]
async fn beside_a_migration_nothing_is_cached_that_is_not_so() {
    let (_, sql) = migrations()[0];
    for round in 0..4 {
        let here = Here::with(&[NOTES]).await;
        here.run("INSERT INTO notes (id, body, code) VALUES (1, 'old', 1)").await;
        let writing = async {
            for n in 0..40 {
                let body = format!("b{n}");
                Plain::patch(1).set(PlainColumns::BODY, body).execute(&here.orm).await.unwrap();
                let cached = Plain::fetch_one(&here.orm, 1).await.unwrap();
                let database = Plain::fetch_uncached(&here.orm, 1).await.unwrap();
                assert_eq!(Some(cached), database, "round {round}, write {n}");
            }
        };
        let migrating = async {
            for _ in 0..round * 3 {
                tokio::task::yield_now().await;
                Plain::fetch_uncached(&here.orm, 1).await.unwrap();
            }
            here.run(sql).await;
        };
        futures_util::future::join(writing, migrating).await;
        // The migration may have come after the last of the writes.
        Plain::patch(1).set(PlainColumns::BODY, "last").execute(&here.orm).await.unwrap();
        assert!(Plain::fetch_one(&here.orm, 1).await.unwrap().shout.is_some());
    }
}

/// To SQLite a name in double quotes that is no column's is a string.
#[tokio::test]
async fn a_column_that_is_renamed_is_not_read() {
    let here = Here::with(&[NOTES]).await;
    here.run("INSERT INTO notes (id, body, code) VALUES (1, 'one', 1), (2, 'two', 2)").await;
    for _ in 0..10 {
        Plain::fetch_uncached(&here.orm, 1).await.unwrap();
    }
    here.run("ALTER TABLE notes RENAME COLUMN body TO content").await;
    for _ in 0..10 {
        Plain::fetch_uncached(&here.orm, 1).await.unwrap_err();
        Plain::fetch(&here.orm, 2).await.unwrap_err();
    }
}

/// It comes back to the row at COMMIT, from a table to which a BEFORE trigger writes.
#[tokio::test]
async fn a_deferred_trigger_on_another_table() {
    if Here::DATABASE != Kind::Postgres {
        // Elsewhere none is deferred.
        return;
    }
    let here = Here::with(&[NOTES]).await;
    here.run(
        "CREATE TABLE log (note BIGINT);
         CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$;
         CREATE TRIGGER log BEFORE INSERT OR UPDATE ON notes
            FOR EACH ROW EXECUTE FUNCTION log()",
    )
    .await;
    plain(1, "old").insert(&here.orm).await.unwrap();
    here.run(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE notes SET shout = 'late'
                WHERE id = NEW.note AND shout IS DISTINCT FROM 'late';
            RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER late AFTER INSERT ON log DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION late()",
    )
    .await;
    plain(1, "new").update(&here.orm).await.unwrap();
    let database = Plain::fetch_uncached(&here.orm, 1).await.unwrap();
    assert_eq!(database.as_ref().and_then(|row| row.shout.as_deref()), Some("late"));
    assert_eq!(Plain::fetch(&here.orm, 1).await.unwrap(), database);
}

/// A function is replaced without a lock on the table whose trigger calls it.
#[tokio::test]
async fn a_triggers_function_that_is_replaced() {
    if Here::DATABASE != Kind::Postgres {
        // Elsewhere triggers have no functions.
        return;
    }
    let here = Here::with(&[NOTES]).await;
    let function = |code: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                {code}; RETURN NEW; END $$"
        )
    };
    here.run(&function("NULL")).await;
    here.run(
        "CREATE TABLE log (note BIGINT);
         CREATE TRIGGER log BEFORE INSERT OR UPDATE ON notes
            FOR EACH ROW EXECUTE FUNCTION log();
         CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE notes SET shout = 'late'
                WHERE id = NEW.note AND shout IS DISTINCT FROM 'late';
            RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER late AFTER INSERT ON log DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION late()",
    )
    .await;
    plain(1, "old").insert(&here.orm).await.unwrap();
    let written = here.statistics().write_throughs;
    plain(1, "older").update(&here.orm).await.unwrap();
    assert_eq!(here.statistics().write_throughs, written + 1);
    here.run(&function("INSERT INTO log VALUES (NEW.id)")).await;
    plain(1, "new").update(&here.orm).await.unwrap();
    let database = Plain::fetch_uncached(&here.orm, 1).await.unwrap();
    assert_eq!(database.as_ref().and_then(|row| row.shout.as_deref()), Some("late"));
    assert_eq!(Plain::fetch(&here.orm, 1).await.unwrap(), database);
}
