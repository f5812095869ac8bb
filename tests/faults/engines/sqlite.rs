use super::{Engine, Locked, Options, same_for_each};
use crate::{
    rows::{Hot, NotedHot},
    servers::DatabaseServer,
};
use sqlx::{
    Pool, Row as _, Sqlite, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

impl Engine for Sqlite {
    const TITLE: &'static str = "SQLite";
    // A trigger would keep the library from writing rows through.
    const KEYS_ARE_LOCKED_BY_US: bool = true;

    type Old = Hot;
    type New = NotedHot;

    fn server() -> Result<Option<DatabaseServer>, String> {
        Ok(None)
    }

    fn options(_: u16, folder: &Path) -> Options<Self> {
        SqliteConnectOptions::new()
            .filename(folder.join("hot.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off)
            .busy_timeout(Duration::from_secs(5))
    }

    const TABLES: &'static str = "
        CREATE TABLE hot (
            id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, attempt INTEGER NOT NULL,
            body TEXT NOT NULL, label INTEGER NOT NULL UNIQUE, bucket INTEGER NOT NULL,
            note TEXT NOT NULL DEFAULT 'old');
        CREATE INDEX hot_bucket ON hot (bucket);
        CREATE TABLE ledger (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL)";

    /// The transaction has the whole database for itself.
    async fn lock(connection: &mut SqliteConnection, key: i64) -> sqlx::Result<Locked> {
        let sql = "SELECT max(ledger.revision, ifnull(hot.revision, 0)), hot.id IS NOT NULL
                   FROM ledger LEFT JOIN hot USING (id) WHERE ledger.id = $1";
        let row = sqlx::query(sql).bind(key).fetch_one(connection).await?;
        Ok(Locked { revision: row.try_get(0)?, is_present: row.try_get(1)? })
    }

    async fn latest(pool: &Pool<Self>, key: i64) -> sqlx::Result<i64> {
        let mut connection = pool.acquire().await?;
        Ok(Self::lock(&mut connection, key).await?.revision)
    }

    async fn note_revision(
        connection: &mut SqliteConnection,
        key: i64,
        revision: i64,
    ) -> sqlx::Result<()> {
        let sql = "UPDATE ledger SET revision = $1 WHERE id = $2";
        sqlx::query(sql).bind(revision).bind(key).execute(connection).await.map(drop)
    }

    const OUTBOX_LOG: &'static str = "
        CREATE TABLE outbox_log (
            id INTEGER PRIMARY KEY, cache_key TEXT NOT NULL,
            put_at REAL NOT NULL, gone_at REAL);
        CREATE INDEX outbox_log_key ON outbox_log (cache_key);
        CREATE TRIGGER log_put AFTER INSERT ON cached_orm_outbox BEGIN
            INSERT INTO outbox_log VALUES (NEW.id, NEW.cache_key, unixepoch('subsec'), NULL);
        END;
        -- SQLite cuts its clock to milliseconds.
        CREATE TRIGGER log_gone AFTER DELETE ON cached_orm_outbox BEGIN
            UPDATE outbox_log SET gone_at = unixepoch('subsec') + 0.001 WHERE id = OLD.id;
        END";

    async fn pending_between(
        pool: &Pool<Self>,
        cache_key: &str,
        began: f64,
        ended: f64,
    ) -> sqlx::Result<i64> {
        let sql = "SELECT COUNT(*) FROM outbox_log WHERE cache_key = $1
                   AND put_at <= $2 AND (gone_at IS NULL OR gone_at >= $3)";
        sqlx::query_scalar(sql).bind(cache_key).bind(ended).bind(began).fetch_one(pool).await
    }

    same_for_each!();
}
