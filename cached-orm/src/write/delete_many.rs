use super::{bulk::lock_chunk, change::note_change, second_look::none_met};
use crate::{
    Backend, Bindings, Operation, Persist, Result,
    schema::Change,
    sql::{
        compose,
        key_list::{keys_at_once, text},
    },
    transaction::Open,
};
use std::collections::HashSet;

/// How many rows there were. A key may be given twice.
pub(super) async fn delete_many_in<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    keys: &[T::Key],
    operation: Operation,
) -> Result<u64> {
    open.check_columns::<T>(operation).await?;
    let mut seen = HashSet::with_capacity(keys.len());
    let keys: Vec<_> = keys.iter().filter(|key| seen.insert(text(*key))).cloned().collect();
    let mut deleted = 0;
    for keys in keys.chunks(keys_at_once(T::TABLE.key_columns().len())) {
        open.begin_write_of::<T>(&[Change::Delete], operation).await?;
        let rows: Vec<T> = if DB::RETURNING {
            let mut bindings = Bindings::new();
            let sql = compose::delete_among::<DB, T>(keys, &mut bindings);
            open.fetch_at_most(sql, bindings, usize::MAX, operation).await?
        } else {
            let rows: Vec<T> = lock_chunk(open, keys, operation).await?;
            // Only those: another may have been inserted since.
            let found: Vec<_> = rows.iter().map(T::key).collect();
            if !found.is_empty() {
                let mut bindings = Bindings::new();
                let sql = compose::delete_among::<DB, T>(&found, &mut bindings);
                open.execute(sql, bindings, operation).await?;
            }
            rows
        };
        rows.iter().for_each(|row| note_change(open, Some(row), None));
        note_asked_among(open, keys, &rows);
        if DB::RETURNING {
            let met: HashSet<_> = rows.iter().map(|row| text(&row.key())).collect();
            let others = keys.iter().filter(|key| !met.contains(&text(*key)));
            let others: Vec<_> = others.cloned().collect();
            none_met::<DB, T>(open, &others, operation).await?;
        }
        keys.iter().for_each(|key| open.hold::<T>(key));
        open.settled();
        deleted += rows.len() as u64;
    }
    Ok(deleted)
}

/// Notes the keys that were asked for and not met, if a row with another key was:
/// by the database's collation `ANN` can be `ann`'s row.
fn note_asked_among<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    keys: &[T::Key],
    rows: &[T],
) {
    let met: HashSet<_> = rows.iter().map(|row| text(&row.key())).collect();
    let not_met = keys.iter().filter(|key| !met.contains(&text(*key)));
    if keys.len() - not_met.clone().count() < rows.len() {
        not_met.for_each(|key| open.touch::<T>(key));
    }
}
