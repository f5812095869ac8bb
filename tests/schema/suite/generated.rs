//! Columns that the database computes of others.

use super::Here;
use crate::databases::Kind;
use cached_orm::{Error, MemcachedOrm, SchemaReport};
use serde::{Deserialize, Serialize};

/// It takes `double` for a column like any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "sizes")]
struct Unmarked {
    #[primary_key]
    id: i64,
    size: i64,
    double: Option<i64>,
}

/// The same with an index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "sizes")]
struct Indexed {
    #[primary_key]
    id: i64,
    size: i64,
    #[orm(index)]
    double: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "sizes")]
struct Marked {
    #[primary_key]
    id: i64,
    size: i64,
    #[orm(generated, index)]
    double: Option<i64>,
}

/// It does not know of the column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "sizes")]
struct Short {
    #[primary_key]
    id: i64,
    size: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "numbered")]
struct Numbered {
    #[primary_key]
    id: i64,
    size: i64,
}

const TABLE: &str = "CREATE TABLE sizes (id BIGINT NOT NULL PRIMARY KEY, size BIGINT NOT NULL,
    `double` BIGINT GENERATED ALWAYS AS (size * 2) STORED);
    CREATE INDEX by_double ON sizes (`double`); INSERT INTO sizes (id, size) VALUES (1, 1)";

async fn here() -> Here {
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    let table = match Here::DATABASE {
        Kind::Postgres => TABLE.replace('`', "\""),
        _ => TABLE.to_owned(),
    };
    here.run(&table).await;
    here
}

#[track_caller]
fn assert_error(report: &SchemaReport, column: &str, problem: &str) {
    let mut errors = report.errors();
    let error = errors.next().unwrap_or_else(|| panic!("nothing in {report}"));
    assert_eq!(error.subject, format!("column {column}"), "{report}");
    assert!(error.problem.contains(problem), "{report}");
    assert!(error.cure.contains("#[orm(generated)]"), "{report}");
    assert_eq!(errors.next(), None, "{report}");
}

#[tokio::test]
async fn a_column_to_which_no_values_can_be_given() {
    let here = here().await;
    assert_error(&here.orm.verify::<Unmarked>().await.unwrap(), "double", "is computed");
    assert_error(&here.orm.verify::<Indexed>().await.unwrap(), "double", "is computed");
    for report in [
        here.orm.verify::<Marked>().await.unwrap(),
        here.orm.verify::<Short>().await.unwrap(),
    ] {
        assert_eq!(report.findings, [], "{report}");
    }
    let mut row = Unmarked { id: 1, size: 2, double: Some(7) };
    assert!(matches!(row.update(&here.orm).await, Err(Error::Database { .. })));
    let numbered = match Here::DATABASE {
        Kind::Postgres => "GENERATED ALWAYS AS IDENTITY",
        _ => "NOT NULL",
    };
    here.run(&format!(
        "CREATE TABLE numbered (id BIGINT {numbered} PRIMARY KEY, size BIGINT NOT NULL)"
    ))
    .await;
    let report = here.orm.verify::<Numbered>().await.unwrap();
    match Here::DATABASE {
        Kind::Postgres => assert_error(&report, "id", "is numbered"),
        _ => assert_eq!(report.findings, [], "{report}"),
    }
}

/// A value comes to the index with a column of which it is made.
#[tokio::test]
async fn an_index_over_a_generated_column() {
    let here = here().await;
    assert_eq!(Indexed::fetch_by_double(&here.orm, 10).await.unwrap(), []);
    let patch = Indexed::patch(1).set(IndexedColumns::SIZE, 5);
    let error = patch.execute(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    // Nor is it told through a struct that does not have it.
    let patch = Short::patch(1).set(ShortColumns::SIZE, 5);
    let error = patch.execute(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    assert_eq!(Indexed::fetch_by_double(&here.orm, 10).await.unwrap(), []);
    // One that knows it tells.
    Marked::patch(1).set(MarkedColumns::SIZE, 5).execute(&here.orm).await.unwrap();
    assert_eq!(Indexed::fetch_by_double(&here.orm, 10).await.unwrap().len(), 1);
}
