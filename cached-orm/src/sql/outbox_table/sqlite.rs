use super::OutboxTable;
use sqlx::{Sqlite, SqliteConnection};

impl OutboxTable for Sqlite {
    const CREATE: &'static str = "\
CREATE TABLE IF NOT EXISTS cached_orm_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
)";

    const LOCKS_ROWS: bool = false;

    async fn exists(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let tables: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'cached_orm_outbox'",
        )
        .fetch_one(connection)
        .await?;
        Ok(tables > 0)
    }

    outbox_statements! {
        take: "SELECT id, cache_key FROM cached_orm_outbox WHERE namespace = $1 AND id > $2 \
               ORDER BY id LIMIT $3",
        remove: super::delete,
        count: "SELECT COUNT(*) FROM cached_orm_outbox WHERE namespace = $1",
        backlog: "SELECT COUNT(*), (julianday('now') - julianday(MIN(created_at))) * 86400.0 \
                  FROM cached_orm_outbox WHERE namespace = $1",
        count_of_key: "SELECT COUNT(*) FROM cached_orm_outbox \
                       WHERE namespace = $1 AND cache_key IN ($2, $3, $4)",
        placeholder: |n| format!("${n}")
    }
}
