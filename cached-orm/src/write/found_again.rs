//! The row that was just inserted, on a database that does not return it: it is read
//! again by the key that it should have. Where a trigger may have given it another one,
//! that key can be another row's, so it is looked at whose it is.

use super::{change::one_row, insert::gives_key, lock_by_key, or_failed};
use crate::{
    Backend, BindKey as _, Bindings, Error, Operation, Orm, Persist, Result,
    schema::TableFacts,
    sql::{compose, key_list::text},
    transaction::Open,
};
use futures_util::FutureExt as _;
use sqlx::{SqlSafeStr as _, SqlStr};

/// What is known of the new row's key before it is inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// The row gets it and no other.
    Kept,
    /// The transaction sees no row with it.
    Free,
    /// The same, since the transaction itself has taken the row away, and holds its lock.
    TakenAway,
    /// Another row has it.
    Taken,
    /// The database makes it.
    Unknown,
}

/// Whether a new row is certain to have the key that the program gives, or the number that
/// AUTO_INCREMENT makes.
pub(super) fn keeps_key<DB: Backend, T: Persist<DB>>(facts: TableFacts, value: &T) -> bool {
    // To AUTO_INCREMENT a zero is none.
    let is_numbered = || facts.numbers_keys && text(&value.key()).contains("(0)");
    facts.inserts_keep_keys
        && match T::SELECT_INSERTED {
            Some(_) => facts.numbers_keys,
            None => !is_numbered(),
        }
}

impl Before {
    /// To be asked before the statement.
    pub(super) async fn look<DB: Backend, T: Persist<DB>>(
        open: &mut Open<'_, DB>,
        value: &T,
        operation: Operation,
    ) -> Result<Self> {
        if keeps_key(open.facts(), value) {
            return Ok(Self::Kept);
        }
        if !gives_key::<DB, T>(value) {
            return Ok(Self::Unknown);
        }
        // Boxed: it is rarely done, and makes no future of the program's larger.
        Self::look_by_key::<DB, T>(open, &value.key(), operation).boxed().await
    }

    async fn look_by_key<DB: Backend, T: Persist<DB>>(
        open: &mut Open<'_, DB>,
        key: &T::Key,
        operation: Operation,
    ) -> Result<Self> {
        let mut bindings = Bindings::new();
        key.bind(&mut bindings);
        // Without a lock: where there is no row that would be one on the gap around it.
        let seen = open.fetch_at_most::<T>(T::SELECT_BY_KEY, bindings, 2, operation).await;
        if or_failed(open, seen).await?.is_empty() {
            let is_own = open.has_touched::<T>(key);
            return Ok(if is_own { Self::TakenAway } else { Self::Free });
        }
        // It may be in the snapshot only.
        let there = lock_by_key::<DB, T>(open, key, operation).await;
        let is_there = !or_failed(open, there).await?.is_empty();
        Ok(if is_there { Self::Taken } else { Self::Free })
    }
}

/// The row that was just inserted. `number` is what the statement's answer says of an
/// AUTO_INCREMENT column: `LAST_INSERT_ID()` is that of an older statement if a trigger
/// has given the row its key.
///
/// # Errors
/// [`Error::KeyChanged`] if it has another key than the one that was given, and nobody
/// says which.
pub(super) async fn find_again<DB: Backend, T: Persist<DB>>(
    open: &mut Open<'_, DB>,
    value: &T,
    number: Option<u64>,
    before: Before,
    operation: Operation,
) -> Result<T> {
    let (sql, bindings) = match (T::SELECT_INSERTED, number) {
        (None, _) => {
            let mut bindings = Bindings::new();
            value.key().bind(&mut bindings);
            (T::LOCK_BY_KEY.into_sql_str(), bindings)
        }
        (Some(_), None) => return Err(Error::NoGeneratedKey { operation }),
        (Some(sql), Some(_)) if before == Before::Kept => {
            let mut bindings = Bindings::new();
            value.bind_given_key(&mut bindings);
            (sql.into_sql_str(), bindings)
        }
        (Some(_), Some(number)) => by_number(value, number),
    };
    let rows = open.fetch_at_most(sql, bindings, 2, operation).await?;
    let changed = Error::KeyChanged { operation };
    // It was inserted, and nobody says under which key.
    let Some(row) = one_row::<T>(rows, operation)? else { return Err(changed) };
    let is_it = match before {
        Before::Kept | Before::TakenAway => true,
        Before::Taken => false,
        // One that the transaction has inserted before.
        Before::Unknown if open.has_touched::<T>(&row.key()) => false,
        Before::Free | Before::Unknown => {
            let orm = open.orm().clone();
            !is_of_others(&orm, &row, operation).await?
        }
    };
    if is_it { Ok(row) } else { Err(changed) }
}

/// Whether the row, which is locked, was there when the transaction inserted another one.
async fn is_of_others<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    row: &T,
    operation: Operation,
) -> Result<bool> {
    let is_committed = orm.is_committed::<T>(&row.key(), operation).boxed().await?;
    Ok(is_committed.unwrap_or(false))
}

/// The statement that selects and locks the row whose generated key is `number`.
fn by_number<DB: Backend, T: Persist<DB>>(value: &T, number: u64) -> (SqlStr, Bindings<DB>) {
    let mut bindings = Bindings::new();
    value.bind_given_key(&mut bindings);
    let mut columns = bindings.columns().to_vec();
    for column in T::TABLE.key_columns() {
        if !columns.contains(column) {
            DB::add_number(&mut bindings, column, number.cast_signed());
            columns.push(column);
        }
    }
    (compose::lock_by::<DB, T>(&columns), bindings)
}
