//! Writes: their statements, and what they note for the cache.

mod change;
mod delete;
mod in_transaction;
mod insert;
mod own_transaction;
mod update;

pub(crate) use in_transaction::{delete_on, insert_on, update_on};

use self::{
    delete::delete_in, insert::insert_in, own_transaction::OwnTransaction, update::update_in,
};
use crate::{
    Backend, BindKey as _, Bindings, Operation, Persist, Result, session::Target, transaction::Open,
};

pub(crate) async fn insert<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    match target {
        Target::Open(mut open) => insert_in(&mut open, value, operation).await,
        Target::Orm(orm) => {
            let mut own = OwnTransaction::begin::<T>(orm, &value.key(), operation).await?;
            let inserted = insert_in(&mut own.open(), value, operation).await;
            own.end(inserted, |row| Some(row)).await
        }
    }
}

pub(crate) async fn update<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    match target {
        Target::Open(mut open) => update_in(&mut open, value, operation).await,
        Target::Orm(orm) => {
            let mut own = OwnTransaction::begin::<T>(orm, &value.key(), operation).await?;
            let updated = update_in(&mut own.open(), value, operation).await;
            own.end(updated, |row| Some(row)).await
        }
    }
}

pub(crate) async fn delete<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<bool> {
    match target {
        Target::Open(mut open) => delete_in::<DB, T>(&mut open, key, operation).await,
        Target::Orm(orm) => {
            let mut own = OwnTransaction::begin::<T>(orm, key, operation).await?;
            let deleted = delete_in::<DB, T>(&mut own.open(), key, operation).await;
            own.end(deleted, |_| None::<&T>).await
        }
    }
}

/// What a write's first statement gave, or its error, which has been noted.
async fn or_failed<DB: Backend, R>(open: &mut Open<'_, DB>, outcome: Result<R>) -> Result<R> {
    match outcome {
        Ok(outcome) => Ok(outcome),
        Err(error) => Err(open.write_failed(error).await),
    }
}

/// The row as it is now, locked until the transaction ends. A read without a
/// lock would show an old snapshot where the statement changed no value.
async fn lock_by_key<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    key: &T::Key,
    operation: Operation,
) -> Result<Vec<T>> {
    let mut bindings = Bindings::new();
    key.bind(&mut bindings);
    open.fetch_at_most(T::LOCK_BY_KEY, bindings, 2, operation).await
}
