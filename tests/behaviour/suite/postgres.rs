//! What only PostgreSQL does.

use super::Here;
use crate::tables::people::{PAGES, Page};
use cached_orm::{Error, Isolation, MemcachedOrm as _};

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

#[tokio::test]
async fn a_deferred_trigger_that_changes_the_row_at_commit_is_never_missed() {
    let here = Here::with(&[PAGES]).await;
    here.run(
        "CREATE FUNCTION seal() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN UPDATE pages SET body = NEW.body || ' sealed' WHERE id = NEW.id;
               RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER seal AFTER INSERT OR UPDATE ON pages
            DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.body NOT LIKE '% sealed') EXECUTE FUNCTION seal()",
    )
    .await;
    page(1, "a").insert(&here.orm).await.unwrap();
    for body in ["b", "c"] {
        let mut row = page(1, body);
        row.update(&here.orm).await.unwrap();
        for _ in 0..2 {
            let read = Page::fetch_one(&here.orm, 1).await.unwrap();
            assert_eq!(read.body, format!("{body} sealed"));
        }
    }
}

#[tokio::test]
async fn a_deferred_trigger_that_raises_at_commit_rolls_back() {
    let here = Here::with(&[PAGES]).await;
    let row = page(1, "old").insert(&here.orm).await.unwrap();
    Page::fetch(&here.orm, 1).await.unwrap();
    here.run(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION USING ERRCODE = '23514'; END $$;
         CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON pages
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await;
    let mut changed = page(1, "new");
    let error = changed.update(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::RolledBack { .. }), "{error}");
    assert_eq!(changed, page(1, "new"));
    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap().as_ref(), Some(&row));
    assert_eq!(Page::fetch_uncached(&here.orm, 1).await.unwrap(), Some(row));
}

#[tokio::test]
async fn a_deferred_trigger_that_raises_whatever_it_likes_leaves_cache_and_database_agreed() {
    let here = Here::with(&[PAGES]).await;
    let row = page(1, "old").insert(&here.orm).await.unwrap();
    Page::fetch(&here.orm, 1).await.unwrap();
    here.run(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON pages
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await;
    page(1, "new").update(&here.orm).await.unwrap_err();
    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap().as_ref(), Some(&row));
    assert_eq!(Page::fetch_uncached(&here.orm, 1).await.unwrap(), Some(row));
}

#[tokio::test]
async fn a_serialization_failure_at_commit_rolls_back_and_the_entry_is_clean() {
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    page(2, "old").insert(&here.orm).await.unwrap();
    for id in [1, 2] {
        Page::fetch(&here.orm, id).await.unwrap();
    }
    // Each reads what the other writes: one after the other is not what they saw.
    let mut first = here.orm.begin_with(Isolation::Serializable).await.unwrap();
    let mut second = here.orm.begin_with(Isolation::Serializable).await.unwrap();
    Page::fetch(&mut first, 1).await.unwrap();
    Page::fetch(&mut second, 2).await.unwrap();
    page(2, "first").update(&mut first).await.unwrap();
    page(1, "second").update(&mut second).await.unwrap();
    first.commit().await.unwrap();
    let error = second.commit().await.unwrap_err();
    assert!(matches!(error, Error::RolledBack { .. }), "{error}");
    assert!(error.to_string().contains("40001"), "{error}");

    for (id, body) in [(1, "old"), (2, "first")] {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap().body, body);
        let cached = Page::get_cached_instance(&here.orm, id).await.unwrap();
        assert_eq!(cached, Some(page(id, body)));
    }
}

#[tokio::test]
async fn an_update_that_is_not_serializable_is_an_error_and_writes_nothing() {
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    let mut transaction = here.orm.begin_with(Isolation::RepeatableRead).await.unwrap();
    Page::fetch(&mut transaction, 1).await.unwrap();
    page(1, "others").update(&here.orm).await.unwrap();
    let error = page(1, "mine").update(&mut transaction).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    let error = transaction.commit().await.unwrap_err();
    assert!(matches!(error, Error::RolledBack { .. }), "{error}");
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "others");
}
