use super::{
    change::{note_asked, note_change, one_row, read_before},
    lock_by_key, or_failed,
};
use crate::{
    Backend, BindKey as _, Bindings, Error, Operation, Persist, Result, transaction::Open,
};

pub(super) async fn update_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    open.begin_write(operation).await?;
    let key = value.key();
    let before = read_before(open, &key, operation).await?;
    let mut bindings = Bindings::new();
    value.bind_columns(&mut bindings);
    key.bind(&mut bindings);
    let rows: Vec<T> = if DB::RETURNING {
        let rows = open.fetch_at_most(T::UPDATE, bindings, 2, operation).await;
        or_failed(open, rows).await?
    } else {
        let done = open.execute(T::UPDATE, bindings, operation).await;
        let done = or_failed(open, done).await?;
        match DB::rows_met(&done) {
            0 => Vec::new(),
            _ => {
                let rows = lock_by_key(open, &key, operation).await?;
                if rows.is_empty() {
                    // A trigger has given the row another key: half done.
                    return Err(Error::RowNotFound { operation });
                }
                rows
            }
        }
    };
    let Some(row) = one_row(rows, operation)? else {
        open.settled();
        return Err(Error::RowNotFound { operation });
    };
    note_change(open, before.as_ref(), Some(&row));
    note_asked(open, &row, &key);
    open.settled();
    Ok(row)
}
