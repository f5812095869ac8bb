use super::{
    change::{note_asked, note_change, one_row},
    lock_by_key, or_failed,
    second_look::not_met,
};
use crate::{
    Backend, BindKey as _, Bindings, Operation, Persist, Result, schema::Change, transaction::Open,
};

pub(super) async fn delete_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<bool> {
    open.check_columns::<T>(operation).await?;
    open.begin_write_of::<T>(&[Change::Delete], operation).await?;
    let mut bindings = Bindings::new();
    key.bind(&mut bindings);
    let rows: Vec<T> = if DB::RETURNING {
        let rows = open.fetch_at_most(T::DELETE, bindings, 2, operation).await;
        or_failed(open, rows).await?
    } else {
        let rows = lock_by_key(open, key, operation).await;
        let rows = or_failed(open, rows).await?;
        if !rows.is_empty() {
            let done = open.execute(T::DELETE, bindings, operation).await;
            or_failed(open, done).await?;
        }
        rows
    };
    let row = one_row(rows, operation)?;
    if let Some(row) = &row {
        note_change(open, Some(row), None);
        note_asked(open, row, key);
    } else if DB::RETURNING {
        not_met::<DB, T>(open, key, operation).await?;
    }
    open.hold::<T>(key);
    open.settled();
    Ok(row.is_some())
}
