//! Writes: their statements, and what they note for the cache.

mod bulk;
mod change;
mod delete;
mod delete_many;
mod found_again;
mod in_transaction;
mod insert;
mod insert_many;
mod own_transaction;
mod second_look;
mod touch;
mod update;
mod update_many;
mod upsert;

pub(crate) use in_transaction::{delete_on, insert_on, update_on};
pub(crate) use touch::touch;

use self::{
    delete::delete_in,
    delete_many::delete_many_in,
    insert::insert_in,
    insert_many::{insert_many_in, insert_one_by_one, must_be_single},
    own_transaction::{ATTEMPTS, OwnTransaction, was_for_another},
    update::{patch_in, update_in},
    update_many::update_many_in,
    upsert::upsert_in,
};
use crate::{
    Backend, BindKey as _, Bindings, Isolation, Operation, Persist, Result, session::Target,
    transaction::Open,
};
use std::slice::from_ref;

/// What a write gives in a transaction of its own, tried again when the database
/// has rolled it back for the sake of another.
macro_rules! in_own_transaction {
    ($begin:expr, |$open:ident| $write:expr, $rows:expr) => {{
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut own = $begin.await?;
            let written = {
                let mut $open = own.open();
                $write.await
            };
            match own.end(written, $rows).await {
                Err(error) if attempt < ATTEMPTS && was_for_another::<DB>(&error) => {}
                ended => break ended,
            }
        }
    }};
}

pub(crate) async fn insert<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    match target {
        Target::Open(mut open) => insert_in(&mut open, value, operation).await,
        Target::Orm(orm) => {
            in_own_transaction!(
                OwnTransaction::begin::<T>(orm, &value.key(), operation),
                |open| insert_in(&mut open, value, operation),
                from_ref
            )
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
            in_own_transaction!(
                OwnTransaction::begin::<T>(orm, &value.key(), operation),
                |open| update_in(&mut open, value, operation),
                from_ref
            )
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
            in_own_transaction!(
                OwnTransaction::begin::<T>(orm, key, operation),
                |open| delete_in::<DB, T>(&mut open, key, operation),
                |_| &[] as &[T]
            )
        }
    }
}

pub(crate) async fn patch<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    key: &T::Key,
    assigned: Bindings<DB>,
    operation: Operation,
) -> Result<T> {
    match target {
        Target::Open(mut open) => patch_in(&mut open, key, assigned, operation).await,
        Target::Orm(orm) => {
            let mut own = OwnTransaction::begin::<T>(orm, key, operation).await?;
            let patched = patch_in(&mut own.open(), key, assigned, operation).await;
            own.end(patched, from_ref).await
        }
    }
}

pub(crate) async fn upsert<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    value: &T,
    operation: Operation,
) -> Result<T> {
    let orm = match target {
        Target::Open(mut open) => return upsert_in(&mut open, value, operation).await,
        Target::Orm(orm) => orm,
    };
    // A row that is not there is locked by a lock on the gap around it, which two
    // may have, and then neither can insert; not so at this level.
    let isolation = (!DB::RETURNING).then_some(Isolation::ReadCommitted);
    let key = value.key();
    let mut attempt = 0;
    loop {
        attempt += 1;
        let upserted = in_own_transaction!(
            OwnTransaction::begin_at::<T>(orm, isolation, Some(&key), operation),
            |open| upsert_in(&mut open, value, operation),
            from_ref
        );
        match upserted {
            Err(error) if attempt < upsert::ATTEMPTS && upsert::is_duplicate(&error) => {}
            ended => return ended,
        }
    }
}

pub(crate) async fn insert_many<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    values: &[T],
    operation: Operation,
) -> Result<Vec<T>> {
    match target {
        _ if values.is_empty() => Ok(Vec::new()),
        Target::Open(mut open) => {
            let mut savepoint = bulk::savepoint(&mut open, operation).await?;
            let inserted = insert_many_in(&mut savepoint.open(), values, operation).await;
            match bulk::keep(savepoint, inserted).await {
                Err(error) if must_be_single(&error) => {
                    let mut savepoint = bulk::savepoint(&mut open, operation).await?;
                    let inserted =
                        insert_one_by_one(&mut savepoint.open(), values, operation).await;
                    bulk::keep(savepoint, inserted).await
                }
                kept => kept,
            }
        }
        Target::Orm(orm) => {
            let inserted = in_own_transaction!(
                OwnTransaction::begin_many::<T>(orm, operation),
                |open| insert_many_in(&mut open, values, operation),
                Vec::as_slice
            );
            match inserted {
                Err(error) if must_be_single(&error) => in_own_transaction!(
                    OwnTransaction::begin_many::<T>(orm, operation),
                    |open| insert_one_by_one(&mut open, values, operation),
                    Vec::as_slice
                ),
                inserted => inserted,
            }
        }
    }
}

pub(crate) async fn update_many<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    values: &[T],
    operation: Operation,
) -> Result<Vec<T>> {
    match target {
        _ if values.is_empty() => Ok(Vec::new()),
        Target::Open(mut open) => {
            let mut savepoint = bulk::savepoint(&mut open, operation).await?;
            let updated = update_many_in(&mut savepoint.open(), values, operation).await;
            bulk::keep(savepoint, updated).await
        }
        Target::Orm(orm) => {
            in_own_transaction!(
                OwnTransaction::begin_many::<T>(orm, operation),
                |open| update_many_in(&mut open, values, operation),
                Vec::as_slice
            )
        }
    }
}

pub(crate) async fn delete_many<DB: Backend, T: Persist<DB>>(
    target: Target<'_, DB>,
    keys: Vec<T::Key>,
    operation: Operation,
) -> Result<u64> {
    match target {
        _ if keys.is_empty() => Ok(0),
        Target::Open(mut open) => {
            let mut savepoint = bulk::savepoint(&mut open, operation).await?;
            let deleted = delete_many_in::<DB, T>(&mut savepoint.open(), &keys, operation).await;
            bulk::keep(savepoint, deleted).await
        }
        Target::Orm(orm) => {
            in_own_transaction!(
                OwnTransaction::begin_many::<T>(orm, operation),
                |open| delete_many_in::<DB, T>(&mut open, &keys, operation),
                |_| &[] as &[T]
            )
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
