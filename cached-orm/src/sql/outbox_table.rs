//! The table of keys that the cache is still to be told of.

use crate::CacheKey;
use sqlx::{Database, Pool};
use std::{future::Future, time::Duration};

/// Rows put in by one statement: far below every database's limit of arguments.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
const ROWS_AT_ONCE: usize = 256;

/// The statements on the outbox.
#[doc(hidden)]
pub trait OutboxTable: Database {
    /// Creates the table and its index, unless they are there. The index is that of the
    /// drainers, so that they never go over the rows of other namespaces.
    const CREATE: &'static str;

    /// What there is of it.
    fn outbox_found(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = sqlx::Result<OutboxFound>> + Send;

    /// Creates what is missing, one process after the other. An index that cannot be
    /// added to a table that is there already is no error: it is asked for again the
    /// next time.
    fn create_outbox(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Whether rows are locked while they are drained, so that several drainers
    /// share the work. SQLite would lock out every writer.
    const LOCKS_ROWS: bool;

    /// Whether there is such a table. Harmless in a transaction.
    fn exists(connection: &mut Self::Connection)
    -> impl Future<Output = sqlx::Result<bool>> + Send;

    /// Puts keys in, and `wakes` the drainers that listen.
    fn put(
        connection: &mut Self::Connection,
        namespace: &str,
        keys: &[CacheKey],
        wakes: bool,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Whether there are rows: as little work as it can be.
    fn has_rows(
        connection: &mut Self::Connection,
        namespace: &str,
    ) -> impl Future<Output = sqlx::Result<bool>> + Send;

    /// The next rows after the one with this id, and not those that another
    /// drainer has.
    fn take(
        connection: &mut Self::Connection,
        namespace: &str,
        after: i64,
        limit: i64,
    ) -> impl Future<Output = sqlx::Result<Vec<(i64, String)>>> + Send;

    /// Removes rows.
    fn remove(
        connection: &mut Self::Connection,
        ids: &[i64],
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// How many rows there are.
    fn count(
        connection: &mut Self::Connection,
        namespace: &str,
    ) -> impl Future<Output = sqlx::Result<i64>> + Send;

    /// How many rows there are, and how many seconds ago the oldest was put in.
    fn backlog(
        connection: &mut Self::Connection,
        namespace: &str,
    ) -> impl Future<Output = sqlx::Result<(i64, Option<f64>)>> + Send;

    /// How many rows have one of these texts for their key.
    fn count_of_key(
        connection: &mut Self::Connection,
        namespace: &str,
        texts: [&str; 3],
    ) -> impl Future<Output = sqlx::Result<i64>> + Send;

    /// Calls `wake` whenever the database says that rows were put in, and once when it
    /// begins to listen. Every so often it looks for rows by itself, on the connection
    /// on which it listens, so that one that is lost in silence is noticed. Ends when
    /// the connection is lost.
    fn listen(
        _pool: &Pool<Self>,
        _namespace: &str,
        _look_every: Duration,
        _wake: impl Fn() + Send,
    ) -> impl Future<Output = sqlx::Result<()>> + Send {
        std::future::pending()
    }
}

/// What there is of an outbox.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxFound {
    Nothing,
    /// The table as it was before it had an index for the drainers.
    NoIndex,
    Everything,
}

impl OutboxFound {
    #[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
    fn of(has_table: bool, has_index: bool) -> Self {
        match (has_table, has_index) {
            (false, _) => Self::Nothing,
            (true, false) => Self::NoIndex,
            (true, true) => Self::Everything,
        }
    }
}

/// Notes that the index could not be added to a table that is there.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn no_index(error: &sqlx::Error) {
    tracing::warn!(
        %error,
        "the index of `cached_orm_outbox` could not be added; rows of other namespaces slow \
         the drainers down until it is there: see \"The outbox's index\" in writes-by-others.md"
    );
}

/// `(a, b), (a, b)`, for as many rows.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn values(rows: usize, placeholder: impl Fn(usize) -> String) -> String {
    let row = |row| format!("({}, {})", placeholder(2 * row + 1), placeholder(2 * row + 2));
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// A DELETE of the rows with these ids.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn delete(ids: &[i64]) -> String {
    let ids = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    format!("DELETE FROM cached_orm_outbox WHERE id IN ({ids})")
}

/// The part that is the same text for every driver; sqlx implements arguments
/// for concrete types only.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
macro_rules! outbox_statements {
    (
        keeps_plans: $keeps_plans:literal,
        put: $put:expr,
        has_rows: $has_rows:literal,
        take: [$($take:literal),+],
        remove: $remove:expr,
        count: $count:literal,
        backlog: $backlog:literal,
        count_of_key: $count_of_key:literal,
        placeholder: $placeholder:expr
    ) => {
        async fn put(
            connection: &mut Self::Connection,
            namespace: &str,
            keys: &[crate::CacheKey],
            wakes: bool,
        ) -> sqlx::Result<()> {
            for keys in keys.chunks(super::ROWS_AT_ONCE) {
                let values = super::values(keys.len(), $placeholder);
                let insert =
                    format!("INSERT INTO cached_orm_outbox (namespace, cache_key) VALUES {values}");
                let sql = $put(insert, wakes);
                // A statement of every length would crowd out the user's own.
                let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(keys.len() == 1);
                for key in keys {
                    query = query.bind(namespace).bind(key.as_str());
                }
                query.execute(&mut *connection).await?;
            }
            Ok(())
        }

        async fn take(
            connection: &mut Self::Connection,
            namespace: &str,
            after: i64,
            limit: i64,
        ) -> sqlx::Result<Vec<(i64, String)>> {
            let mut taken = Err(sqlx::Error::RowNotFound);
            // Each where the one before it is refused: a hint names an index that is not
            // there yet.
            for take in [$($take),+] {
                taken = sqlx::query_as(take)
                    .bind(namespace)
                    .bind(after)
                    .bind(limit)
                    // A plan made while the table was empty would be kept.
                    .persistent(!$keeps_plans)
                    .fetch_all(&mut *connection)
                    .await;
                if !matches!(&taken, Err(sqlx::Error::Database(_))) {
                    break;
                }
            }
            taken
        }

        async fn has_rows(connection: &mut Self::Connection, namespace: &str) -> sqlx::Result<bool> {
            let query = sqlx::query_scalar($has_rows).bind(namespace).persistent(!$keeps_plans);
            let found: Option<i32> = query.fetch_optional(connection).await?;
            Ok(found.is_some())
        }

        async fn remove(connection: &mut Self::Connection, ids: &[i64]) -> sqlx::Result<()> {
            for ids in ids.chunks(super::ROWS_AT_ONCE) {
                let sql = $remove(ids);
                // Numbers only.
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .persistent(false)
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(())
        }

        async fn count(connection: &mut Self::Connection, namespace: &str) -> sqlx::Result<i64> {
            sqlx::query_scalar($count).bind(namespace).fetch_one(connection).await
        }

        async fn backlog(
            connection: &mut Self::Connection,
            namespace: &str,
        ) -> sqlx::Result<(i64, Option<f64>)> {
            sqlx::query_as($backlog).bind(namespace).fetch_one(connection).await
        }

        async fn count_of_key(
            connection: &mut Self::Connection,
            namespace: &str,
            texts: [&str; 3],
        ) -> sqlx::Result<i64> {
            let query = sqlx::query_scalar($count_of_key).bind(namespace);
            texts
                .into_iter()
                .fold(query, |query, text| query.bind(text))
                .fetch_one(connection)
                .await
        }
    };
}

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "mysql")]
pub(crate) use mysql::{NEXT_ONE as NEXT_ONE_ON_MYSQL, ONE_AT_A_TIME as ONE_AT_A_TIME_ON_MYSQL};
#[cfg(feature = "postgres")]
pub(crate) use postgres::{ONE_AT_A_TIME as ONE_AT_A_TIME_ON_POSTGRES, begin_alone};
