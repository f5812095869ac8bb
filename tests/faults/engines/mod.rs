//! What differs from database to database.

mod mariadb;
mod postgres;
mod sqlite;

use crate::{rows::HotRowOf, servers::DatabaseServer};
use cached_orm::Backend;
use sqlx::{AssertSqlSafe, Connection, Pool, pool::PoolOptions};
use std::{future::Future, path::Path, time::Duration};

pub(crate) type Options<DB> = <<DB as sqlx::Database>::Connection as Connection>::Options;

/// What a locked key holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Locked {
    /// Its latest revision.
    pub(crate) revision: i64,
    /// Whether the row is there.
    pub(crate) is_present: bool,
}

/// A database to run against.
///
/// Every key has a row in `ledger`, which is never deleted: the revision of the
/// key's latest state is there or, if that is higher, in the key's row. On PostgreSQL
/// and MariaDB triggers see to it, and refuse a write that brings another revision than
/// the next: a writer that takes its revision from an earlier read cannot turn a row
/// back.
pub(crate) trait Engine: Backend {
    const TITLE: &'static str;

    /// Whether a writer outside a transaction must be kept apart from others by
    /// the harness, since the database has no trigger to refuse it.
    const KEYS_ARE_LOCKED_BY_US: bool;

    /// A row as the program's old version has it.
    type Old: HotRowOf<Self>;
    /// A row as the new version has it.
    type New: HotRowOf<Self>;

    /// A server of the harness's own; `None` if the database is a file.
    fn server() -> Result<Option<DatabaseServer>, String>;

    /// How to connect to the database through this port.
    fn options(port: u16, folder: &Path) -> Options<Self>;

    /// The tables, as one text of statements.
    const TABLES: &'static str;

    /// What logs when rows come into the outbox and when they go.
    const OUTBOX_LOG: &'static str;

    /// Locks the key until the end of the transaction.
    fn lock(
        connection: &mut Self::Connection,
        key: i64,
    ) -> impl Future<Output = sqlx::Result<Locked>> + Send;

    /// Notes the revision of a write in this transaction, unless triggers do.
    fn note_revision(
        connection: &mut Self::Connection,
        key: i64,
        revision: i64,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// The revision of the key's latest state.
    fn latest(pool: &Pool<Self>, key: i64) -> impl Future<Output = sqlx::Result<i64>> + Send;

    /// How many rows of the outbox for this cache key were there at some time
    /// between these two, in seconds since 1970.
    fn pending_between(
        pool: &Pool<Self>,
        cache_key: &str,
        began: f64,
        ended: f64,
    ) -> impl Future<Output = sqlx::Result<i64>> + Send;

    /// Every row that there was in the outbox: its cache key, when it came, and
    /// when it went.
    fn outbox_log(
        pool: &Pool<Self>,
    ) -> impl Future<Output = sqlx::Result<Vec<(String, f64, Option<f64>)>>> + Send;

    /// Runs statements without arguments, one or more.
    fn run(pool: &Pool<Self>, sql: &str) -> impl Future<Output = sqlx::Result<()>> + Send;
}

pub(crate) fn pool<DB: Engine>(options: Options<DB>, connections: u32) -> Pool<DB> {
    // Of both, sqlx 0.9.0 may make a loop without end (sqlx#3645).
    let pool = PoolOptions::new().idle_timeout(None).max_lifetime(None);
    let pool = pool.max_connections(connections);
    // A busy machine must not look like a database that is away.
    pool.acquire_timeout(Duration::from_secs(20)).connect_lazy_with(options)
}

/// What is written alike for each database, and cannot be written for all at once.
macro_rules! same_for_each {
    () => {
        async fn outbox_log(
            pool: &sqlx::Pool<Self>,
        ) -> sqlx::Result<Vec<(String, f64, Option<f64>)>> {
            let sql = "SELECT cache_key, put_at, gone_at FROM outbox_log ORDER BY id";
            sqlx::query_as(sql).fetch_all(pool).await
        }

        async fn run(pool: &sqlx::Pool<Self>, sql: &str) -> sqlx::Result<()> {
            // Written in the harness.
            sqlx::raw_sql(super::AssertSqlSafe(sql)).execute(pool).await.map(drop)
        }
    };
}
use same_for_each;

/// Locks the row if there is one, and then its ledger: the order in which a
/// write locks them, too.
macro_rules! lock_by_select {
    ($placeholder:literal) => {
        async fn lock(connection: &mut Self::Connection, key: i64) -> sqlx::Result<super::Locked> {
            let sql = concat!("SELECT revision FROM hot WHERE id = ", $placeholder, " FOR UPDATE");
            sqlx::query(sql).bind(key).fetch_optional(&mut *connection).await?;
            let sql =
                concat!("SELECT revision FROM ledger WHERE id = ", $placeholder, " FOR UPDATE");
            let ledger: i64 = sqlx::query_scalar(sql).bind(key).fetch_one(&mut *connection).await?;
            // Again: who had the ledger's lock may have inserted the row or deleted it.
            let sql = concat!("SELECT revision FROM hot WHERE id = ", $placeholder, " FOR UPDATE");
            let row: Option<i64> =
                sqlx::query_scalar(sql).bind(key).fetch_optional(connection).await?;
            let revision = row.map_or(ledger, |revision| revision.max(ledger));
            Ok(super::Locked { revision, is_present: row.is_some() })
        }

        async fn latest(pool: &sqlx::Pool<Self>, key: i64) -> sqlx::Result<i64> {
            let sql = concat!(
                "SELECT GREATEST(ledger.revision, COALESCE(hot.revision, 0)) \
                 FROM ledger LEFT JOIN hot ON hot.id = ledger.id WHERE ledger.id = ",
                $placeholder
            );
            sqlx::query_scalar(sql).bind(key).fetch_one(pool).await
        }

        async fn note_revision(_: &mut Self::Connection, _: i64, _: i64) -> sqlx::Result<()> {
            Ok(())
        }
    };
}
use lock_by_select;
