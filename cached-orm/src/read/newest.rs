//! Reads in a transaction of rows that it has locked, on a database whose plain reads
//! may show older ones.

use super::at_once;
use crate::{
    Backend, Bindings, Index, KeyKind, Operation, Persist, PrimaryKey as _, Result,
    sql::{among, compose, fetch_rows, text},
    transaction::Open,
};
use sqlx::AssertSqlSafe;
use std::collections::HashSet;

/// Whether a read locks what it reads, and so reads what it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowLock {
    No,
    Yes,
}

impl RowLock {
    /// For a row of the transaction: those that it has locked are read by their lock.
    pub(super) fn of<DB: Backend, T: Persist<DB>>(open: &Open<'_, DB>, key: &T::Key) -> Self {
        if open.holds::<T>(key) { Self::Yes } else { Self::No }
    }

    /// What a SELECT ends with.
    pub(super) fn clause<DB: Backend>(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Yes => DB::LOCK_ROWS,
        }
    }
}

/// What a plain read has `shown` for a condition, but the rows that the transaction has
/// locked as they are now: those that have come to fulfil it are there too, and those
/// that no longer do are not. `condition` adds its arguments, and is SQL.
///
/// Rows that have come stand last, unless their keys are numbers: how the database puts
/// others in order, it alone knows.
pub(super) async fn with_held<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    shown: Vec<T>,
    condition: impl Fn(&mut Bindings<DB>) -> String,
    operation: Operation,
) -> Result<Vec<T>> {
    let mut held = open.held::<T>();
    if held.is_empty() {
        return Ok(shown);
    }
    // Another struct's key of the row may be of another type.
    for key in shown.iter().map(T::key).filter(|key| open.holds::<T>(key)) {
        held.entry(open.orm().cache_key::<T>(&key)).or_insert(key);
    }
    let keys: Vec<_> = held.into_values().collect();
    let mut now = Vec::new();
    for keys in keys.chunks(at_once::<T>()) {
        let mut bindings = Bindings::new();
        let among = among(T::TABLE.key_columns(), keys, compose::table::<DB, T>, &mut bindings);
        // No index is used for it, or rows would be locked that are only looked at.
        let condition = format!("CASE WHEN {} THEN 1 ELSE 0 END = 1", condition(&mut bindings));
        let (select, lock) = (T::SELECT, RowLock::Yes.clause::<DB>());
        // Made of the derive's constants and nothing else.
        let sql = AssertSqlSafe(format!("{select} WHERE {among} AND {condition}{lock}"));
        let reading = open.begin_read(operation).await?;
        let rows = fetch_rows(open.connection(), sql, bindings, operation).await;
        let rows: Vec<T> = open.read_done(reading, rows)?;
        now.extend(rows);
    }
    let mut rows = Vec::with_capacity(shown.len() + now.len());
    for row in shown {
        let key = row.key();
        if !open.holds::<T>(&key) {
            rows.push(row);
        } else if let Some(at) = now.iter().position(|row| row.key() == key) {
            rows.push(now.swap_remove(at));
        }
    }
    if !now.is_empty() {
        rows.append(&mut now);
        if T::Key::KINDS.iter().all(|kind| *kind == KeyKind::Integer) {
            rows.sort_by_cached_key(|row| numbers(&text(&row.key())));
        }
    }
    Ok(rows)
}

/// Leaves of several rows with one value of a unique index that which is locked: the
/// others are shown as they were.
pub(super) fn prefer_held<DB: Backend, T: Persist<DB>>(
    open: &Open<'_, DB>,
    index: &Index<T>,
    rows: &mut Vec<T>,
) {
    let held = rows.iter().filter(|row| open.holds::<T>(&row.key()));
    let values: HashSet<String> = held
        .filter_map(|row| index.value_of(row).text().map(str::to_owned))
        .filter(|_| index.is_unique())
        .collect();
    rows.retain(|row| {
        let has_a_held_ones =
            || index.value_of(row).text().is_some_and(|value| values.contains(value));
        values.is_empty() || !has_a_held_ones() || open.holds::<T>(&row.key())
    });
}

/// The numbers of an instance key: `(7)(8)`.
fn numbers(key: &str) -> Vec<i128> {
    let parts = key.trim_matches(['(', ')']).split(")(");
    parts.map(|part| part.parse().unwrap_or_default()).collect()
}
