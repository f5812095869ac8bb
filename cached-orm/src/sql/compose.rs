//! Statements on one entity's table that depend on what is to be written. They
//! are made of the names that the derive has given, and of nothing else.

use super::{Backend, split_table};
use crate::Persist;
use sqlx::AssertSqlSafe;

/// Updates one row. Arguments: the columns, the key, and the version if it is
/// `checked`.
pub(crate) fn update<DB: Backend, T: Persist<DB>>(
    columns: &[&str],
    checked: bool,
) -> AssertSqlSafe<String> {
    let keys = T::TABLE.key_columns();
    let mut condition = equal::<DB>(keys, columns.len() + 1).join(" AND ");
    let mut assignments = equal::<DB>(columns, 1);
    if let Some(version) = T::VERSION {
        let version = DB::quote(version);
        assignments.push(format!("{version} = {version} + 1"));
        if checked {
            let placeholder = DB::placeholder(columns.len() + keys.len() + 1);
            condition.push_str(&format!(" AND {version} = {placeholder}"));
        }
    }
    if assignments.is_empty() {
        // An update that writes nothing must still meet the row and lock it.
        if DB::RETURNING && !DB::LOCK_ROWS.is_empty() {
            // PostgreSQL refuses to set a key that it always generates.
            return lock::<DB, T>();
        }
        assignments.extend(keys.first().map(|key| {
            let key = DB::quote(key);
            format!("{key} = {key}")
        }));
    }
    let (table, returning) = (table::<DB, T>(), returning::<DB, T>());
    let assignments = assignments.join(", ");
    AssertSqlSafe(format!("UPDATE {table} SET {assignments} WHERE {condition}{returning}"))
}

/// Selects one row by primary key, and locks it; with the transaction's id where
/// statements tell it.
pub(crate) fn lock<DB: Backend, T: Persist<DB>>() -> AssertSqlSafe<String> {
    let condition = equal::<DB>(T::TABLE.key_columns(), 1).join(" AND ");
    let (columns, table) = (all_columns::<DB, T>(), table::<DB, T>());
    AssertSqlSafe(format!("SELECT {columns} FROM {table} WHERE {condition}{}", DB::LOCK_ROWS))
}

/// `"schema"."table"`
fn table<DB: Backend, T: Persist<DB>>() -> String {
    match split_table(T::TABLE.name()) {
        (Some(schema), name) => format!("{}.{}", DB::quote(schema), DB::quote(name)),
        (None, name) => DB::quote(name),
    }
}

/// ` RETURNING …`, where the database can.
fn returning<DB: Backend, T: Persist<DB>>() -> String {
    if DB::RETURNING { format!(" RETURNING {}", all_columns::<DB, T>()) } else { String::new() }
}

/// The columns that a row is read from, and the transaction's id where there is
/// such a thing.
fn all_columns<DB: Backend, T: Persist<DB>>() -> String {
    let from = format!(" FROM {}", table::<DB, T>());
    let columns = T::SELECT.strip_prefix("SELECT ").and_then(|rest| rest.strip_suffix(&from));
    // Columns are read by name.
    let columns = columns.unwrap_or("*");
    match DB::TRANSACTION_ID {
        Some(id) => format!("{columns}, {id}"),
        None => columns.to_owned(),
    }
}

/// `"a" = $1`, `"b" = $2`, with arguments from number `first` on.
fn equal<DB: Backend>(columns: &[&str], first: usize) -> Vec<String> {
    let terms = columns.iter().zip(first..);
    terms
        .map(|(name, number)| format!("{} = {}", DB::quote(name), DB::placeholder(number)))
        .collect()
}
