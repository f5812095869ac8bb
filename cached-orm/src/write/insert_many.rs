//! Many new rows. Where the database makes their keys, each row must get the one
//! that was made for it: what RETURNING shows has no order. So the keys are asked
//! for beforehand (PostgreSQL), or follow from the first one (MySQL and MariaDB);
//! otherwise the rows are inserted one by one. So they are, from the beginning and in a
//! new transaction or savepoint, if the database changes a key that was given.

use super::{
    bulk::{all_of, chunks, refuse_duplicates},
    change::note_change,
    found_again::keeps_key,
    insert::{bind_row, gives_key, insert_in},
    second_look::look_again,
};
use crate::{
    Backend, Bindings, Error, KeyKind, Operation, Persist, PrimaryKey as _, Result,
    schema::Change,
    sql::{
        KeyNumbers, compose,
        key_list::{in_order_of, in_order_of_texts, keys_at_once, select_among, text},
    },
    transaction::Open,
};
use sqlx::AssertSqlSafe;
use std::sync::Arc;

/// The rows as they were inserted, in the order of `values`.
pub(super) async fn insert_many_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    values: &[T],
    operation: Operation,
) -> Result<Vec<T>> {
    let Some(first) = values.first() else { return Ok(Vec::new()) };
    open.check_indexes::<T>(None, operation).await?;
    open.check_columns::<T>(operation).await?;
    let mut bindings = Bindings::<DB>::new();
    first.bind_given_key(&mut bindings);
    let given = bindings.columns();
    match T::TABLE.key_columns() {
        columns if columns.len() == given.len() => insert_given(open, values, operation).await,
        // Its text in the key is the number's.
        [column] if T::Key::KINDS == [KeyKind::Integer] => {
            insert_numbered(open, values, column, operation).await
        }
        _ => insert_one_by_one(open, values, operation).await,
    }
}

/// Whether rows that could not be inserted together may be by statements of their own.
/// The database may have changed a key, so that its row is not that of the key which was
/// given: only a statement for one row says which it is. Or else the error that it then
/// gives says which row is to blame.
pub(super) fn must_be_single(error: &Error) -> bool {
    matches!(error, Error::RowNotFound { .. }) || error.is_of_argument()
}

pub(super) async fn insert_one_by_one<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    values: &[T],
    operation: Operation,
) -> Result<Vec<T>> {
    let mut rows = Vec::with_capacity(values.len());
    for value in values {
        let inserted = insert_in(open, value, operation).await;
        rows.push(inserted.map_err(|error| of_value::<DB, T>(value, error))?);
    }
    Ok(rows)
}

/// The error, and which row it is of, if the program has chosen its key.
fn of_value<DB: Backend, T: Persist<DB>>(value: &T, error: Error) -> Error {
    if error.is_of_argument() && gives_key::<DB, T>(value) {
        return Error::Key { key: text(&value.key()), source: Arc::new(error) };
    }
    error
}

/// Whether the rows are found again by the keys that they are given, or that follow from
/// the first one.
async fn keep_keys<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    values: &[T],
    operation: Operation,
) -> Result<bool> {
    if DB::RETURNING {
        return Ok(true);
    }
    open.begin_write_of::<T>(&[Change::Insert], operation).await?;
    open.settled();
    let facts = open.facts();
    Ok(values.iter().all(|value| keeps_key(facts, value)))
}

async fn insert_given<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    values: &[T],
    operation: Operation,
) -> Result<Vec<T>> {
    let keys: Vec<_> = values.iter().map(T::key).collect();
    refuse_duplicates(&keys, operation)?;
    if !keep_keys(open, values, operation).await? {
        return insert_one_by_one(open, values, operation).await;
    }
    let mut inserted = Vec::with_capacity(values.len());
    let mut keys = keys.as_slice();
    for values in chunks(values, width::<DB, T>(values)) {
        let (these, rest) = keys.split_at(values.len());
        keys = rest;
        open.begin_write_of::<T>(&[Change::Insert], operation).await?;
        let mut bindings = Bindings::new();
        let count = values.len();
        values.iter().for_each(|value| bind_row(value, &mut bindings));
        let sql = compose::insert_many::<DB, T>(of_one_row(&bindings, count), count, false);
        let rows = if DB::RETURNING {
            let rows = open.fetch_written(sql, bindings, usize::MAX, operation).await?;
            in_order_of(these, rows, T::key, operation)?
        } else {
            open.execute(sql, bindings, operation).await?;
            let mut rows = Vec::with_capacity(count);
            for keys in these.chunks(keys_at_once(T::TABLE.key_columns().len())) {
                let mut bindings = Bindings::new();
                // Made of the derive's names and nothing else. They are locked.
                let sql = AssertSqlSafe(select_among::<DB, T>(keys, &mut bindings));
                rows.extend(open.fetch_at_most(sql, bindings, usize::MAX, operation).await?);
            }
            in_order_of(these, rows, T::key, operation)?
        };
        note_all(open, &mut inserted, all_of(rows, operation)?, operation).await?;
    }
    Ok(inserted)
}

/// Rows whose only key column the database fills with numbers.
async fn insert_numbered<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    values: &[T],
    column: &'static str,
    operation: Operation,
) -> Result<Vec<T>> {
    let reading = open.begin_read(operation).await?;
    let table = compose::table::<DB, T>();
    let asked = DB::key_numbers(open.connection(), &table, column, values.len()).await;
    match open.read_done(reading, asked.map_err(Error::database(operation)))? {
        KeyNumbers::Reserved(numbers) => {
            insert_reserved(open, values, column, &numbers, operation).await
        }
        KeyNumbers::Consecutive { step } => {
            insert_consecutive(open, values, column, step, operation).await
        }
        KeyNumbers::Unknown => insert_one_by_one(open, values, operation).await,
    }
}

/// Gives each row one of the `numbers`, as if the program had chosen them.
async fn insert_reserved<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    values: &[T],
    column: &'static str,
    mut numbers: &[i64],
    operation: Operation,
) -> Result<Vec<T>> {
    let mut inserted = Vec::with_capacity(values.len());
    for values in chunks(values, width::<DB, T>(values) + 1) {
        open.begin_write_of::<T>(&[Change::Insert], operation).await?;
        let count = values.len();
        let (these, rest) =
            numbers.split_at_checked(count).ok_or(Error::NoGeneratedKey { operation })?;
        numbers = rest;
        let mut bindings = Bindings::new();
        for (value, number) in values.iter().zip(these) {
            bind_row(value, &mut bindings);
            DB::add_number(&mut bindings, column, *number);
        }
        let sql = compose::insert_many::<DB, T>(of_one_row(&bindings, count), count, true);
        let rows = open.fetch_written(sql, bindings, usize::MAX, operation).await?;
        note(open, &mut inserted, these, rows, operation).await?;
    }
    Ok(inserted)
}

/// Reads the rows again by the numbers that follow from the first one.
async fn insert_consecutive<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    values: &[T],
    column: &'static str,
    step: i64,
    operation: Operation,
) -> Result<Vec<T>> {
    if !keep_keys(open, values, operation).await? {
        return insert_one_by_one(open, values, operation).await;
    }
    let mut inserted = Vec::with_capacity(values.len());
    for values in chunks(values, width::<DB, T>(values)) {
        open.begin_write_of::<T>(&[Change::Insert], operation).await?;
        let count = values.len();
        let mut bindings = Bindings::new();
        values.iter().for_each(|value| bind_row(value, &mut bindings));
        let sql = compose::insert_many::<DB, T>(of_one_row(&bindings, count), count, false);
        let done = open.execute(sql, bindings, operation).await?;
        let numbers = numbers_from(DB::last_key(&done), step, count)
            .ok_or(Error::NoGeneratedKey { operation })?;
        let mut bindings = Bindings::new();
        let sql = compose::select_numbered::<DB, T>(column, &numbers, &mut bindings);
        let rows = open.fetch_at_most(sql, bindings, usize::MAX, operation).await?;
        note(open, &mut inserted, &numbers, rows, operation).await?;
    }
    Ok(inserted)
}

fn numbers_from(first: Option<u64>, step: i64, count: usize) -> Option<Vec<i64>> {
    let first = i64::try_from(first?).ok()?;
    let number = |i| first.checked_add(step.checked_mul(i)?);
    (0..i64::try_from(count).ok()?).map(number).collect()
}

/// Notes rows with these numbers as their keys.
async fn note<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    inserted: &mut Vec<T>,
    numbers: &[i64],
    rows: Vec<T>,
    operation: Operation,
) -> Result<()> {
    let keys = numbers.iter().map(|number| format!("({number})"));
    let rows = all_of(in_order_of_texts(keys, rows, T::key, operation)?, operation)?;
    note_all(open, inserted, rows, operation).await
}

async fn note_all<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    inserted: &mut Vec<T>,
    rows: Vec<T>,
    operation: Operation,
) -> Result<()> {
    rows.iter().for_each(|row| note_change(open, None, Some(row)));
    look_again(open, &rows, operation).await?;
    open.settled();
    inserted.extend(rows);
    Ok(())
}

/// The columns of one of so many rows.
fn of_one_row<DB: Backend>(bindings: &Bindings<DB>, count: usize) -> &[&'static str] {
    let columns = bindings.columns();
    &columns[..columns.len() / count.max(1)]
}

fn width<DB: Backend, T: Persist<DB>>(values: &[T]) -> usize {
    let mut bindings = Bindings::<DB>::new();
    values.first().into_iter().for_each(|value| bind_row(value, &mut bindings));
    bindings.columns().len()
}
