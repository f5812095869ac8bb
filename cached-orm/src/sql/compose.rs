//! Statements on one entity's table that depend on what is to be written. They
//! are made of the names that the derive has given, and of nothing else.

use super::{
    Backend, Bindings,
    key_list::{among, row_of_types},
    split_table,
};
use crate::Persist;
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// The table, in statements that speak of other rows too.
const ROW: &str = "cached_orm_row";
/// The rows that take the place of old ones.
const NEW: &str = "cached_orm_new";

/// Updates one row. Arguments: the columns, the key, and the version if it is
/// `checked`.
pub(crate) fn update<DB: Backend, T: Persist<DB>>(columns: &[&str], checked: bool) -> SqlStr {
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
    safe(format!("UPDATE {table} SET {assignments} WHERE {condition}{returning}"))
}

/// Inserts one row, or updates the one with its key. Arguments: `columns`.
pub(crate) fn upsert<DB: Backend, T: Persist<DB>>(columns: &[&str]) -> SqlStr {
    let keys = T::TABLE.key_columns();
    let mut assignments: Vec<_> = columns
        .iter()
        .filter(|column| !keys.contains(column))
        .map(|column| {
            let name = DB::quote(column);
            match T::VERSION {
                Some(version) if version == *column => format!("{name} = {ROW}.{name} + 1"),
                _ => format!("{name} = excluded.{name}"),
            }
        })
        .collect();
    if assignments.is_empty() {
        // The row must be met all the same, to be locked and returned.
        assignments.extend(keys.first().map(|key| {
            let name = DB::quote(key);
            format!("{name} = {ROW}.{name}")
        }));
    }
    let action = format!("UPDATE SET {}", assignments.join(", "));
    insert_on_conflict::<DB, T>(columns, &action)
}

/// Inserts one row, or does nothing if there is one with its key; on a database
/// that cannot tell the key from other unique indexes it is a plain INSERT.
pub(crate) fn insert_unless_there<DB: Backend, T: Persist<DB>>(columns: &[&str]) -> SqlStr {
    if DB::RETURNING {
        insert_on_conflict::<DB, T>(columns, "NOTHING")
    } else {
        T::INSERT.into_sql_str()
    }
}

fn insert_on_conflict<DB: Backend, T: Persist<DB>>(columns: &[&str], action: &str) -> SqlStr {
    let (table, returning) = (table::<DB, T>(), returning::<DB, T>());
    let (names, values) = (quoted::<DB>(columns), rows::<DB>(columns.len(), 1));
    let keys = quoted::<DB>(T::TABLE.key_columns());
    safe(format!(
        "INSERT INTO {table} AS {ROW} ({names}) VALUES {values} \
         ON CONFLICT ({keys}) DO {action}{returning}"
    ))
}

/// Inserts so many rows, with keys that the database would have generated if they
/// are `numbered`. Arguments: `columns` of each.
pub(crate) fn insert_many<DB: Backend, T: Persist<DB>>(
    columns: &[&str],
    count: usize,
    numbered: bool,
) -> SqlStr {
    let (table, returning) = (table::<DB, T>(), returning::<DB, T>());
    let (names, values) = (quoted::<DB>(columns), rows::<DB>(columns.len(), count));
    let overriding = if numbered { DB::OVERRIDING } else { "" };
    safe(format!("INSERT INTO {table} ({names}){overriding} VALUES {values}{returning}"))
}

/// Updates so many rows, where the database can by one statement. Arguments:
/// `columns` of each, then its key, then its version if there is one.
pub(crate) fn update_many<DB: Backend, T: Persist<DB>>(
    columns: &[&str],
    count: usize,
    bindings: &Bindings<DB>,
) -> SqlStr {
    let keys = T::TABLE.key_columns();
    let mut assignments = Vec::new();
    let mut conditions = Vec::new();
    for (i, column) in columns.iter().chain(keys).enumerate() {
        let name = DB::quote(column);
        if i < columns.len() {
            assignments.push(format!("{name} = {NEW}.{NEW}_{i}"));
        } else {
            conditions.push(format!("{ROW}.{name} = {NEW}.{NEW}_{i}"));
        }
    }
    let mut width = columns.len() + keys.len();
    if let Some(version) = T::VERSION {
        let name = DB::quote(version);
        assignments.push(format!("{name} = {ROW}.{name} + 1"));
        conditions.push(format!("{ROW}.{name} = {NEW}.{NEW}_{width}"));
        width += 1;
    }
    let names: Vec<_> = (0..width).map(|i| format!("{NEW}_{i}")).collect();
    let (table, returning) = (table::<DB, T>(), returning::<DB, T>());
    let (names, mut values) = (names.join(", "), rows::<DB>(width, count));
    if bindings.has_types_of_columns() {
        let of_row = columns.iter().chain(keys).copied().chain(T::VERSION);
        // JSON is sent as `jsonb`, whichever of the two its column is.
        let of_type = |column: &str| match bindings.json_columns().contains(&column) {
            true => format!("{}::jsonb", DB::quote(column)),
            false => DB::quote(column),
        };
        let of_row: Vec<_> = of_row.map(of_type).collect();
        values.insert_str(0, &format!("{}, ", row_of_types(&of_row, &table)));
    }
    let (assignments, conditions) = (assignments.join(", "), conditions.join(" AND "));
    safe(format!(
        "UPDATE {table} AS {ROW} SET {assignments} FROM (VALUES {values}) AS {NEW} ({names}) \
         WHERE {conditions}{returning}"
    ))
}

/// Deletes the rows with one of `keys`, as in [`among`].
pub(crate) fn delete_among<DB: Backend, T: Persist<DB>>(
    keys: &[T::Key],
    bindings: &mut Bindings<DB>,
) -> SqlStr {
    let condition = among(T::TABLE.key_columns(), keys, table::<DB, T>, bindings);
    let (table, returning) = (table::<DB, T>(), returning::<DB, T>());
    safe(format!("DELETE FROM {table} WHERE {condition}{returning}"))
}

/// Selects the rows with one of `numbers` in `column`.
pub(crate) fn select_numbered<DB: Backend, T: Persist<DB>>(
    column: &'static str,
    numbers: &[i64],
    bindings: &mut Bindings<DB>,
) -> SqlStr {
    let name = DB::quote(column);
    let placeholders: Vec<_> = (1..=numbers.len()).map(DB::placeholder).collect();
    for number in numbers {
        DB::add_number(bindings, column, *number);
    }
    let (select, placeholders) = (T::SELECT, placeholders.join(", "));
    safe(format!("{select} WHERE {name} IN ({placeholders})"))
}

/// Selects one row by primary key, and locks it; with the transaction's id where
/// statements tell it.
pub(crate) fn lock<DB: Backend, T: Persist<DB>>() -> SqlStr {
    lock_by::<DB, T>(T::TABLE.key_columns())
}

/// The same, with the arguments in the order of `columns`, which are those of the key.
pub(crate) fn lock_by<DB: Backend, T: Persist<DB>>(columns: &[&str]) -> SqlStr {
    let condition = equal::<DB>(columns, 1).join(" AND ");
    let (columns, table) = (all_columns::<DB, T>(), table::<DB, T>());
    safe(format!("SELECT {columns} FROM {table} WHERE {condition}{}", DB::LOCK_ROWS))
}

/// Selects one row of the table's columns, in which all of them are NULL.
pub(crate) fn select_nulls<DB: Backend, T: Persist<DB>>() -> SqlStr {
    let table = table::<DB, T>();
    let columns = T::SELECT.strip_suffix(&format!(" FROM {table}")).unwrap_or(T::SELECT);
    safe(format!("{columns} FROM (SELECT 1 AS {NEW}) AS {ROW} LEFT JOIN {table} ON 1 = 0"))
}

fn safe(sql: String) -> SqlStr {
    AssertSqlSafe(sql).into_sql_str()
}

/// `"schema"."table"`
pub(crate) fn table<DB: Backend, T: Persist<DB>>() -> String {
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

/// `"a", "b"`
fn quoted<DB: Backend>(columns: &[&str]) -> String {
    columns.iter().map(|column| DB::quote(column)).collect::<Vec<_>>().join(", ")
}

/// `($1, $2), ($3, $4)`, for so many rows of `width`.
fn rows<DB: Backend>(width: usize, count: usize) -> String {
    let row = |row| {
        let numbers = row * width + 1..=(row + 1) * width;
        format!("({})", numbers.map(DB::placeholder).collect::<Vec<_>>().join(", "))
    };
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}
