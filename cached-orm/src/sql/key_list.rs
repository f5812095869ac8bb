//! Rows by many keys at once: `"id" IN ($1, $2, …)`.
//!
//! A list has a power of two of keys, the last one repeated, so that ten
//! statements serve every number of keys, and drivers that keep prepared
//! statements keep no more of them.

use super::{Backend, BindKey, Bindings, compose};
use crate::{Error, Operation, Persist, PrimaryKey, Result};
use std::collections::{HashMap, hash_map::Entry};

/// The arguments of one list. Above 1,000 MariaDB makes a table of them where
/// it would have looked into the index; what a statement can take at all is
/// 32,766 and more.
const MOST_ARGUMENTS: usize = 512;

/// How many keys of so many columns one list takes.
pub(crate) const fn keys_at_once(columns: usize) -> usize {
    1 << (MOST_ARGUMENTS / columns).ilog2()
}

/// The condition that `columns` equal one of `keys`, of which there are some, and
/// [`keys_at_once`] at most. Their arguments follow those in `bindings`.
pub(crate) fn among<DB: Backend, K: BindKey<DB>>(
    columns: &[&str],
    keys: &[K],
    table: impl FnOnce() -> String,
    bindings: &mut Bindings<DB>,
) -> String {
    let binds: Vec<_> =
        keys.iter().map(|key| |bindings: &mut Bindings<DB>| key.bind(bindings)).collect();
    among_bound(columns, &binds, table, bindings)
}

/// The same, where each of `binds` adds the arguments of one key. `table` is the table's
/// name as it stands in SQL.
pub(crate) fn among_bound<DB: Backend, B: Fn(&mut Bindings<DB>)>(
    columns: &[&str],
    binds: &[B],
    table: impl FnOnce() -> String,
    bindings: &mut Bindings<DB>,
) -> String {
    let length = binds.len().next_power_of_two();
    let first = bindings.len() + 1;
    let placeholders: Vec<_> =
        (first..first + length * columns.len()).map(DB::placeholder).collect();
    for bind in binds.iter().chain(binds.last().into_iter().cycle()).take(length) {
        bind(bindings);
    }
    let quoted: Vec<_> = columns.iter().map(|column| DB::quote(column)).collect();
    let names = quoted.join(", ");
    if columns.len() == 1 {
        return format!("{names} IN ({})", placeholders.join(", "));
    }
    let mut rows: Vec<_> =
        placeholders.chunks(columns.len()).map(|row| format!("({})", row.join(", "))).collect();
    if bindings.has_types_of_columns() {
        rows.insert(0, row_of_types(&quoted, &table()));
    }
    format!("({names}) IN ({}{})", DB::ROW_LIST, rows.join(", "))
}

/// A row for a list of rows, of NULLs that have the types of these columns. Arguments in
/// the list that are told no type take theirs.
pub(super) fn row_of_types(columns: &[String], table: &str) -> String {
    let of_type = |column: &String| format!("(SELECT {column} FROM {table} WHERE FALSE)");
    let nulls: Vec<_> = columns.iter().map(of_type).collect();
    format!("({})", nulls.join(", "))
}

/// The statement that selects the rows with one of `keys`, as in [`among`].
pub(crate) fn select_among<DB: Backend, T: Persist<DB>>(
    keys: &[T::Key],
    bindings: &mut Bindings<DB>,
) -> String {
    let condition = among(T::TABLE.key_columns(), keys, compose::table::<DB, T>, bindings);
    format!("{} WHERE {condition}", T::SELECT)
}

/// The same, and locks the rows until the transaction ends.
pub(crate) fn lock_among<DB: Backend, T: Persist<DB>>(
    keys: &[T::Key],
    bindings: &mut Bindings<DB>,
) -> String {
    format!("{}{}", select_among::<DB, T>(keys, bindings), DB::LOCK_ROWS)
}

/// The rows in the order of `keys`, which are all different.
///
/// A database may find `ANN` where `ann` was asked for, by its collation: that
/// row has another key, and is left out.
///
/// # Errors
/// [`Error::MoreThanOneRow`] if two rows have one key: the table's key is not
/// the struct's.
pub(crate) fn in_order_of<K: PrimaryKey, R>(
    keys: &[K],
    rows: Vec<R>,
    key_of: impl Fn(&R) -> K,
    operation: Operation,
) -> Result<Vec<Option<R>>> {
    in_order_of_texts(keys.iter().map(text), rows, key_of, operation)
}

/// The rows in the order of their instance keys, as [`in_order_of`].
pub(crate) fn in_order_of_texts<K: PrimaryKey, R>(
    keys: impl Iterator<Item = String>,
    rows: Vec<R>,
    key_of: impl Fn(&R) -> K,
    operation: Operation,
) -> Result<Vec<Option<R>>> {
    let mut by_key = HashMap::with_capacity(rows.len());
    for row in rows {
        match by_key.entry(text(&key_of(&row))) {
            Entry::Vacant(free) => free.insert(row),
            Entry::Occupied(_) => return Err(Error::MoreThanOneRow { operation }),
        };
    }
    Ok(keys.map(|key| by_key.remove(&key)).collect())
}

/// The instance key.
pub(crate) fn text(key: &impl PrimaryKey) -> String {
    let mut text = String::new();
    key.write_instance_key(&mut text);
    text
}

#[cfg(all(test, feature = "postgres", feature = "mysql", feature = "sqlite"))]
mod tests {
    use super::{among, keys_at_once};
    use crate::{Backend, BindKey, Bindings, MySql, Postgres, Sqlite};

    fn list<DB: Backend, K: BindKey<DB>>(columns: &[&str], keys: &[K], before: i32) -> String
    where
        i32: BindKey<DB>,
    {
        let mut bindings = Bindings::<DB>::new();
        (0..before).for_each(|n| n.bind(&mut bindings));
        let sql = among(columns, keys, || "\"t\"".to_owned(), &mut bindings);
        let arguments = keys.len().next_power_of_two() * columns.len();
        assert_eq!(bindings.len(), before as usize + arguments);
        sql
    }

    #[test]
    fn a_list_has_a_power_of_two_of_keys() {
        let id = ["id"];
        assert_eq!(list::<Postgres, _>(&id, &[7], 0), r#""id" IN ($1)"#);
        assert_eq!(list::<Postgres, _>(&id, &[7, 8, 9], 2), r#""id" IN ($3, $4, $5, $6)"#);
        assert_eq!(list::<Sqlite, _>(&id, &[7, 8], 0), "`id` IN ($1, $2)");
        assert_eq!(list::<MySql, _>(&id, &[7, 8, 9], 0), "`id` IN (?, ?, ?, ?)");
    }

    #[test]
    fn a_list_of_composite_keys_has_rows() {
        let (columns, keys) = (["a", "b\"`"], [(1, 2), (3, 4), (5, 6)]);
        let rows = "($2, $3), ($4, $5), ($6, $7), ($8, $9)";
        let expected = format!(r#"("a", "b""`") IN (VALUES {rows})"#);
        assert_eq!(list::<Postgres, _>(&columns, &keys, 1), expected);
        let expected = format!("(`a`, `b\"```) IN (VALUES {rows})");
        assert_eq!(list::<Sqlite, _>(&columns, &keys, 1), expected);
        let expected = "(`a`, `b\"```) IN ((?, ?), (?, ?), (?, ?), (?, ?))";
        assert_eq!(list::<MySql, _>(&columns, &keys, 1), expected);
    }

    #[test]
    fn a_list_of_texts_has_the_types_of_its_columns() {
        let (columns, keys) = (["a", "b"], [("x".to_owned(), 1), ("y".to_owned(), 2)]);
        let types = r#"(SELECT "a" FROM "t" WHERE FALSE), (SELECT "b" FROM "t" WHERE FALSE)"#;
        let expected = format!(r#"("a", "b") IN (VALUES ({types}), ($1, $2), ($3, $4))"#);
        assert_eq!(list::<Postgres, _>(&columns, &keys, 0), expected);
        let expected = "(`a`, `b`) IN (VALUES ($1, $2), ($3, $4))";
        assert_eq!(list::<Sqlite, _>(&columns, &keys, 0), expected);
        let one = list::<Postgres, _>(&["a"], &["x".to_owned(), "y".to_owned()], 0);
        assert_eq!(one, r#""a" IN ($1, $2)"#);
    }

    #[test]
    fn no_list_has_too_many_arguments() {
        let keys: Vec<_> = (1..=8).map(keys_at_once).collect();
        assert_eq!(keys, [512, 256, 128, 128, 64, 64, 64, 64]);
    }
}
