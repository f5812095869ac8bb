//! What errors say of values: the column, its SQL type, the key if there are several, and
//! never the value.

use crate::{
    databases::{Kind, TestDatabase},
    place::{Embedded, Place},
};
use cached_orm::{BindKey, Error, MemcachedOrm, Persist, Storable};
use serde::{Deserialize, Serialize};
use sqlx::{encode::IsNull, error::BoxDynError};
use uuid::Uuid;

/// `low`, and nothing else. The driver for MySQL reads sqlx's own enums from no text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Rank {
    Low,
}

impl<DB: sqlx::Database> sqlx::Type<DB> for Rank
where
    String: sqlx::Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <String as sqlx::Type<DB>>::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        <String as sqlx::Type<DB>>::compatible(ty)
    }
}

impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for Rank
where
    String: sqlx::Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        "low".to_owned().encode(buffer)
    }
}

impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for Rank
where
    String: sqlx::Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        match String::decode(value)?.as_str() {
            "low" => Ok(Self::Low),
            // As many a type does.
            other => Err(format!("there is no rank {other}").into()),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes", database = (Postgres, MySql, Sqlite))]
struct Note {
    #[primary_key]
    slug: String,
    #[orm(index)]
    city: String,
    rank: Rank,
    small: i16,
}

fn notes(here: Kind) -> String {
    // A word of MySQL's.
    let quoted = if here == Kind::MariaDb { "`rank`" } else { "rank" };
    format!(
        "CREATE TABLE notes (slug VARCHAR(40) PRIMARY KEY, city VARCHAR(40) NOT NULL,
             {quoted} TEXT NOT NULL, small SMALLINT NOT NULL)"
    )
}

fn note(slug: &str) -> Note {
    Note { slug: slug.to_owned(), city: "Lima".to_owned(), rank: Rank::Low, small: 1 }
}

/// Twenty rows, of which one has a value that its field cannot hold.
async fn a_row_of_many<DB: TestDatabase>()
where
    Note: Persist<DB>,
    String: Storable<DB>,
    i16: Storable<DB>,
{
    let here = Place::<DB, Embedded>::with(&[]).await;
    here.run(&notes(DB::KIND)).await;
    let orm = &here.orm;
    let slugs: Vec<_> = (1..=20).map(|n| format!("s {n}")).collect();
    let notes: Vec<_> = slugs.iter().map(|slug| note(slug)).collect();
    Note::insert_many(orm, &notes).await.unwrap();
    Note::invalidate(orm, slugs.clone()).await.unwrap();
    let quoted = if DB::KIND == Kind::MariaDb { "`rank`" } else { "rank" };
    here.run(&format!("UPDATE notes SET {quoted} = 'hunter2' WHERE slug = 's 7'")).await;
    // These are hits then.
    Note::fetch_many(orm, slugs[..6].to_vec()).await.unwrap();
    let mut transaction = orm.begin().await.unwrap();
    let errors = [
        Note::fetch_many(orm, slugs[..7].to_vec()).await.map(drop),
        Note::fetch_many(orm, slugs.clone()).await.map(drop),
        Note::fetch_many(&mut transaction, slugs.clone()).await.map(drop),
        Note::fetch_all_by_field(orm, NoteColumns::CITY, "Lima").await.map(drop),
        Note::fetch_all_by_field(&mut transaction, NoteColumns::SMALL, 1_i16).await.map(drop),
        Note::warm(orm, slugs.clone(), |_| ()).await.map(drop),
    ];
    transaction.rollback().await.unwrap();
    for error in errors {
        let error = error.unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("key (s%207): column `rank` of Note: its "), "{said}");
        assert!(said.ends_with(" cannot be decoded as the field's type"), "{said}");
        assert!(said.contains("TEXT"), "{said}");
        assert_eq!(error.kind(), "column");
    }
    let alone = Note::fetch(orm, "s 7".to_owned()).await.unwrap_err();
    assert!(matches!(alone, Error::Column { column: "rank", sql_type: Some(_), .. }), "{alone}");
    assert!(!alone.to_string().contains("hunter2"), "{alone}");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_on_postgres() {
    a_row_of_many::<sqlx::Postgres>().await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_on_mysql() {
    a_row_of_many::<sqlx::MySql>().await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_on_sqlite() {
    a_row_of_many::<sqlx::Sqlite>().await;
}

#[tokio::test]
async fn a_key_that_cannot_be_asked_for_is_named() {
    let here = Place::<sqlx::Postgres, Embedded>::with(&[]).await;
    here.run(&notes(Kind::Postgres)).await;
    let orm = &here.orm;
    let slugs = ["a", "b", "c\0", "d"].map(str::to_owned);
    let asked = Note::fetch_many(orm, slugs.clone()).await.unwrap_err();
    assert!(asked.to_string().starts_with("key (c%00): "), "{asked}");
    assert!(asked.to_string().contains("code 22021"), "{asked}");
    let notes: Vec<_> = slugs.iter().map(|slug| note(slug)).collect();
    let written = Note::insert_many(orm, &notes).await.unwrap_err();
    assert!(written.to_string().starts_with("key (c%00): insert_many of Note: "), "{written}");
    let found = Note::fetch_all_by_field(orm, NoteColumns::CITY, "Lima").await.unwrap();
    assert!(found.is_empty());
    // The others are not held up by it.
    let mut transaction = orm.begin().await.unwrap();
    Note::insert_many(&mut transaction, &notes).await.unwrap_err();
    Note::insert_many(&mut transaction, &notes[..2]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(Note::fetch_all_by_field(orm, NoteColumns::CITY, "Lima").await.unwrap().len(), 2);
}

/// A column that is no key: only a row can tell.
#[derive(Debug, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "tokens", database = (MySql, Sqlite))]
struct Token {
    #[primary_key]
    id: i32,
    token: Uuid,
    number: i32,
}

async fn cures<DB: TestDatabase>()
where
    Token: Persist<DB>,
    i32: BindKey<DB>,
{
    let here = Place::<DB, Embedded>::with(&[]).await;
    here.run(
        "CREATE TABLE tokens (id INTEGER PRIMARY KEY, token CHAR(36) NOT NULL, number BIGINT)",
    )
    .await;
    here.run("INSERT INTO tokens VALUES (1, '6ba7b810-9dad-11d1-80b4-00c04fd430c8', 1)").await;
    let said = Token::fetch(&here.orm, 1).await.unwrap_err().to_string();
    assert!(
        said.contains("`token` of Token") && said.contains("`uuid::fmt::Hyphenated`"),
        "{said}"
    );
    assert!(!said.contains("6ba7"), "{said}");
}

#[tokio::test]
async fn the_cure_of_a_uuid_as_text_is_told() {
    cures::<sqlx::MySql>().await;
    cures::<sqlx::Sqlite>().await;
}
