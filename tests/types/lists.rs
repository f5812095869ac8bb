//! Types of which a list of rows is kept for each value. What tells values apart is what
//! tells keys apart, so not every type is tried once more.

use crate::{
    databases::{Kind, TestDatabase},
    newtypes::Color,
    outcome::{Findings, tried},
    place::{Embedded, Place},
    tables_of,
    values::{self, Values},
};
use cached_orm::{BindKey, Column, Entity, Error, GivenKey, MemcachedOrm as _, Persist, Storable};
use std::fmt::Debug;

/// A struct with a list of rows for each value.
pub(crate) trait Listed: GivenKey + Entity<Key = i32> + Clone + Debug {
    type Value: Clone + Debug;

    const MANY: Column<Self, Self::Value>;

    fn new(id: i32, value: &Self::Value) -> Self;
    fn many(&self) -> &Self::Value;
    fn many_mut(&mut self) -> &mut Self::Value;
}

macro_rules! list_type {
    ($module:ident: $ty:ty as $databases:tt) => {
        mod $module {
            use super::*;

            #[derive(
                Debug, Clone, serde::Serialize, serde::Deserialize, cached_orm::MemcachedOrm,
            )]
            #[orm(table = "listed", database = $databases)]
            pub(super) struct Listed {
                #[primary_key]
                id: i32,
                #[orm(index)]
                many: $ty,
            }

            impl super::Listed for Listed {
                type Value = $ty;
                const MANY: Column<Self, $ty> = ListedColumns::MANY;

                fn new(id: i32, value: &$ty) -> Self {
                    Self { id, many: value.clone() }
                }

                fn many(&self) -> &$ty {
                    &self.many
                }

                fn many_mut(&mut self) -> &mut $ty {
                    &mut self.many
                }
            }
        }
    };
}

list_type!(i64s: i64 as (Postgres, MySql, Sqlite));
list_type!(strings: String as (Postgres, MySql, Sqlite));
list_type!(bytes: Vec<u8> as (Postgres, MySql, Sqlite));
list_type!(hyphenated: uuid::fmt::Hyphenated as (MySql, Sqlite));
list_type!(utc: chrono::DateTime<chrono::Utc> as (Postgres, MySql, Sqlite));
list_type!(colors: Color as (Postgres, MySql, Sqlite));

/// Tries a type on SQL types.
macro_rules! lists {
    ($findings:ident, $database:ident: $module:ident, $values:expr, $sql_types:expr) => {
        let values = Values::from($values);
        for sql_type in $sql_types {
            let name = format!("a list of {} as {sql_type}", stringify!($module));
            let trial = check::<sqlx::$database, $module::Listed>(sql_type, &values);
            $findings.extend(tried(&name, trial).await.1);
        }
    };
}

pub(crate) async fn on_postgres() -> Vec<String> {
    let mut findings = Vec::new();
    lists!(findings, Postgres: i64s, values::integers::<i64>(), ["BIGINT"]);
    lists!(findings, Postgres: strings, values::texts(), ["TEXT", "CHAR(40)", "CITEXT"]);
    lists!(findings, Postgres: bytes, values::byte_strings(), ["BYTEA"]);
    lists!(findings, Postgres: utc, values::chrono_utc(Kind::Postgres), ["TIMESTAMPTZ", "TIMESTAMPTZ(0)"]);
    lists!(findings, Postgres: colors, Color::ALL, ["an ENUM"]);
    findings
}

pub(crate) async fn on_mysql() -> Vec<String> {
    let mut findings = Vec::new();
    lists!(findings, MySql: i64s, values::integers::<i64>(), ["BIGINT"]);
    lists!(findings, MySql: strings, values::texts(), ["VARCHAR(100)", "CHAR(40)"]);
    lists!(findings, MySql: bytes, values::byte_strings(), ["VARBINARY(100)", "BINARY(60)"]);
    lists!(findings, MySql: hyphenated, values::uuids().map(|uuid| uuid.hyphenated()), ["CHAR(36)"]);
    lists!(findings, MySql: utc, values::chrono_utc(Kind::MariaDb), ["DATETIME(6)", "DATETIME"]);
    lists!(findings, MySql: colors, Color::ALL, ["an ENUM"]);
    findings
}

pub(crate) async fn on_sqlite() -> Vec<String> {
    let mut findings = Vec::new();
    lists!(findings, Sqlite: i64s, values::integers::<i64>(), ["INTEGER"]);
    lists!(findings, Sqlite: strings, values::texts(), ["TEXT"]);
    lists!(findings, Sqlite: bytes, values::byte_strings(), ["BLOB"]);
    lists!(findings, Sqlite: hyphenated, values::uuids().map(|uuid| uuid.hyphenated()), ["TEXT"]);
    lists!(findings, Sqlite: utc, values::chrono_utc(Kind::Sqlite), ["DATETIME", "TEXT"]);
    lists!(findings, Sqlite: colors, Color::ALL, ["TEXT"]);
    // The first use is refused, by whatever method.
    let here = Place::<sqlx::Sqlite, Embedded>::with(&[]).await;
    here.run("CREATE TABLE listed (id INTEGER PRIMARY KEY, many TEXT NOT NULL)").await;
    let read = bytes::Listed::fetch(&here.orm, 1).await.map(drop);
    let listed = bytes::Listed::fetch_all_by_field(&here.orm, bytes::Listed::MANY, vec![1]).await;
    for refused in [read, listed.map(drop)] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, Error::Configuration(_)), "{refused}");
        assert!(refused.to_string().contains("column `many`, which is TEXT"), "{refused}");
    }
    findings
}

/// Tries a type on a SQL type.
async fn check<DB, L>(sql_type: &str, values: &Values<L::Value>) -> ((), Findings)
where
    DB: TestDatabase,
    L: Listed + Persist<DB>,
    L::Value: Storable<DB>,
    i32: Storable<DB> + BindKey<DB>,
{
    let here = Place::<DB, Embedded>::with(&[]).await;
    let sql_type = tables_of::column::<DB>(&here, sql_type).await;
    here.run(&format!(
        "CREATE TABLE listed (id INTEGER NOT NULL PRIMARY KEY, many {sql_type} NOT NULL)"
    ))
    .await;
    here.run("CREATE INDEX listed_many ON listed (many)").await;
    let orm = &here.orm;
    let mut findings = Findings::default();
    for value in values.iter() {
        // That none has the value is remembered.
        let before = L::fetch_all_by_field(orm, L::MANY, value.clone()).await;
        findings.expect(before.is_err() || before.is_ok_and(|rows| rows.is_empty()), || {
            format!("{value:?} was there")
        });
        // What the column does not have, the keys' test sees refused.
        let Ok(mut one) = L::new(1, value).insert(orm).await else { continue };
        let two = L::new(2, value).insert(orm).await.unwrap();
        let list = async || L::fetch_all_by_field(orm, L::MANY, two.many().clone()).await.unwrap();
        for _ in 0..2 {
            findings.same("a list", list().await, [&one, &two]);
        }
        *one.many_mut() = value.clone();
        one.update(orm).await.unwrap();
        findings.same("a list, updated", list().await, [&one, &two]);
        one.delete(orm).await.unwrap();
        findings.same("a list, deleted", list().await, [&two]);
        two.delete(orm).await.unwrap();
        findings.same("an empty list", list().await, [] as [L; 0]);
    }
    ((), findings)
}
