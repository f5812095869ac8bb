//! Types that can be columns, and no keys.

use crate::{
    databases::{Kind, TestDatabase},
    outcome::{Findings, Outcome, Works, tried},
    page::Page,
    place::{Embedded, Place},
    values::{self, Values},
};
use cached_orm::{
    BindKey, Column, Entity, Error, GivenKey, Json, MemcachedOrm as _, Persist, Storable,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Database as _;
use std::fmt::Debug;

/// A struct with the type under test in two columns.
pub(crate) trait Plain: GivenKey + Entity<Key = i32> + Clone + Debug {
    type Value: Clone + Debug;
    type Stored: Clone + Debug;

    const OPTIONAL: Column<Self, Self::Stored>;

    fn new(id: i32, value: &Self::Value) -> Self;
    fn plain(&self) -> &Self::Value;
    fn optional(&self) -> &Option<Self::Value>;
    fn number_mut(&mut self) -> &mut i32;
    fn none() -> Self::Stored;
}

macro_rules! column_type {
    ($module:ident: $ty:ty as $databases:tt) => {
        column_type!($module: $ty as $databases, [], Option<$ty>, None);
    };
    ($module:ident: json $ty:ty) => {
        column_type!($module: $ty as (Postgres, MySql, Sqlite), [#[orm(json)]], Json<Option<$ty>>, Json(None));
    };
    ($module:ident: $ty:ty as $databases:tt, [$(#[$attribute:meta])?], $stored:ty, $none:expr) => {
        mod $module {
            use super::*;

            #[derive(Debug, Clone, Serialize, Deserialize, cached_orm::MemcachedOrm)]
            #[orm(table = "plain", database = $databases)]
            pub(super) struct Plain {
                #[primary_key]
                id: i32,
                $(#[$attribute])?
                plain: $ty,
                $(#[$attribute])?
                optional: Option<$ty>,
                number: i32,
                text: String,
            }

            impl super::Plain for Plain {
                type Value = $ty;
                type Stored = $stored;
                const OPTIONAL: Column<Self, $stored> = PlainColumns::OPTIONAL;

                fn new(id: i32, value: &$ty) -> Self {
                    let [plain, optional] = [(); 2].map(|()| value.clone());
                    Self { id, plain, optional: Some(optional), number: 0, text: "a".into() }
                }

                fn plain(&self) -> &$ty {
                    &self.plain
                }

                fn optional(&self) -> &Option<$ty> {
                    &self.optional
                }

                fn number_mut(&mut self) -> &mut i32 {
                    &mut self.number
                }

                fn none() -> $stored {
                    $none
                }
            }
        }
    };
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    dark: bool,
    sizes: Vec<f64>,
    parent: Option<Box<Self>>,
}

column_type!(f32s: f32 as (Postgres, MySql, Sqlite));
column_type!(f64s: f64 as (Postgres, MySql, Sqlite));
column_type!(chrono_fixed: chrono::DateTime<chrono::FixedOffset> as (Postgres, Sqlite));
column_type!(chrono_local: chrono::DateTime<chrono::Local> as (Postgres, MySql, Sqlite));
column_type!(json_value: json serde_json::Value);
column_type!(json_struct: json Settings);
column_type!(decimals: rust_decimal::Decimal as (Postgres, MySql));
column_type!(networks: ipnetwork::IpNetwork as (Postgres));
column_type!(hardware: mac_address::MacAddress as (Postgres));
column_type!(bits: bit_vec::BitVec as (Postgres));
column_type!(integer_array: Vec<i64> as (Postgres));
column_type!(text_array: Vec<String> as (Postgres));
column_type!(optional_array: Vec<Option<i32>> as (Postgres));

/// Tries a type on SQL types.
macro_rules! columns {
    ($page:ident, $database:ident: $name:literal, $module:ident, $values:expr, $sql_types:expr) => {
        let values = Values::from($values);
        for sql_type in $sql_types {
            let name = format!("{} as {sql_type} on {}", $name, sqlx::$database::NAME);
            let trial = check::<sqlx::$database, $module::Plain>(sql_type, &values);
            let (outcome, findings) = tried(&name, trial).await;
            $page.findings.extend(findings);
            if let Some(outcome) = outcome {
                $page.add_column($name, sql_type, outcome);
            }
        }
    };
}

fn f32s() -> Values<f32> {
    let some = [1.5, -0.0, 0.1, f32::MAX, f32::MIN_POSITIVE];
    Values::new(some, any::<f32>().prop_filter("finite", |number| number.is_finite()))
}

fn f64s() -> Values<f64> {
    let some = [1.5, 0.1, 1e15, f64::MAX, f64::MIN_POSITIVE];
    Values::new(some, any::<f64>().prop_filter("normal", |number| number.is_normal()))
}

fn decimals() -> Values<rust_decimal::Decimal> {
    let some = ["0", "1.5", "1.50", "-0.01", "79228162514264337593543950335", "1e-28"];
    let parsed = some.map(|text| {
        let exact = rust_decimal::Decimal::from_str_exact(text);
        exact.or_else(|_| rust_decimal::Decimal::from_scientific(text)).expect("a decimal")
    });
    let random = (any::<i64>(), 0..20_u32);
    Values::new(
        parsed,
        random.prop_map(|(number, scale)| rust_decimal::Decimal::new(number, scale)),
    )
}

fn networks() -> Values<ipnetwork::IpNetwork> {
    let some = ["10.0.0.0/8", "10.0.0.1/8", "0.0.0.0/0", "255.255.255.255", "::1", "2001:db8::/32"];
    Values::from(some.map(|text| text.parse().expect("a network")))
}

fn hardware() -> Values<mac_address::MacAddress> {
    let some = [[0; 6], [255; 6], [0, 1, 2, 0xa, 0xb, 0xc]].map(mac_address::MacAddress::new);
    Values::new(some, any::<[u8; 6]>().prop_map(mac_address::MacAddress::new))
}

fn bits() -> Values<bit_vec::BitVec> {
    let some = [vec![], vec![false], vec![true; 9], vec![false, true, true]];
    let some = some.map(|bits| bits.into_iter().collect::<bit_vec::BitVec>());
    let random = proptest::collection::vec(any::<bool>(), 0..100);
    Values::new(some, random.prop_map(|bits| bits.into_iter().collect()))
}

fn json_values() -> Values<serde_json::Value> {
    Values::from([
        json!({ "a": [1, null, { "b": "" }], "é": "\u{1F980}" }),
        json!([]),
        json!("null"),
        json!(i64::MIN),
        json!(true),
        json!(""),
    ])
}

fn settings() -> Values<Settings> {
    let inner = Settings { dark: false, sizes: Vec::new(), parent: None };
    let outer =
        Settings { dark: true, sizes: vec![0.5, 2.0], parent: Some(Box::new(inner.clone())) };
    Values::from([inner, outer])
}

pub(crate) async fn on_postgres(page: &mut Page) {
    let here = Kind::Postgres;
    columns!(page, Postgres: "f32", f32s, f32s(), ["REAL"]);
    columns!(page, Postgres: "f64", f64s, f64s(), ["DOUBLE PRECISION"]);
    columns!(page, Postgres: "chrono::DateTime<FixedOffset>", chrono_fixed, values::chrono_fixed(here),
        ["TIMESTAMPTZ"]);
    columns!(page, Postgres: "chrono::DateTime<Local>", chrono_local, values::chrono_local(here),
        ["TIMESTAMPTZ"]);
    columns!(page, Postgres: "#[orm(json)] serde_json::Value", json_value, json_values(), ["JSONB", "JSON"]);
    columns!(page, Postgres: "#[orm(json)] a struct", json_struct, settings(), ["JSONB", "JSON"]);
    columns!(page, Postgres: "rust_decimal::Decimal", decimals, decimals(), ["NUMERIC", "NUMERIC(30, 2)"]);
    columns!(page, Postgres: "ipnetwork::IpNetwork", networks, networks(), ["INET", "CIDR"]);
    columns!(page, Postgres: "mac_address::MacAddress", hardware, hardware(), ["MACADDR"]);
    columns!(page, Postgres: "bit_vec::BitVec", bits, bits(), ["BIT VARYING", "BIT(9)"]);
    let arrays = [vec![], vec![1, i64::MIN, i64::MAX]];
    columns!(page, Postgres: "Vec<i64>", integer_array, arrays, ["BIGINT[]"]);
    let arrays = [vec![], ["", " ", "é"].map(str::to_owned).to_vec()];
    columns!(page, Postgres: "Vec<String>", text_array, arrays, ["TEXT[]", "VARCHAR(9)[]"]);
    let arrays = [vec![], vec![None, Some(1)]];
    columns!(page, Postgres: "Vec<Option<i32>>", optional_array, arrays, ["INTEGER[]"]);
}

pub(crate) async fn on_mysql(page: &mut Page) {
    let here = Kind::MariaDb;
    columns!(page, MySql: "f32", f32s, f32s(), ["FLOAT"]);
    columns!(page, MySql: "f64", f64s, f64s(), ["DOUBLE"]);
    columns!(page, MySql: "chrono::DateTime<Local>", chrono_local, values::chrono_local(here),
        ["DATETIME(6)", "TIMESTAMP(6)"]);
    columns!(page, MySql: "rust_decimal::Decimal", decimals, decimals(), ["DECIMAL(60, 28)", "DECIMAL(30, 2)"]);
    columns!(page, MySql: "#[orm(json)] serde_json::Value", json_value, json_values(), ["JSON", "TEXT"]);
    columns!(page, MySql: "#[orm(json)] a struct", json_struct, settings(), ["JSON", "TEXT"]);
}

pub(crate) async fn on_sqlite(page: &mut Page) {
    let here = Kind::Sqlite;
    columns!(page, Sqlite: "f32", f32s, f32s(), ["REAL"]);
    columns!(page, Sqlite: "f64", f64s, f64s(), ["REAL"]);
    columns!(page, Sqlite: "chrono::DateTime<FixedOffset>", chrono_fixed, values::chrono_fixed(here),
        ["DATETIME", "TEXT"]);
    columns!(page, Sqlite: "chrono::DateTime<Local>", chrono_local, values::chrono_local(here),
        ["DATETIME", "TEXT"]);
    columns!(page, Sqlite: "#[orm(json)] serde_json::Value", json_value, json_values(), ["TEXT"]);
    columns!(page, Sqlite: "#[orm(json)] a struct", json_struct, settings(), ["TEXT"]);
}

/// Tries a type on a SQL type.
async fn check<DB, P>(sql_type: &str, values: &Values<P::Value>) -> (Outcome, Findings)
where
    DB: TestDatabase,
    P: Plain + Persist<DB>,
    P::Stored: Storable<DB>,
    i32: Storable<DB> + BindKey<DB>,
{
    let here = Place::<DB, Embedded>::with(&[]).await;
    let orm = &here.orm;
    here.run(&format!(
        "CREATE TABLE plain (id INTEGER NOT NULL PRIMARY KEY, plain {sql_type} NULL,
             optional {sql_type} NULL, number INTEGER NOT NULL, text VARCHAR(9) NOT NULL)"
    ))
    .await;
    let (mut works, mut findings) = (Works::default(), Findings::default());
    let mut kept = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let id = i32::try_from(at).expect("few values");
        let is_fixed = at < values.fixed();
        let given = P::new(id, value);
        let mut row = match given.insert(orm).await {
            Ok(row) => row,
            Err(error) => {
                let left = P::fetch(orm, id).await.unwrap();
                findings.same(&format!("{error}, and yet"), left, None::<P>);
                works.refuses_some |= is_fixed;
                continue;
            }
        };
        kept.push(P::new(id, value));
        works.changes |= is_fixed && format!("{:?}", row.plain()) != format!("{value:?}");
        for what in ["written", "cold", "a hit"] {
            if what == "cold" {
                P::delete_cached_instance(orm, id).await.unwrap();
            }
            findings.same(what, P::fetch(orm, id).await.unwrap(), Some(&row));
            findings.same(what, P::fetch_uncached(orm, id).await.unwrap(), Some(&row));
        }
        *row.number_mut() += 1;
        row.update(orm).await.unwrap();
        P::delete_cached_instance(orm, id).await.unwrap();
        findings.same("updated", P::fetch(orm, id).await.unwrap(), Some(&row));
        // Again and again the same: nothing drifts.
        findings.same("upserted", row.upsert(orm).await.unwrap(), &row);
        let patched = P::patch::<DB>(id).set(P::OPTIONAL, P::none()).execute(orm).await.unwrap();
        findings.same("patched", patched.optional(), None::<P::Value>);
        findings.same("patched", P::fetch(orm, id).await.unwrap(), Some(&patched));
        let null = P::fetch_all_by_field(orm, P::OPTIONAL, P::none()).await.unwrap();
        findings.same("by NULL", null, [&patched]);
        here.run("UPDATE plain SET plain = NULL").await;
        P::delete_cached_instance(orm, id).await.unwrap();
        let read = P::fetch(orm, id).await;
        let is_told = matches!(&read, Err(Error::Column { column: "plain", .. }));
        findings.expect(is_told, || format!("NULL is {read:?}"));
        here.run("DELETE FROM plain").await;
        P::delete_cached_instance(orm, id).await.unwrap();
    }
    if kept.is_empty() {
        return (Outcome::Never, findings);
    }
    let mut rows = P::insert_many(orm, &kept).await.unwrap();
    P::update_many(orm, &mut rows).await.unwrap();
    for row in &rows {
        P::delete_cached_instance(orm, row.key()).await.unwrap();
    }
    for _ in 0..2 {
        let found = P::fetch_many(orm, rows.iter().map(P::key)).await.unwrap();
        findings.same("many", found, rows.iter().map(Some).collect::<Vec<_>>());
    }
    (Outcome::Works(works), findings)
}
