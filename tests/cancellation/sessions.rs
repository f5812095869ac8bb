//! What the databases say of sessions that are nobody's at the moment.

use crate::{
    databases::{Options, Scratch, ServerDatabase, TestDatabase, is_mariadb},
    proxy::Proxy,
};
use sqlx::{
    AssertSqlSafe, Connection as _, MySql, MySqlConnection, PgConnection, Pool, Postgres, Row as _,
    Sqlite, SqliteConnection,
};
use std::time::Duration;

/// How long each part of an answer is on its way.
const DELAY: Duration = Duration::from_millis(1);

/// The way to a database that a test has for itself.
pub(crate) struct Way<DB: TestDatabase> {
    pub(crate) direct: Options<DB>,
    /// On which answers take their time and come in pieces, where it is a server.
    pub(crate) slow: Options<DB>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) scratch: Scratch,
}

/// A database whose sessions can be looked at.
pub(crate) trait Sessions: TestDatabase {
    /// Creates an empty one, whose sessions have this name where they can.
    fn way(name: &str) -> impl Future<Output = Way<Self>> + Send;

    /// Sessions of the test's pools in which something is under way or a transaction
    /// open, as another connection sees them.
    fn busy(
        watch: &Pool<Self>,
        name: &str,
    ) -> impl Future<Output = sqlx::Result<Vec<String>>> + Send;

    /// What is not as in a new session on a connection that the pool has just given.
    fn unclean(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = sqlx::Result<Option<String>>> + Send;
}

async fn slow_way<DB: ServerDatabase>(direct: Options<DB>, scratch: Scratch) -> Way<DB> {
    let proxy = DB::proxy().await;
    proxy.slow_down(DELAY);
    let slow = DB::through(direct.clone(), &proxy);
    Way { direct, slow, proxy: Some(proxy), scratch }
}

impl Sessions for Postgres {
    async fn way(name: &str) -> Way<Self> {
        let (options, scratch) = Self::create().await;
        let mut way = slow_way::<Self>(options, scratch).await;
        way.slow = way.slow.application_name(name);
        way
    }

    async fn busy(watch: &Pool<Self>, name: &str) -> sqlx::Result<Vec<String>> {
        // LISTEN is idle.
        let sql = format!(
            "SELECT pid || ' ' || state || ': ' || query FROM pg_stat_activity
             WHERE application_name = '{name}' AND state <> 'idle'"
        );
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(watch).await
    }

    async fn unclean(connection: &mut PgConnection) -> sqlx::Result<Option<String>> {
        // In a transaction that was begun before, its time is an older one; not quite
        // the same either where it begins with a message of a prepared statement's.
        let row = sqlx::raw_sql(
            "SELECT CASE WHEN now() <> statement_timestamp() THEN 'a transaction is open'
                WHEN current_setting('cached_orm.own_key', true) <> '' THEN 'own_key is set'
                WHEN current_setting('transaction_isolation') <> 'read committed'
                THEN 'the isolation level is another' END",
        )
        .fetch_one(connection)
        .await?;
        row.try_get(0)
    }
}

impl Sessions for MySql {
    async fn way(_: &str) -> Way<Self> {
        let (options, scratch) = Self::create().await;
        slow_way::<Self>(options, scratch).await
    }

    async fn busy(watch: &Pool<Self>, _: &str) -> sqlx::Result<Vec<String>> {
        let sessions: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT CAST(id AS SIGNED), CONVERT(command USING utf8mb4),
                    CONVERT(COALESCE(info, '') USING utf8mb4)
             FROM information_schema.processlist
             WHERE db = DATABASE() AND id <> CONNECTION_ID()",
        )
        .fetch_all(watch)
        .await?;
        // `innodb_trx` is older than it seems if it is asked for often.
        let status = sqlx::raw_sql("SHOW ENGINE INNODB STATUS").fetch_one(watch).await?;
        let status: String = status.try_get("Status")?;
        let is_open = |id: &i64| {
            let thread = format!("thread id {id},");
            let mut transactions = status.split("---TRANSACTION ");
            transactions.any(|text| text.contains(&thread) && !text.contains("not started"))
        };
        let busy =
            sessions.into_iter().filter(|(id, command, _)| command != "Sleep" || is_open(id));
        Ok(busy.map(|(id, command, info)| format!("{id} {command}: {info}")).collect())
    }

    async fn unclean(connection: &mut MySqlConnection) -> sqlx::Result<Option<String>> {
        let sql = if is_mariadb().await {
            "SELECT CASE WHEN @@in_transaction <> 0 THEN 'a transaction is open'
                WHEN @@tx_isolation <> @@global.tx_isolation THEN 'the isolation level is another'
                WHEN @@autocommit <> 1 THEN 'autocommit is off' END"
        } else {
            // This statement's own transaction is one of autocommit.
            "SELECT CASE WHEN EXISTS (
                    SELECT 1 FROM performance_schema.events_transactions_current e
                    JOIN performance_schema.threads t ON t.thread_id = e.thread_id
                    WHERE t.processlist_id = CONNECTION_ID()
                      AND e.state = 'ACTIVE' AND e.autocommit = 'NO')
                THEN 'a transaction is open'
                WHEN @@transaction_isolation <> @@global.transaction_isolation
                THEN 'the isolation level is another'
                WHEN @@autocommit <> 1 THEN 'autocommit is off' END"
        };
        sqlx::query_scalar(sql).fetch_one(connection).await
    }
}

impl Sessions for Sqlite {
    async fn way(_: &str) -> Way<Self> {
        let (direct, scratch) = Self::create().await;
        Way { slow: direct.clone(), direct, proxy: None, scratch }
    }

    async fn busy(watch: &Pool<Self>, _: &str) -> sqlx::Result<Vec<String>> {
        let mut connection = watch.acquire().await?;
        sqlx::raw_sql("PRAGMA busy_timeout = 0").execute(&mut *connection).await?;
        let begun = sqlx::raw_sql("BEGIN IMMEDIATE; ROLLBACK").execute(&mut *connection).await;
        Ok(begun.err().map(|error| error.to_string()).into_iter().collect())
    }

    async fn unclean(connection: &mut SqliteConnection) -> sqlx::Result<Option<String>> {
        if connection.is_in_transaction() {
            return Ok(Some("sqlx counts a transaction".to_owned()));
        }
        match sqlx::raw_sql("BEGIN; ROLLBACK").execute(connection).await {
            Ok(_) => Ok(None),
            Err(error) => Ok(Some(error.to_string())),
        }
    }
}
