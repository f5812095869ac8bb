use super::{change::note_change, or_failed};
use crate::{
    Backend, BindKey as _, Bindings, Error, Operation, Persist, Result, transaction::Open,
};

pub(super) async fn insert_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    open.begin_write(operation).await?;
    let mut bindings = Bindings::new();
    value.bind_columns(&mut bindings);
    value.bind_version(&mut bindings);
    value.bind_given_key(&mut bindings);
    let row = if DB::RETURNING {
        let rows = open.fetch_at_most(T::INSERT, bindings, 1, operation).await;
        or_failed(open, rows).await?.pop()
    } else {
        let done = open.execute(T::INSERT, bindings, operation).await;
        let done = or_failed(open, done).await?;
        read_inserted(open, value, DB::generated_key(&done), operation).await?
    };
    let Some(row) = row else {
        // A trigger or a rule has swallowed the row.
        open.settled();
        return Err(Error::RowNotFound { operation });
    };
    note_change(open, None, Some(&row));
    open.settled();
    Ok(row)
}

/// The row that was just inserted, on a database that does not return it.
async fn read_inserted<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    key_was_generated: bool,
    operation: Operation,
) -> Result<Option<T>> {
    let mut bindings = Bindings::new();
    let sql = match T::SELECT_INSERTED {
        Some(_) if !key_was_generated => return Err(Error::NoGeneratedKey { operation }),
        Some(sql) => {
            value.bind_given_key(&mut bindings);
            sql
        }
        None => {
            value.key().bind(&mut bindings);
            T::LOCK_BY_KEY
        }
    };
    let rows = open.fetch_at_most(sql, bindings, 1, operation).await;
    Ok(rows?.pop())
}
