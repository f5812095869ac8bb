//! A table's indexes.

use super::{
    super::{
        description::IndexDescription,
        words::{Dialect, Word, keeps_nulls, leaves_out_nulls, words},
    },
    Declared,
};
use crate::Backend as _;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

/// Those of constraints too, and the row's number where the primary key is one.
pub(super) async fn indexes(
    connection: &mut SqliteConnection,
    schema: &str,
    name: &str,
    declared: &Declared,
) -> sqlx::Result<Vec<IndexDescription>> {
    const INDEXES: &str = "
        SELECT name, \"unique\", origin = 'pk', partial
        FROM pragma_index_list($1, $2) ORDER BY origin <> 'pk', name";
    const COLUMNS: &str = "
        SELECT COALESCE(name, ''), coll FROM pragma_index_xinfo($1, $2) WHERE key ORDER BY seqno";
    const KEY: &str = "SELECT name FROM pragma_table_xinfo($1, $2) WHERE pk > 0 ORDER BY pk";
    let query = sqlx::query_as(INDEXES).bind(name).bind(schema).persistent(false);
    let found: Vec<(String, bool, bool, bool)> = query.fetch_all(&mut *connection).await?;
    let mut indexes = Vec::with_capacity(found.len() + 1);
    for (index, is_unique, is_primary, is_partial) in found {
        let query = sqlx::query_as(COLUMNS).bind(&index).bind(schema).persistent(false);
        let parts: Vec<(String, String)> = query.fetch_all(&mut *connection).await?;
        let leading: Vec<String> = parts
            .iter()
            .map(|(name, _)| name)
            .take_while(|name| !name.is_empty())
            .cloned()
            .collect();
        let mut columns = leading.clone();
        let mut has_other_nulls = false;
        let mut leaves_out_rows = is_partial;
        if leading.len() < parts.len() || is_partial {
            let sql = words(&index_sql(connection, schema, &index).await?, Dialect::Sqlite);
            let condition = sql.iter().position(|word| word.is("where")).unwrap_or(sql.len());
            let (expressions, condition) = sql.split_at_checked(condition).unwrap_or_default();
            if leading.len() < parts.len() {
                let (named, keeps_nulls) = in_expressions(expressions);
                columns.extend(named);
                has_other_nulls = !keeps_nulls;
            }
            leaves_out_rows = condition
                .split_first()
                .is_some_and(|(_, condition)| !leaves_out_nulls(condition, &leading));
        }
        let differs = |(column, collation): &(String, String)| {
            !column.is_empty() && !collation.eq_ignore_ascii_case(declared.collation(column))
        };
        indexes.push(IndexDescription {
            is_unique,
            is_primary,
            is_partial: leaves_out_rows,
            columns,
            leading,
            has_other_collation: parts.iter().any(differs),
            has_other_nulls,
            name: index,
            ..IndexDescription::default()
        });
    }
    if !indexes.iter().any(|index| index.is_primary) {
        let query = sqlx::query_scalar(KEY).bind(name).bind(schema).persistent(false);
        let key: Vec<String> = query.fetch_all(connection).await?;
        if !key.is_empty() {
            indexes.push(IndexDescription {
                name: "PRIMARY KEY".to_owned(),
                is_unique: true,
                is_primary: true,
                columns: key.clone(),
                leading: key,
                ..IndexDescription::default()
            });
        }
    }
    Ok(indexes)
}

/// The statement that made the index.
async fn index_sql(
    connection: &mut SqliteConnection,
    schema: &str,
    index: &str,
) -> sqlx::Result<String> {
    let query = format!(
        "SELECT sql FROM {}.sqlite_schema WHERE type = 'index' AND name = $1",
        Sqlite::quote(schema)
    );
    let query = sqlx::query_scalar(AssertSqlSafe(query)).bind(index).persistent(false);
    let sql: Option<Option<String>> = query.fetch_optional(connection).await?;
    Ok(sql.flatten().unwrap_or_default())
}

/// Every name in the parentheses of CREATE INDEX, of which some are columns', and whether
/// its expressions keep NULLs.
fn in_expressions(words: &[Word]) -> (Vec<String>, bool) {
    let start = words.iter().position(|word| word.is("(")).unwrap_or(words.len());
    let expressions = words.get(start..).unwrap_or_default();
    let columns = expressions.iter();
    // `lower(email)`: what stands before a parenthesis is a function.
    let followed = columns.clone().skip(1).map(Some).chain([None]);
    let names = columns.zip(followed).filter_map(|(word, next)| match word {
        _ if next.is_some_and(|next| next.is("(")) || word.is_any(&["asc", "desc", "collate"]) => {
            None
        }
        word => word.name().map(str::to_owned),
    });
    (names.collect(), keeps_nulls(expressions))
}
