//! Types that can be keys and be indexed.

use crate::{
    databases::{Kind, TestDatabase, is_mariadb},
    newtypes::{Color, Level, Slug, UserId},
    outcome::{Findings, Outcome, Works, tried},
    page::Page,
    place::{Embedded, Place},
    values::{self, Values},
};
use cached_orm::{
    BindKey, Column, Entity, Error, GivenKey, IndexPart, KeyKind, KeyPart, MemcachedOrm as _,
    Persist, Storable,
};
use sqlx::Database as _;
use std::fmt::Debug;

/// A struct with the type under test in every role but that of a list.
pub(crate) trait Keyed: GivenKey + Entity<Key = Self::Value> + Clone + Debug {
    type Value: KeyPart + IndexPart + cached_orm::Cacheable + Debug;

    const ONE: Column<Self, Self::Value>;
    const PLAIN: Column<Self, Self::Value>;
    const OPTIONAL: Column<Self, Option<Self::Value>>;

    /// With the value in every column; `None` in the optional one if the number is odd.
    fn new(value: &Self::Value, number: i32) -> Self;
    fn number(&self) -> i32;
    fn number_mut(&mut self) -> &mut i32;
    fn one(&self) -> &Self::Value;
    fn plain(&self) -> &Self::Value;
    fn optional(&self) -> &Option<Self::Value>;
    fn number_column() -> Column<Self, i32>;
}

macro_rules! key_type {
    ($module:ident: $ty:ty as $databases:tt) => {
        pub(crate) mod $module {
            use super::*;

            #[derive(
                Debug, Clone, serde::Serialize, serde::Deserialize, cached_orm::MemcachedOrm,
            )]
            #[orm(table = "keyed", database = $databases)]
            pub(crate) struct Keyed {
                #[primary_key]
                id: $ty,
                #[orm(unique)]
                one: $ty,
                plain: $ty,
                optional: Option<$ty>,
                number: i32,
            }

            impl super::Keyed for Keyed {
                type Value = $ty;
                const ONE: Column<Self, $ty> = KeyedColumns::ONE;
                const PLAIN: Column<Self, $ty> = KeyedColumns::PLAIN;
                const OPTIONAL: Column<Self, Option<$ty>> = KeyedColumns::OPTIONAL;

                fn new(value: &$ty, number: i32) -> Self {
                    let optional = (number % 2 == 0).then(|| value.clone());
                    let [id, one, plain] = [(); 3].map(|()| value.clone());
                    Self { id, one, plain, optional, number }
                }

                fn number(&self) -> i32 {
                    self.number
                }

                fn number_mut(&mut self) -> &mut i32 {
                    &mut self.number
                }

                fn one(&self) -> &$ty {
                    &self.one
                }

                fn plain(&self) -> &$ty {
                    &self.plain
                }

                fn optional(&self) -> &Option<$ty> {
                    &self.optional
                }

                fn number_column() -> Column<Self, i32> {
                    KeyedColumns::NUMBER
                }
            }
        }
    };
}

key_type!(bools: bool as (Postgres, MySql, Sqlite));
key_type!(i8s: i8 as (Postgres, MySql, Sqlite));
key_type!(i16s: i16 as (Postgres, MySql, Sqlite));
key_type!(i32s: i32 as (Postgres, MySql, Sqlite));
key_type!(i64s: i64 as (Postgres, MySql, Sqlite));
key_type!(u8s: u8 as (MySql, Sqlite));
key_type!(u16s: u16 as (MySql, Sqlite));
key_type!(u32s: u32 as (MySql, Sqlite));
key_type!(u64s: u64 as (MySql));
key_type!(strings: String as (Postgres, MySql, Sqlite));
key_type!(bytes: Vec<u8> as (Postgres, MySql, Sqlite));
key_type!(uuids: uuid::Uuid as (Postgres, MySql, Sqlite));
key_type!(hyphenated: uuid::fmt::Hyphenated as (MySql, Sqlite));
key_type!(simple: uuid::fmt::Simple as (MySql, Sqlite));
key_type!(chrono_date: chrono::NaiveDate as (Postgres, MySql, Sqlite));
key_type!(chrono_time: chrono::NaiveTime as (Postgres, MySql, Sqlite));
key_type!(chrono_date_time: chrono::NaiveDateTime as (Postgres, MySql, Sqlite));
key_type!(chrono_utc: chrono::DateTime<chrono::Utc> as (Postgres, MySql, Sqlite));
key_type!(date: time::Date as (Postgres, MySql, Sqlite));
key_type!(time_of_day: time::Time as (Postgres, MySql, Sqlite));
key_type!(date_time: time::PrimitiveDateTime as (Postgres, MySql, Sqlite));
key_type!(offset_date_time: time::OffsetDateTime as (Postgres, MySql, Sqlite));
key_type!(newtype: UserId as (Postgres, MySql, Sqlite));
key_type!(text_newtype: Slug as (Postgres, MySql, Sqlite));
key_type!(text_enum: Color as (Postgres, MySql, Sqlite));
key_type!(number_enum: Level as (Postgres, MySql, Sqlite));

/// Tries a type on SQL types.
macro_rules! keys {
    ($page:ident, $database:ident: $name:literal, $module:ident, $values:expr, $sql_types:expr) => {
        let values = Values::from($values);
        for sql_type in $sql_types {
            let name = format!("{} as {sql_type} on {}", $name, sqlx::$database::NAME);
            let trial = check::<sqlx::$database, $module::Keyed>(sql_type, &values);
            let (outcome, findings) = tried(&name, trial).await;
            $page.findings.extend(findings);
            if let Some(outcome) = outcome {
                $page.add_key($name, sql_type, outcome);
            }
        }
    };
}

/// Tries every type on PostgreSQL.
pub(crate) async fn on_postgres(page: &mut Page) {
    let here = Kind::Postgres;
    keys!(page, Postgres: "bool", bools, [true, false], ["BOOLEAN"]);
    keys!(page, Postgres: "i8", i8s, values::integers::<i8>(), ["\"char\""]);
    keys!(page, Postgres: "i16", i16s, values::integers::<i16>(), ["SMALLINT"]);
    keys!(page, Postgres: "i32", i32s, values::integers::<i32>(), ["INTEGER"]);
    keys!(page, Postgres: "i64", i64s, values::integers::<i64>(), ["BIGINT"]);
    keys!(page, Postgres: "String", strings, values::texts(),
        ["TEXT", "VARCHAR(40)", "CHAR(40)", "CITEXT", "NAME", "INTEGER", "BYTEA"]);
    keys!(page, Postgres: "Vec<u8>", bytes, values::byte_strings(), ["BYTEA"]);
    keys!(page, Postgres: "uuid::Uuid", uuids, values::uuids(), ["UUID"]);
    keys!(page, Postgres: "chrono::NaiveDate", chrono_date, values::chrono_dates(here), ["DATE"]);
    keys!(page, Postgres: "chrono::NaiveTime", chrono_time, values::chrono_times(), ["TIME", "TIME(0)"]);
    keys!(page, Postgres: "chrono::NaiveDateTime", chrono_date_time, values::chrono_date_times(here),
        ["TIMESTAMP", "TIMESTAMP(0)"]);
    keys!(page, Postgres: "chrono::DateTime<Utc>", chrono_utc, values::chrono_utc(here),
        ["TIMESTAMPTZ", "TIMESTAMPTZ(0)"]);
    keys!(page, Postgres: "time::Date", date, values::dates(here), ["DATE"]);
    keys!(page, Postgres: "time::Time", time_of_day, values::times(), ["TIME", "TIME(0)"]);
    keys!(page, Postgres: "time::PrimitiveDateTime", date_time, values::date_times(here),
        ["TIMESTAMP", "TIMESTAMP(0)"]);
    keys!(page, Postgres: "time::OffsetDateTime", offset_date_time, values::offset_date_times(here),
        ["TIMESTAMPTZ", "TIMESTAMPTZ(0)"]);
    keys!(page, Postgres: "a newtype of `i64`", newtype, values::integers::<i64>().map(UserId), ["BIGINT"]);
    keys!(page, Postgres: "a newtype of `String`", text_newtype, values::texts().map(Slug),
        ["TEXT", "CHAR(40)"]);
    keys!(page, Postgres: "an enum, as text", text_enum, Color::ALL, ["an ENUM"]);
    keys!(page, Postgres: "an enum, as a number", number_enum, Level::ALL, ["INTEGER"]);
}

/// Tries every type on MySQL or MariaDB.
pub(crate) async fn on_mysql(page: &mut Page) {
    let here = Kind::MariaDb;
    keys!(page, MySql: "bool", bools, [true, false], ["BOOLEAN"]);
    keys!(page, MySql: "i8", i8s, values::integers::<i8>(), ["TINYINT"]);
    keys!(page, MySql: "i16", i16s, values::integers::<i16>(), ["SMALLINT"]);
    keys!(page, MySql: "i32", i32s, values::integers::<i32>(), ["INT"]);
    keys!(page, MySql: "i64", i64s, values::integers::<i64>(), ["BIGINT"]);
    keys!(page, MySql: "u8", u8s, values::integers::<u8>(), ["TINYINT UNSIGNED"]);
    keys!(page, MySql: "u16", u16s, values::integers::<u16>(), ["SMALLINT UNSIGNED"]);
    keys!(page, MySql: "u32", u32s, values::integers::<u32>(), ["INT UNSIGNED"]);
    keys!(page, MySql: "u64", u64s, values::integers::<u64>(), ["BIGINT UNSIGNED"]);
    keys!(page, MySql: "String", strings, values::texts(),
        ["VARCHAR(100)", "CHAR(40)", "VARBINARY(200)"]);
    keys!(page, MySql: "Vec<u8>", bytes, values::byte_strings(),
        ["VARBINARY(100)", "BINARY(60)", "VARCHAR(100)"]);
    keys!(page, MySql: "uuid::Uuid", uuids, values::uuids(), ["BINARY(16)", "CHAR(36)"]);
    keys!(page, MySql: "uuid::fmt::Hyphenated", hyphenated, values::uuids().map(|uuid| uuid.hyphenated()),
        ["CHAR(36)", "VARCHAR(40)", "BINARY(16)"]);
    if is_mariadb().await {
        keys!(page, MySql: "uuid::fmt::Hyphenated", hyphenated, values::uuids().map(|uuid| uuid.hyphenated()), ["UUID"]);
    }
    keys!(page, MySql: "uuid::fmt::Simple", simple, values::uuids().map(|uuid| uuid.simple()),
        ["CHAR(32)", "BINARY(16)"]);
    keys!(page, MySql: "chrono::NaiveDate", chrono_date, values::chrono_dates(here), ["DATE"]);
    keys!(page, MySql: "chrono::NaiveTime", chrono_time, values::chrono_times(), ["TIME(6)", "TIME"]);
    keys!(page, MySql: "chrono::NaiveDateTime", chrono_date_time, values::chrono_date_times(here),
        ["DATETIME(6)", "DATETIME"]);
    keys!(page, MySql: "chrono::DateTime<Utc>", chrono_utc, values::chrono_utc(here),
        ["DATETIME(6)", "DATETIME", "TIMESTAMP(6)"]);
    keys!(page, MySql: "time::Date", date, values::dates(here), ["DATE"]);
    keys!(page, MySql: "time::Time", time_of_day, values::times(), ["TIME(6)", "TIME"]);
    keys!(page, MySql: "time::PrimitiveDateTime", date_time, values::date_times(here),
        ["DATETIME(6)", "DATETIME"]);
    keys!(page, MySql: "time::OffsetDateTime", offset_date_time, values::offset_date_times(here),
        ["DATETIME(6)", "DATETIME", "TIMESTAMP(6)"]);
    keys!(page, MySql: "a newtype of `i64`", newtype, values::integers::<i64>().map(UserId), ["BIGINT"]);
    keys!(page, MySql: "a newtype of `String`", text_newtype, values::texts().map(Slug), ["VARCHAR(100)"]);
    keys!(page, MySql: "an enum, as text", text_enum, Color::ALL, ["an ENUM"]);
    keys!(page, MySql: "an enum, as a number", number_enum, Level::ALL, ["INT"]);
}

/// Tries every type on SQLite.
pub(crate) async fn on_sqlite(page: &mut Page) {
    let here = Kind::Sqlite;
    keys!(page, Sqlite: "bool", bools, [true, false], ["BOOLEAN"]);
    keys!(page, Sqlite: "i8", i8s, values::integers::<i8>(), ["INTEGER"]);
    keys!(page, Sqlite: "i16", i16s, values::integers::<i16>(), ["INTEGER"]);
    keys!(page, Sqlite: "i32", i32s, values::integers::<i32>(), ["INTEGER"]);
    keys!(page, Sqlite: "i64", i64s, values::integers::<i64>(), ["INTEGER", "BIGINT"]);
    keys!(page, Sqlite: "u8", u8s, values::integers::<u8>(), ["INTEGER"]);
    keys!(page, Sqlite: "u16", u16s, values::integers::<u16>(), ["INTEGER"]);
    keys!(page, Sqlite: "u32", u32s, values::integers::<u32>(), ["INTEGER"]);
    keys!(page, Sqlite: "String", strings, values::texts(), ["TEXT", "VARCHAR(40)", "BLOB"]);
    keys!(page, Sqlite: "Vec<u8>", bytes, values::byte_strings(), ["BLOB", "TEXT"]);
    keys!(page, Sqlite: "uuid::Uuid", uuids, values::uuids(), ["BLOB", "TEXT"]);
    keys!(page, Sqlite: "uuid::fmt::Hyphenated", hyphenated, values::uuids().map(|uuid| uuid.hyphenated()),
        ["TEXT", "BLOB"]);
    keys!(page, Sqlite: "uuid::fmt::Simple", simple, values::uuids().map(|uuid| uuid.simple()),
        ["TEXT", "BLOB"]);
    keys!(page, Sqlite: "chrono::NaiveDate", chrono_date, values::chrono_dates(here),
        ["DATE", "TEXT", "INTEGER"]);
    keys!(page, Sqlite: "chrono::NaiveTime", chrono_time, values::chrono_times(), ["TIME", "TEXT", "REAL"]);
    keys!(page, Sqlite: "chrono::NaiveDateTime", chrono_date_time, values::chrono_date_times(here),
        ["DATETIME", "TEXT", "INTEGER"]);
    keys!(page, Sqlite: "chrono::DateTime<Utc>", chrono_utc, values::chrono_utc(here),
        ["DATETIME", "TEXT", "INTEGER"]);
    keys!(page, Sqlite: "time::Date", date, values::dates(here), ["DATE", "TEXT", "INTEGER"]);
    keys!(page, Sqlite: "time::Time", time_of_day, values::times(), ["TIME", "TEXT", "REAL"]);
    keys!(page, Sqlite: "time::PrimitiveDateTime", date_time, values::date_times(here),
        ["DATETIME", "TEXT", "INTEGER"]);
    keys!(page, Sqlite: "time::OffsetDateTime", offset_date_time, values::offset_date_times(here),
        ["DATETIME", "TEXT", "INTEGER"]);
    keys!(page, Sqlite: "a newtype of `i64`", newtype, values::integers::<i64>().map(UserId), ["INTEGER"]);
    keys!(page, Sqlite: "a newtype of `String`", text_newtype, values::texts().map(Slug), ["TEXT"]);
    keys!(page, Sqlite: "an enum, as text", text_enum, Color::ALL, ["TEXT"]);
    keys!(page, Sqlite: "an enum, as a number", number_enum, Level::ALL, ["INTEGER"]);
}

/// Tries a type on a SQL type.
async fn check<DB, K>(sql_type: &str, values: &Values<K::Value>) -> (Outcome, Findings)
where
    DB: TestDatabase,
    K: Keyed + Persist<DB>,
    K::Value: Storable<DB>,
    Option<K::Value>: Storable<DB>,
    i32: Storable<DB> + BindKey<DB>,
{
    let here = Place::<DB, Embedded>::built(&[], |builder| builder.drainer(false)).await;
    let sql_type = crate::tables_of::column::<DB>(&here, sql_type).await;
    here.run(&format!(
        "CREATE TABLE keyed (id {sql_type} NOT NULL, one {sql_type} NOT NULL, plain {sql_type} NULL,
             optional {sql_type} NULL, number INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (one))"
    ))
    .await;
    here.orm.install_outbox().await.unwrap();

    // At the first use, whatever it is.
    let first = values.first();
    if let Err(Error::Configuration(refused)) = K::fetch(&here.orm, first.clone()).await {
        for again in [
            K::new(first, 1).insert(&here.orm).await.err(),
            K::new(first, 1).upsert(&here.orm).await.err(),
            K::delete_by_key(&here.orm, first.clone()).await.err(),
            K::fetch_many(&here.orm, [first.clone()]).await.err(),
        ] {
            let again = again.expect("refused as well").to_string();
            assert_eq!(again, refused);
        }
        return (Outcome::Refused(refused), Findings::default());
    }
    if <K::Value as KeyPart>::KIND != KeyKind::Other {
        here.orm.install_triggers::<K>().await.unwrap();
    }
    let mut trial =
        Trial { here, works: Works::default(), findings: Findings::default(), fixed: true };
    let mut kept: Vec<K> = Vec::new();
    for (at, value) in values.iter().enumerate() {
        trial.fixed = at < values.fixed();
        let number = i32::try_from(at).expect("few values") * 2 + 2;
        if let Some(row) = trial.single::<K>(value, number).await
            && !kept.iter().any(|other| other.key() == row.key())
        {
            kept.push(K::new(value, number));
        }
    }
    if kept.is_empty() {
        return (Outcome::Never, trial.findings);
    }
    trial.bulk::<K>(&kept).await;
    trial.null::<K>(first).await;
    let Trial { works, findings, .. } = trial;
    (Outcome::Works(works), findings)
}

struct Trial<DB: TestDatabase> {
    here: Place<DB, Embedded>,
    works: Works,
    findings: Findings,
    /// Whether the value is one of those that are tried every time.
    fixed: bool,
}

impl<DB: TestDatabase> Trial<DB>
where
    i32: Storable<DB> + BindKey<DB>,
{
    /// Writes and reads one row; as it was inserted, if it was.
    async fn single<K>(&mut self, value: &K::Value, number: i32) -> Option<K>
    where
        K: Keyed + Persist<DB>,
        K::Value: Storable<DB>,
        Option<K::Value>: Storable<DB>,
    {
        let orm = &self.here.orm.clone();
        let there =
            async |number| K::fetch_all_by_field(orm, K::number_column(), number).await.unwrap();
        // That there is none is remembered.
        let absent = K::fetch(orm, value.clone()).await;
        self.findings.expect(!matches!(absent, Ok(Some(_))), || format!("{value:?} was there"));
        let given = K::new(value, number);
        let mut row = match given.insert(orm).await {
            Ok(row) => row,
            Err(error) => {
                let left = there(number).await.len();
                self.findings.same(&format!("{value:?}: {error}, and rows"), left, 0);
                // The other ways to write it must not do otherwise.
                let upserted = given.upsert(orm).await.map(drop);
                let many = K::insert_many(orm, std::slice::from_ref(&given)).await.map(drop);
                let left = there(number).await.len();
                for (what, done) in [("upsert", upserted), ("insert_many", many)] {
                    self.findings.expect(done.is_err(), || format!("{value:?}: {what} did it"));
                }
                self.findings.same(&format!("{value:?}: and rows afterwards"), left, 0);
                if self.fixed {
                    match error {
                        Error::KeyChanged { .. } => self.works.refuses_changed_keys = true,
                        _ => self.works.refuses_some = true,
                    }
                }
                return None;
            }
        };
        let found = there(number).await;
        self.findings.same(&format!("{value:?}: the database has"), &found, [&row]);
        if self.fixed && format!("{:?}", row.key()) != format!("{value:?}") {
            self.works.changes = true;
        }
        for what in ["written", "cold", "a hit"] {
            if what == "cold" {
                self.forget(&row).await;
            }
            self.read(&row, what).await;
        }
        let key = row.key();

        *row.number_mut() += 1;
        let updated = row.update(orm).await;
        self.findings.expect(updated.is_ok(), || format!("{key:?}: update: {updated:?}"));
        self.findings.same("updated", there(number + 1).await, [&row]);
        self.read(&row, "updated").await;
        *row.number_mut() -= 1;
        let patched = K::patch::<DB>(key.clone())
            .set(K::number_column(), number)
            .set(K::PLAIN, row.plain().clone())
            .set(K::OPTIONAL, None)
            .execute(orm)
            .await;
        match patched {
            Ok(patched) => {
                row = patched;
                self.findings.same("patched", there(number).await, [&row]);
                self.findings.same("patched to", row.optional(), None::<K::Value>);
                let null = K::fetch_all_by_field(orm, K::OPTIONAL, None).await.unwrap();
                self.findings.same("by NULL", null, [&row]);
                let null = K::fetch_by_field(orm, K::OPTIONAL, None).await.unwrap();
                self.findings.same("one by NULL", null, Some(&row));
            }
            Err(error) => self.findings.expect(false, || format!("{key:?}: patch: {error}")),
        }
        *row.number_mut() += 1;
        match row.upsert(orm).await {
            Ok(upserted) => self.findings.same("upserted", there(number + 1).await, [&upserted]),
            Err(error) => self.findings.expect(false, || format!("{key:?}: upsert: {error}")),
        }
        self.trigger(&row).await;
        let mut changed = there(number + 101).await;
        if let Some(row) = changed.pop() {
            let deleted = row.delete(orm).await;
            self.findings.expect(matches!(deleted, Ok(true)), || format!("{key:?}: {deleted:?}"));
            self.findings.same("deleted", K::fetch(orm, key.clone()).await.unwrap(), None::<K>);
            self.findings.same("by index", self.by_one(&row).await, None::<K>);
        }
        self.here.run("DELETE FROM keyed").await;
        self.forget(&row).await;
        Some(K::new(value, number))
    }

    /// Reads the row in every way.
    async fn read<K>(&mut self, row: &K, what: &str)
    where
        K: Keyed + Persist<DB>,
        K::Value: Storable<DB>,
    {
        let orm = &self.here.orm;
        let key = row.key();
        let name = |way: &str| format!("{key:?}, {what}: {way}");
        let found = K::fetch(orm, key.clone()).await.unwrap();
        self.findings.same(&name("fetch"), found, Some(row));
        let found = K::fetch_many(orm, [key.clone(), key.clone()]).await.unwrap();
        self.findings.same(&name("fetch_many"), found, [Some(row), Some(row)]);
        let found = self.by_one(row).await;
        self.findings.same(&name("by index"), found, Some(row));
        let found = K::fetch_all_by_field(orm, K::PLAIN, row.plain().clone()).await.unwrap();
        self.findings.same(&name("by a column"), found, [row]);
        let mut transaction = orm.begin().await.unwrap();
        let found = K::fetch(&mut transaction, key.clone()).await.unwrap();
        self.findings.same(&name("in a transaction"), found, Some(row));
        let touched = transaction.touch::<K>(key.clone()).await.unwrap();
        self.findings.expect(touched, || name("touch"));
        transaction.rollback().await.unwrap();
    }

    async fn by_one<K>(&self, row: &K) -> Option<K>
    where
        K: Keyed + Persist<DB>,
        K::Value: Storable<DB>,
    {
        K::fetch_by_field(&self.here.orm, K::ONE, row.one().clone()).await.unwrap()
    }

    /// Takes the row's entries out of the cache.
    async fn forget<K: Keyed + Persist<DB>>(&self, row: &K) {
        K::delete_cached_instance(&self.here.orm, row.key()).await.unwrap();
    }

    /// Has another program change the row.
    async fn trigger<K>(&mut self, row: &K)
    where
        K: Keyed + Persist<DB>,
        K::Value: Storable<DB>,
    {
        let orm = &self.here.orm;
        orm.drain_outbox().await.unwrap();
        K::fetch(orm, row.key()).await.unwrap();
        let cached = K::get_cached_instance(orm, row.key()).await.unwrap();
        self.findings.expect(cached.is_some(), || format!("{:?} is not cached", row.key()));
        self.here.run("UPDATE keyed SET number = number + 100").await;
        if <K::Value as KeyPart>::KIND == KeyKind::Other {
            return self.forget(row).await;
        }
        orm.drain_outbox().await.unwrap();
        let cached = K::get_cached_instance(orm, row.key()).await.unwrap();
        self.findings.expect(cached.is_none(), || format!("{:?}: no trigger's key", row.key()));
    }

    /// Writes and reads many rows together.
    async fn bulk<K>(&mut self, given: &[K])
    where
        K: Keyed + Persist<DB>,
        K::Value: Storable<DB>,
    {
        let orm = &self.here.orm;
        let mut rows = match K::insert_many(orm, given).await {
            Ok(rows) => rows,
            // Two of them are equal by the column's collation.
            Err(Error::Database { source, .. })
                if source.as_database_error().is_some_and(|error| error.is_unique_violation()) =>
            {
                let found = K::fetch_many(orm, given.iter().map(K::key)).await.unwrap();
                return self.findings.same(
                    "none was written",
                    found.into_iter().flatten().count(),
                    0,
                );
            }
            Err(error) => {
                return self.findings.expect(false, || format!("insert_many: {error}"));
            }
        };
        let numbers = |rows: &[K]| rows.iter().map(K::number).collect::<Vec<_>>();
        self.findings.same("insert_many's order", numbers(&rows), numbers(given));
        let keys: Vec<_> = rows.iter().map(K::key).collect();
        for what in ["many, written", "many, cold", "many, hits"] {
            if what == "many, cold" {
                for row in &rows {
                    self.forget(row).await;
                }
            }
            let found = K::fetch_many(orm, keys.clone()).await.unwrap();
            self.findings.same(what, found, rows.iter().map(Some).collect::<Vec<_>>());
        }
        let mut transaction = orm.begin().await.unwrap();
        let found = K::fetch_many(&mut transaction, keys.clone()).await.unwrap();
        self.findings.same("many, in it", found, rows.iter().map(Some).collect::<Vec<_>>());
        transaction.rollback().await.unwrap();
        rows.iter_mut().for_each(|row| *row.number_mut() += 1);
        let updated = K::update_many(orm, &mut rows).await;
        self.findings.expect(updated.is_ok(), || format!("update_many: {updated:?}"));
        for row in &rows {
            self.forget(row).await;
        }
        let found = K::fetch_many(orm, keys.clone()).await.unwrap();
        self.findings.same("update_many", found, rows.iter().map(Some).collect::<Vec<_>>());
        let deleted = K::delete_many(orm, keys.clone()).await.unwrap();
        self.findings.same("delete_many", deleted, rows.len());
        let found = K::fetch_many(orm, keys).await.unwrap();
        self.findings.same("many, deleted", found.into_iter().flatten().count(), 0);
    }

    /// NULL in a field that is no `Option` is an error, whatever reads it.
    async fn null<K>(&mut self, value: &K::Value)
    where
        K: Keyed + Persist<DB>,
        K::Value: Storable<DB>,
    {
        let orm = &self.here.orm;
        let Ok(row) = K::new(value, 2).insert(orm).await else { return };
        self.here.run("UPDATE keyed SET plain = NULL").await;
        self.forget(&row).await;
        let read = [
            K::fetch(orm, row.key()).await.map(drop),
            K::fetch_many(orm, [row.key()]).await.map(drop),
            K::fetch_by_field(orm, K::ONE, row.one().clone()).await.map(drop),
            K::fetch_all_by_field(orm, K::number_column(), 2).await.map(drop),
        ];
        for read in read {
            let said = read.map_err(|error| error.to_string());
            let is_told = said.as_ref().is_err_and(|said| {
                said.ends_with("column `plain` of Keyed: it is NULL, and its field is no `Option`")
            });
            self.findings.expect(is_told, || format!("NULL: {said:?}"));
        }
        self.here.run("DELETE FROM keyed").await;
    }
}
