//! Statements that triggers make others of: what they did is told to the cache, not
//! what they said.

use super::{Database, Here};
use crate::{
    databases::Kind,
    rows::{NOTES, Note, NoteColumns, note},
};
use cached_orm::{Error, MemcachedOrm as _, Transaction};

/// What a trigger does in a statement's place. MariaDB has none that do: its triggers
/// can neither skip a row nor change another one of their table.
fn instead_of(event: &str, deed: &str) -> Option<String> {
    let row = if event == "INSERT" { "NEW" } else { "OLD" };
    let deed = deed.replace("{row}", row);
    match Here::DATABASE {
        Kind::Postgres => Some(format!(
            "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF pg_trigger_depth() = 1 THEN {deed}; RETURN NULL; END IF;
                RETURN COALESCE(NEW, OLD); END $$;
             CREATE TRIGGER other BEFORE {event} ON notes FOR EACH ROW EXECUTE FUNCTION other()"
        )),
        Kind::Sqlite => Some(format!(
            "CREATE TRIGGER other BEFORE {event} ON notes BEGIN
                {deed}; SELECT RAISE(IGNORE); END"
        )),
        Kind::MariaDb => None,
    }
}

const HIDE: &str = "UPDATE notes SET body = 'hidden', slug = 'hidden' WHERE id = {row}.id";
const REMOVE: &str = "DELETE FROM notes WHERE id = {row}.id";

/// Here, with a row that is cached as are its value and that no row is hidden.
async fn here(late: Option<&str>, early: Option<&str>) -> Here {
    let here = Here::with(&[NOTES]).await;
    here.run("INSERT INTO notes (id, body, slug, code) VALUES (1, 'one', 'first', 1)").await;
    if let Some(sql) = early {
        here.run(sql).await;
    }
    // What is known of the table is old when it matters.
    let _ = note(9, "nine").insert(&here.orm).await;
    if let Some(sql) = late {
        here.run(sql).await;
    }
    assert_eq!(Note::fetch_one(&here.orm, 1).await.unwrap().body, "one");
    assert!(Note::fetch_by_slug(&here.orm, "first").await.unwrap().is_some());
    assert_eq!(Note::fetch_by_slug(&here.orm, "hidden").await.unwrap(), None);
    here
}

/// The cache and the database have the same row, and the same rows by value.
async fn assert_agrees(here: &Here, what: &str) {
    let database = Note::fetch_uncached(&here.orm, 1).await.unwrap();
    assert_eq!(Note::fetch(&here.orm, 1).await.unwrap(), database, "{what}");
    for slug in ["first", "hidden"] {
        let expected = database.clone().filter(|row| row.slug.as_deref() == Some(slug));
        let found = Note::fetch_by_slug(&here.orm, slug).await.unwrap();
        assert_eq!(found, expected, "{what}, by {slug}");
    }
}

/// Deletes by every way.
async fn delete(here: &Here, way: &str) -> bool {
    let row = || async { Note::fetch_uncached(&here.orm, 1).await.unwrap().unwrap() };
    match way {
        "delete" => row().await.delete(&here.orm).await.unwrap(),
        "delete_by_key" => Note::delete_by_key(&here.orm, 1).await.unwrap(),
        "delete_many" => Note::delete_many(&here.orm, [7, 1]).await.unwrap() > 0,
        "in a transaction" => {
            let mut transaction = here.orm.begin().await.unwrap();
            let deleted = Note::delete_by_key(&mut transaction, 1).await.unwrap();
            transaction.commit().await.unwrap();
            deleted
        }
        "in an sqlx transaction" => {
            let row = row().await;
            let mut transaction = here.orm.pool().begin().await.unwrap();
            let (deleted, pending) = row.delete_on(&here.orm, &mut transaction).await.unwrap();
            let fenced = pending.fence(&mut transaction).await.unwrap();
            transaction.commit().await.unwrap();
            fenced.release().await;
            deleted
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_delete_that_hides_or_removes_the_row_by_a_trigger() {
    let ways =
        ["delete", "delete_by_key", "delete_many", "in a transaction", "in an sqlx transaction"];
    for (deed, is_left) in [(HIDE, true), (REMOVE, false)] {
        let Some(sql) = instead_of("DELETE", deed) else { return };
        for way in ways {
            for is_late in [false, true] {
                let sql = Some(sql.as_str());
                let here = here(sql.filter(|_| is_late), sql.filter(|_| !is_late)).await;
                let what = format!("{way}, {deed}, late: {is_late}");
                assert!(!delete(&here, way).await, "{what}");
                assert_agrees(&here, &what).await;
                let row = Note::fetch(&here.orm, 1).await.unwrap();
                assert_eq!(row.is_some(), is_left, "{what}");
            }
        }
    }
}

/// Writes that meet no row fail; in a transaction of the program's own that may be
/// committed all the same.
#[tokio::test]
async fn an_update_or_insert_that_a_trigger_makes_something_else_of() {
    type Transactional = Transaction<Database>;
    async fn update(transaction: &mut Transactional) -> Result<(), Error> {
        Note { code: 1, ..note(1, "two") }.update(transaction).await
    }
    async fn patch(transaction: &mut Transactional) -> Result<(), Error> {
        Note::patch(1).set(NoteColumns::BODY, "two").execute(transaction).await.map(drop)
    }
    async fn insert(transaction: &mut Transactional) -> Result<(), Error> {
        note(1, "two").insert(transaction).await.map(drop)
    }
    for (event, deeds) in [("UPDATE", [HIDE, REMOVE]), ("INSERT", [HIDE, REMOVE])] {
        for deed in deeds {
            // SQLite's would call itself, and be none.
            let Some(sql) = instead_of(event, deed) else { return };
            if Here::DATABASE == Kind::Sqlite && event == "UPDATE" && deed == HIDE {
                continue;
            }
            for is_own in [true, false] {
                let here = here(None, Some(&sql)).await;
                for n in 0..2 {
                    let mut transaction = here.orm.begin().await.unwrap();
                    let failed = match (event, n) {
                        ("UPDATE", 0) => update(&mut transaction).await,
                        ("UPDATE", _) => patch(&mut transaction).await,
                        _ => insert(&mut transaction).await,
                    };
                    let error = failed.unwrap_err();
                    assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
                    if is_own {
                        transaction.rollback().await.unwrap();
                    } else {
                        transaction.commit().await.unwrap();
                    }
                    assert_agrees(&here, &format!("{event}, {deed}, rolled back: {is_own}")).await;
                }
            }
        }
    }
}
