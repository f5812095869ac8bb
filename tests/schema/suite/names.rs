//! One table under two names.

use super::{Database, Here};
use crate::{
    databases::Kind,
    rows::{NOTES, Plain, plain},
};
use cached_orm::{Error, MemcachedOrm, Orm, test_kit::MemoryStore};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

macro_rules! notes_as {
    ($name:ident, $table:literal $(, $option:ident = $value:literal)*) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
        #[orm(table = $table $(, $option = $value)*)]
        struct $name {
            #[primary_key]
            id: i64,
            body: String,
            code: i64,
        }
    };
}

notes_as!(InMain, "main.notes");
notes_as!(Upper, "NOTES");
notes_as!(Named, "notes", cache_name = "remarks");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes", also_fences(Named))]
struct Fencing {
    #[primary_key]
    id: i64,
    body: String,
    code: i64,
}

/// Both handles write; which is refused names both structs and what to do.
fn assert_refused(error: &Error, own: &str, other: &str) {
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    let text = error.to_string();
    for part in [&format!("of {own}: cache name "), &format!("{other} is on the same table"), "`cache_name`"] {
        assert!(text.contains(part), "{text}");
    }
}

async fn write_refused<T: Writes>(orm: &Orm<Database>, other: &str) {
    assert_refused(&T::write(orm).await.unwrap_err(), T::NAME, other);
    let mut transaction = orm.begin().await.unwrap();
    assert_refused(&T::write_in(&mut transaction).await.unwrap_err(), T::NAME, other);
    transaction.rollback().await.unwrap();
}

trait Writes {
    const NAME: &'static str;
    async fn write(orm: &Orm<Database>) -> Result<(), Error>;
    async fn write_in(
        transaction: &mut cached_orm::Transaction<Database>,
    ) -> Result<(), Error>;
}

macro_rules! writes {
    ($($name:ident),*) => { $(
        impl Writes for $name {
            const NAME: &'static str = stringify!($name);
            async fn write(orm: &Orm<Database>) -> Result<(), Error> {
                $name { id: 1, body: "new".into(), code: 1 }.update(orm).await
            }
            async fn write_in(
                transaction: &mut cached_orm::Transaction<Database>,
            ) -> Result<(), Error> {
                $name::delete_by_key(transaction, 1).await.map(drop)
            }
        }
    )* };
}
writes!(InMain, Upper, Named);

async fn notes() -> Here {
    let here = Here::with(&[NOTES]).await;
    plain(1, "old").insert(&here.orm).await.unwrap();
    here
}

#[tokio::test]
async fn a_table_with_its_schema_is_the_same_table() {
    let here = notes().await;
    // The servers' tests are in files of their own: a struct's schema has a name that
    // stays, and a test's has not.
    if Here::DATABASE == Kind::Sqlite {
        InMain::fetch_one(&here.orm, 1).await.unwrap();
        write_refused::<InMain>(&here.orm, "Plain").await;
        let error = plain(1, "new").update(&here.orm).await.unwrap_err();
        assert_refused(&error, "Plain", "InMain");
    }
}

#[tokio::test]
async fn a_table_in_other_letters_is_the_same_table_where_the_database_says_so() {
    let here = notes().await;
    if Here::DATABASE == Kind::Sqlite {
        assert_eq!(Upper::fetch_one(&here.orm, 1).await.unwrap().body, "old");
        write_refused::<Upper>(&here.orm, "Plain").await;
    }
    // The struct that was there first has left nothing behind.
    assert_eq!(Plain::fetch_one(&here.orm, 1).await.unwrap().body, "old");
}

/// Reads count that were hits.
#[tokio::test]
async fn a_cache_name_that_a_write_does_not_fence_is_refused() {
    let here = notes().await;
    Named::fetch_one(&here.orm, 1).await.unwrap();
    let other = here.other_handle().await;
    plain(1, "old").update(&other).await.unwrap();
    Named::fetch_one(&other, 1).await.unwrap();
    assert_refused(&plain(1, "new").update(&other).await.unwrap_err(), "Plain", "Named");
    write_refused::<Named>(&here.orm, "Plain").await;
    // One that fences the other may write.
    let mut fencing = Fencing { id: 1, body: "newest".into(), code: 1 };
    fencing.update(&here.orm).await.unwrap();
    assert_eq!(Named::fetch_one(&here.orm, 1).await.unwrap().body, "newest");
}

/// Its table was never looked at: the row lay in the cache.
#[tokio::test]
async fn a_hit_under_another_name_while_a_write_is_open() {
    if Here::DATABASE != Kind::Sqlite {
        return;
    }
    let here = notes().await;
    let cache = Arc::new(MemoryStore::new());
    let one = here.handle(|builder| builder.store(cache.clone())).await;
    assert_eq!(InMain::fetch_one(&one, 1).await.unwrap().body, "old");
    let other = here.handle(|builder| builder.store(cache)).await;
    let mut transaction = other.begin().await.unwrap();
    plain(1, "new").update(&mut transaction).await.unwrap();
    assert_eq!(InMain::fetch_one(&other, 1).await.unwrap().body, "old");
    assert_eq!(other.statistics().hits, 1);
    assert_refused(&transaction.commit().await.unwrap_err(), "Plain", "InMain");
    assert_eq!(InMain::fetch_uncached(&other, 1).await.unwrap().unwrap().body, "old");
}

/// One number can be a key of either.
#[tokio::test]
async fn two_primary_keys_under_one_cache_name() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
    #[orm(table = "notes")]
    struct ByCode {
        #[primary_key]
        code: i64,
        id: i64,
        body: String,
    }
    let here = notes().await;
    here.run("CREATE UNIQUE INDEX by_code ON notes (code)").await;
    assert!(Plain::fetch(&here.orm, 1).await.unwrap().is_some());
    for _ in 0..2 {
        let error = ByCode::fetch(&here.orm, 1).await.unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{error}");
        assert!(error.to_string().contains("Plain, whose primary key is id"), "{error}");
    }
}

/// Triggers of one name are one another's.
#[tokio::test]
async fn triggers_that_would_tell_of_less_than_those_of_another_struct() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
    #[orm(table = "notes")]
    struct Indexed {
        #[primary_key]
        id: i64,
        #[orm(index)]
        body: String,
    }
    notes_as!(Bare, "notes");
    let here = notes().await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Bare>().await.unwrap();
    here.orm.install_triggers::<Indexed>().await.unwrap();
    let error = here.orm.install_triggers::<Bare>().await.unwrap_err().to_string();
    assert!(error.contains("replace those of Indexed") && error.contains("index `body`"), "{error}");
}

/// What has one cache name shares its entries, those of indexes too.
#[tokio::test]
async fn an_index_that_another_name_of_the_table_does_not_have() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
    #[orm(table = "notes", cache_name = "shared")]
    struct Indexed {
        #[primary_key]
        id: i64,
        #[orm(index)]
        body: String,
        code: i64,
    }
    let here = notes().await;
    assert_eq!(Indexed::fetch_by_body(&here.orm, "new").await.unwrap(), []);
    if Here::DATABASE != Kind::Sqlite {
        // `names_on_servers.rs` has names with a schema.
        return;
    }
    let refused = Shouted { id: 2, body: "new".into(), code: 2 }.insert(&here.orm).await;
    let error = refused.unwrap_err();
    assert!(error.to_string().contains("by an index of Indexed"), "{error}");
}
notes_as!(Shouted, "NOTES", cache_name = "shared");
