use super::{
    change::{note_asked, note_change, one_row},
    or_failed,
};
use crate::{
    Backend, BindKey as _, Bindings, Operation, Persist, Result, sql::compose, transaction::Open,
};

/// Locks the row and notes it; whether there is one.
pub(crate) async fn touch<DB: Backend, T: Persist<DB>>(
    mut open: Open<'_, DB>,
    key: &T::Key,
) -> Result<bool> {
    let operation = Operation::on::<T>("touch");
    open.check_columns::<T>(operation).await?;
    open.begin_write(operation).await?;
    let mut bindings = Bindings::new();
    key.bind(&mut bindings);
    let rows = open.fetch_at_most(compose::lock::<DB, T>(), bindings, 2, operation).await;
    let row: Option<T> = one_row(or_failed(&mut open, rows).await?, operation)?;
    if let Some(row) = &row {
        // Nobody says whether the caller has changed it or is about to: it counts
        // as deleted and as inserted.
        note_change(&mut open, Some(row), None);
        note_change(&mut open, None, Some(row));
        note_asked(&mut open, row, key);
        open.hold::<T>(&row.key());
    }
    // That there is none is read as it is now, too.
    open.hold::<T>(key);
    open.settled();
    Ok(row.is_some())
}
