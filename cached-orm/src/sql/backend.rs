use super::Isolation;
use super::{Bindings, Catalog, OutboxTable};
use crate::{pooled::Cut, schema::Describe, triggers::Triggers};
use sqlx::{
    Arguments as _, Connection, Database, Decode, Encode, Executor, IntoArguments, Pool, Type,
    database::HasStatementCache, encode::IsNull, error::BoxDynError, pool::PoolOptions,
};
use std::{fmt, future::Future};

/// The column in which RETURNING shows the stamp of the table's schema.
pub(crate) const STAMP: &str = "cached_orm_schema";

mod sealed {
    pub trait Sealed {}
}

/// A database this crate can talk to; one of sqlx's drivers.
///
/// The bounds on the associated types are implied wherever `DB: Backend`
/// holds, so that no generic function repeats sqlx's `Executor` bounds.
///
/// ```
/// use cached_orm::{Backend, Orm, Result};
///
/// async fn migrate<DB: Backend>(orm: &Orm<DB>) -> Result<()> {
///     orm.install_outbox().await
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a database cached-orm can use",
    note = "use `Postgres`, `MySql` or `Sqlite`, and enable the feature of cached-orm that has its name"
)]
pub trait Backend:
    Database<Arguments: IntoArguments<Self> + fmt::Debug, Row: fmt::Debug>
    + HasStatementCache
    + OutboxTable
    + Catalog
    + Describe
    + Triggers
    + sealed::Sealed
{
    /// What runs a statement on one connection.
    #[doc(hidden)]
    type OnConnection<'c>: Executor<'c, Database = Self>;

    /// Whether INSERT, UPDATE and DELETE return the rows they met. MySQL does
    /// not, and shares a driver with MariaDB, which only partly does.
    #[doc(hidden)]
    const RETURNING: bool;

    /// What begins a transaction, if not plain BEGIN.
    #[doc(hidden)]
    fn begin(isolation: Option<Isolation>) -> Option<&'static str>;

    #[doc(hidden)]
    fn on_connection(connection: &mut Self::Connection) -> Self::OnConnection<'_>;

    /// Decodes one column. Of NULL only a value that would be written as NULL again:
    /// SQLite's driver makes `""`, 0 and `false` of it.
    #[doc(hidden)]
    fn column<'r, T>(row: &'r Self::Row, name: &str) -> sqlx::Result<T>
    where
        T: Decode<'r, Self> + Type<Self> + for<'q> Encode<'q, Self>;

    /// Whether the column is NULL.
    #[doc(hidden)]
    fn is_null(row: &Self::Row, name: &str) -> sqlx::Result<bool>;

    /// The SQL type of what is in the column, if there is such a column.
    #[doc(hidden)]
    fn type_name(row: &Self::Row, name: &str) -> Option<String>;

    /// Whether the value is written as NULL. What cannot be written is not.
    #[doc(hidden)]
    fn binds_null<T>(value: &T) -> bool
    where
        T: for<'q> Encode<'q, Self>;

    /// Adds an argument, and says how its type is known.
    #[doc(hidden)]
    fn add<T>(arguments: &mut Self::Arguments, value: &T) -> Result<ArgumentType, BoxDynError>
    where
        T: Type<Self> + for<'q> Encode<'q, Self>,
    {
        arguments.add(value)?;
        Ok(ArgumentType::Declared)
    }

    /// Appends what is sent of an argument. Of equal values it is the same, and no two
    /// are alike; that is all it is for.
    #[doc(hidden)]
    fn encode<'q, T>(value: &T, bytes: &mut Vec<u8>) -> Result<IsNull, BoxDynError>
    where
        T: Encode<'q, Self>;

    /// Whether values of the column's type can be decoded as a `T`; so too if that type
    /// is not known.
    #[doc(hidden)]
    fn is_compatible<T: Type<Self>>(row: &Self::Row, name: &str) -> bool;

    /// The placeholder of a statement's argument; the first is number 1.
    #[doc(hidden)]
    fn placeholder(number: usize) -> String;

    /// What a list of rows in `(a, b) IN (…)` begins with, so that an index
    /// is used. PostgreSQL takes a list without it, and plans four times as long.
    #[doc(hidden)]
    const ROW_LIST: &'static str;

    /// What a SELECT ends with that locks its rows until the transaction ends.
    #[doc(hidden)]
    const LOCK_ROWS: &'static str;

    /// Whether a plain read in a transaction may show an older row than the one that the
    /// transaction has locked: InnoDB's snapshot is as old as the first read, and locks
    /// and writes go to the newest row. PostgreSQL refuses such a lock.
    #[doc(hidden)]
    const READS_SNAPSHOTS: bool = false;

    /// `name` as an identifier.
    #[doc(hidden)]
    fn quote(name: &str) -> String;

    /// How many rows a statement met.
    #[doc(hidden)]
    fn rows_met(done: &Self::QueryResult) -> u64;

    /// The key that an INSERT generated, or the first of several, where
    /// `LAST_INSERT_ID()` gives it.
    #[doc(hidden)]
    fn last_key(_done: &Self::QueryResult) -> Option<u64> {
        None
    }

    /// What lets an INSERT give a value to a key that the database always
    /// generates.
    #[doc(hidden)]
    const OVERRIDING: &'static str = "";

    /// Whether one statement updates many rows, each to values of its own, with
    /// the types that the arguments have in a statement for one row.
    #[doc(hidden)]
    const UPDATES_MANY: bool = false;

    /// Adds a number to a statement's arguments, for the column called `name`.
    #[doc(hidden)]
    fn add_number(bindings: &mut Bindings<Self>, name: &'static str, number: i64);

    /// How so many new rows are numbered in this column of a table, whose name is
    /// quoted.
    #[doc(hidden)]
    fn key_numbers(
        _connection: &mut Self::Connection,
        _table: &str,
        _column: &str,
        _count: usize,
    ) -> impl Future<Output = sqlx::Result<KeyNumbers>> + Send {
        std::future::ready(Ok(KeyNumbers::Unknown))
    }

    /// Whether a failed statement makes the database refuse all that follow. If
    /// not, they may run outside the transaction: some failures end it.
    #[doc(hidden)]
    const ERRORS_ABORT: bool;

    /// Whether a connection can be used further when a statement's future was
    /// dropped. sqlx's driver for MySQL may have read a part of the answer, and
    /// takes the rest for that of the next statement.
    #[doc(hidden)]
    const CANCEL_SAFE: bool;

    /// Brings a connection that was cut off back to where it had so many
    /// transactions open; says whether that is certain. If not, it is closed.
    #[doc(hidden)]
    fn recover(
        _connection: &mut Self::Connection,
        _depth: usize,
        _cut: Cut,
    ) -> impl Future<Output = bool> + Send {
        std::future::ready(false)
    }

    /// Fails if the connection's transaction is over or aborted. Changes
    /// nothing in one that is not.
    #[doc(hidden)]
    fn check_open(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Whether the database has rolled a transaction back for the sake of another, as in a
    /// deadlock, so that it may succeed when that is over.
    #[doc(hidden)]
    fn was_for_another(error: &sqlx::Error) -> bool {
        let code = error.as_database_error().and_then(|error| error.code());
        code.is_some_and(|code| ["40001", "40P01"].contains(&&*code))
    }

    /// Whether this error of COMMIT says that nothing was committed.
    #[doc(hidden)]
    fn commit_refused(error: &sqlx::Error) -> bool;

    /// What RETURNING shows besides the row: the transaction's id, where there is
    /// such a thing.
    #[doc(hidden)]
    const TRANSACTION_ID: Option<&'static str> = None;

    /// The id of the transaction that this row was written in, where RETURNING
    /// brings it along.
    #[doc(hidden)]
    fn transaction_id(_row: &Self::Row) -> Option<i64> {
        None
    }

    /// The text of [`Describe::stamp`] in this row, where RETURNING brings it along.
    #[doc(hidden)]
    fn stamp_of(_row: &Self::Row) -> Option<String> {
        None
    }

    /// What became of the transaction that `witness` was taken from.
    #[doc(hidden)]
    fn outcome(
        connection: &mut Self::Connection,
        witness: &Witness<Self>,
    ) -> impl Future<Output = sqlx::Result<CommitOutcome>> + Send;

    /// Why rows read on this connection must not be stored in the cache, if
    /// there is a reason: it does not see every commit at once, or sees more.
    #[doc(hidden)]
    fn unfit_for_loads(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = sqlx::Result<Option<&'static str>>> + Send;

    /// What begins a transaction in which this crate's triggers leave the key
    /// out that the namespace and [`CacheKey::outbox_text`](crate::CacheKey)
    /// make, where there is such a thing.
    #[doc(hidden)]
    fn begin_with_own_key(_own_key: &str) -> Option<String> {
        None
    }

    /// The pool that loads use: one of their own, so that a raw BEGIN or another
    /// leftover on a pooled connection of the user's cannot show them an old
    /// snapshot. `None` if the database is there by the connections of `pool` only.
    #[doc(hidden)]
    fn own_pool(
        pool: &Pool<Self>,
        max_connections: u32,
    ) -> impl Future<Output = sqlx::Result<Option<Pool<Self>>>> + Send {
        std::future::ready(Ok(Some(similar_pool(pool, max_connections))))
    }
}

/// How the database knows an argument's type.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentType {
    /// It is told.
    Declared,
    /// It takes that of the column beside it. In a list of rows there is none.
    OfColumn,
}

/// How the database numbers the rows of one INSERT.
#[doc(hidden)]
#[derive(Debug)]
pub enum KeyNumbers {
    /// By what it would have chosen by itself, and gives beforehand.
    Reserved(Vec<i64>),
    /// In the order of the rows and without gaps, so far apart.
    Consecutive {
        /// The distance.
        step: i64,
    },
    /// It does not say.
    Unknown,
}

/// What became of a transaction whose COMMIT was not answered.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It goes on.
    Open,
    /// It was committed.
    Committed,
    /// It is over; how it ended is not known, or it was rolled back.
    Ended,
}

/// By what it can be told later that a transaction is over.
#[doc(hidden)]
pub struct Witness<DB: Backend> {
    /// Its id, on databases whose rows bring it along.
    pub(crate) transaction_id: Option<i64>,
    /// A row that it has locked, on the others.
    pub(crate) locked_row: Option<LockedRow<DB>>,
}

type Bind<DB> = Box<dyn Fn(&mut Bindings<DB>) + Send + Sync>;

/// A statement that locks a row.
#[cfg_attr(not(feature = "mysql"), allow(dead_code))]
pub(crate) struct LockedRow<DB: Backend> {
    pub(crate) sql: &'static str,
    pub(crate) bind: Bind<DB>,
}

impl<DB: Backend> Default for Witness<DB> {
    fn default() -> Self {
        Self { transaction_id: None, locked_row: None }
    }
}

// Not derived: the key is the user's data.
impl<DB: Backend> fmt::Debug for Witness<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness")
            .field("transaction_id", &self.transaction_id)
            .finish_non_exhaustive()
    }
}

/// `shop.users` as its schema, if one is named, and its name.
pub(crate) fn split_table(table: &str) -> (Option<&str>, &str) {
    match table.split_once('.') {
        Some((schema, name)) => (Some(schema), name),
        None => (None, table),
    }
}

/// Whether it is certain which part of a name with its schema is the schema: a dot may be
/// a part of either.
pub(crate) fn names_one_table(identity: &str) -> bool {
    identity.matches('.').count() <= 1
}

/// The error of a transaction that the database has ended.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
fn no_transaction() -> sqlx::Error {
    sqlx::Error::Protocol("the database has rolled the transaction back".to_owned())
}

/// A pool with this one's options, hooks included.
fn similar_pool<DB: Database>(pool: &Pool<DB>, max_connections: u32) -> Pool<DB> {
    let connect: <DB::Connection as Connection>::Options = (*pool.connect_options()).clone();
    let options: PoolOptions<DB> = pool.options().clone();
    options.min_connections(0).max_connections(max_connections).connect_lazy_with(connect)
}

/// A [`Backend`] that can store JSON.
#[cfg(feature = "json")]
pub trait JsonBackend: Backend {
    #[doc(hidden)]
    fn add_json<T: serde::Serialize + Sync>(
        arguments: &mut Self::Arguments,
        value: &T,
    ) -> Result<(), BoxDynError>;

    #[doc(hidden)]
    fn json_column<T: serde::de::DeserializeOwned>(row: &Self::Row, name: &str) -> sqlx::Result<T>;

    /// The document in the column; `None` if it is NULL.
    #[doc(hidden)]
    fn json_text<'r>(row: &'r Self::Row, name: &str) -> sqlx::Result<Option<&'r str>>;
}

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
#[macro_use]
mod driver;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
