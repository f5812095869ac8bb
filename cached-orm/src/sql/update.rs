//! Updates that leave columns out.

use super::Backend;
use crate::Persist;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// [`Persist::UPDATE`] of these columns only; `None` if there are none.
///
/// Parameters: the columns, then the key.
pub(crate) fn update_of<DB: Backend, T: Persist<DB>>(columns: &[&str]) -> Option<SqlStr> {
    if columns.is_empty() {
        return None;
    }
    let keys = T::TABLE.key_columns();
    let mut n = 0;
    let mut equal = |columns: &[&str], separator: &str| {
        let terms: Vec<_> = columns
            .iter()
            .map(|column| {
                n += 1;
                format!("{} = {}", DB::quote(column), nth_placeholder::<DB>(n))
            })
            .collect();
        terms.join(separator)
    };
    let (assignments, condition) = (equal(columns, ", "), equal(keys, " AND "));
    let table = quoted_table::<DB>(T::TABLE.name());
    let returning = returning::<DB, T>(&table);
    // Made of the derive's constants and nothing else.
    let sql = format!("UPDATE {table} SET {assignments} WHERE {condition}{returning}");
    Some(AssertSqlSafe(sql).into_sql_str())
}

fn quoted_table<DB: Backend>(name: &str) -> String {
    let parts: Vec<_> = name.split('.').map(DB::quote).collect();
    parts.join(".")
}

/// How [`Persist::UPDATE`] ends after its condition, where it returns the row.
fn returning<DB: Backend, T: Persist<DB>>(table: &str) -> &'static str {
    let columns = T::SELECT.strip_prefix("SELECT ");
    let columns = columns.and_then(|rest| rest.strip_suffix(&format!(" FROM {table}")));
    let returning = format!(" RETURNING {}", columns.unwrap_or_default());
    T::UPDATE.rfind(&returning).and_then(|at| T::UPDATE.get(at..)).unwrap_or_default()
}

fn nth_placeholder<DB: Backend>(n: usize) -> String {
    match DB::placeholder().strip_suffix('1') {
        Some(sign) => format!("{sign}{n}"),
        None => DB::placeholder().to_owned(),
    }
}
