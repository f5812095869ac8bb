use super::{
    bulk::{chunks, lock_many, refuse_duplicates},
    change::{note_change, read_before_many},
    second_look::look_again,
    update::update_in,
};
use crate::{
    Backend, BindKey as _, Bindings, Error, Operation, Persist, Result,
    schema::Change,
    sql::{compose, key_list::in_order_of},
    transaction::Open,
};

/// The rows as they are then, in the order of `values`.
pub(super) async fn update_many_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    values: &[T],
    operation: Operation,
) -> Result<Vec<T>> {
    let keys: Vec<_> = values.iter().map(T::key).collect();
    refuse_duplicates(&keys, operation)?;
    let mut keys = keys.as_slice();
    let mut updated = Vec::with_capacity(values.len());
    let columns = columns::<DB, T>(values);
    open.check_indexes::<T>(Some(&columns), operation).await?;
    open.check_columns::<T>(operation).await?;
    let width = columns.len() + T::TABLE.key_columns().len() + 1;
    for values in chunks(values, width) {
        let (these, rest) = keys.split_at(values.len());
        keys = rest;
        match arguments(values, these, &columns) {
            Some(bindings) => {
                updated.extend(update_chunk(open, these, &columns, bindings, operation).await?);
            }
            None => {
                for value in values {
                    updated.push(update_in(open, value, operation).await?);
                }
            }
        }
    }
    Ok(updated)
}

async fn update_chunk<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    keys: &[T::Key],
    columns: &[&'static str],
    bindings: Bindings<DB>,
    operation: Operation,
) -> Result<Vec<T>> {
    open.begin_write_of::<T>(&[Change::Update], operation).await?;
    let before: Vec<Option<T>> = read_before_many(open, keys, operation).await?;
    let sql = compose::update_many::<DB, T>(columns, keys.len(), &bindings);
    let rows = open.fetch_written(sql, bindings, usize::MAX, operation).await?;
    let rows: Vec<Option<T>> = in_order_of(keys, rows, T::key, operation)?;
    let missing = keys.iter().zip(&rows).filter(|(_, row)| row.is_none());
    let missing: Vec<_> = missing.map(|(key, _)| key.clone()).collect();
    if !missing.is_empty() {
        if T::VERSION.is_some()
            && lock_many::<DB, T>(open, &missing, operation).await?.iter().any(Option::is_some)
        {
            return Err(Error::Conflict { operation });
        }
        return Err(Error::RowNotFound { operation });
    }
    let rows: Vec<T> = rows.into_iter().flatten().collect();
    let mut before = before.iter();
    for row in &rows {
        note_change(open, before.next().and_then(Option::as_ref), Some(row));
    }
    look_again(open, &rows, operation).await?;
    open.settled();
    Ok(rows)
}

/// The columns that are written.
fn columns<DB: Backend, T: Persist<DB>>(values: &[T]) -> Vec<&'static str> {
    let mut bindings = Bindings::<DB>::new();
    values.first().into_iter().for_each(|value| value.bind_columns(&mut bindings));
    bindings.columns().to_vec()
}

/// The arguments of one statement for all the rows; `None` if there is no such
/// statement, or if rows differ in what they write.
fn arguments<DB: Backend, T: Persist<DB>>(
    values: &[T],
    keys: &[T::Key],
    columns: &[&'static str],
) -> Option<Bindings<DB>> {
    let writes = T::VERSION.is_some() || !columns.is_empty();
    let mut bindings = Bindings::new();
    let alike = values.iter().zip(keys).all(|(value, key)| {
        let from = bindings.columns().len();
        value.bind_columns(&mut bindings);
        let alike = &bindings.columns()[from..] == columns;
        key.bind(&mut bindings);
        value.bind_version(&mut bindings);
        alike
    });
    bindings.leave_out_not_loaded();
    (DB::UPDATES_MANY && writes && alike).then_some(bindings)
}
