use super::OutboxTable;
use sqlx::{MySql, MySqlConnection};

/// A DELETE that looks each id up. With `IN` and many ids InnoDB may scan the whole
/// table, and wait for rows of writers and of other drainers, in a deadlock with
/// the latter; an index hint does not keep it from that.
fn delete(ids: &[i64]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| format!("SELECT {id} AS id")).collect();
    format!(
        "DELETE o FROM ({}) AS drained STRAIGHT_JOIN cached_orm_outbox AS o ON o.id = drained.id",
        ids.join(" UNION ALL ")
    )
}

impl OutboxTable for MySql {
    const CREATE: &'static str = "\
CREATE TABLE IF NOT EXISTS cached_orm_outbox (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    namespace VARCHAR(64) NOT NULL,
    cache_key MEDIUMTEXT NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6))
) ENGINE = InnoDB CHARACTER SET ascii COLLATE ascii_bin";

    const LOCKS_ROWS: bool = true;

    async fn exists(connection: &mut MySqlConnection) -> sqlx::Result<bool> {
        let tables: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM information_schema.tables
             WHERE table_schema = DATABASE() AND table_name = 'cached_orm_outbox'",
        )
        .fetch_one(connection)
        .await?;
        Ok(tables > 0)
    }

    outbox_statements! {
        take: "SELECT id, cache_key FROM cached_orm_outbox WHERE namespace = ? AND id > ? \
               ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED",
        remove: delete,
        count: "SELECT COUNT(*) FROM cached_orm_outbox WHERE namespace = ?",
        backlog: "SELECT COUNT(*), TIMESTAMPDIFF(MICROSECOND, MIN(created_at), UTC_TIMESTAMP(6)) / 1e0 / 1e6 \
                  FROM cached_orm_outbox WHERE namespace = ?",
        count_of_key: "SELECT COUNT(*) FROM cached_orm_outbox \
                       WHERE namespace = ? AND cache_key IN (?, ?, ?)",
        placeholder: |_| "?".to_owned()
    }
}
