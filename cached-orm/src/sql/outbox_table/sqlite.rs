use super::{OutboxFound, OutboxTable, no_index};
use sqlx::{Connection as _, Sqlite, SqliteConnection};

const INDEX: &str =
    "CREATE INDEX IF NOT EXISTS cached_orm_outbox_namespace ON cached_orm_outbox (namespace, id)";

impl OutboxTable for Sqlite {
    const CREATE: &'static str = "\
CREATE TABLE IF NOT EXISTS cached_orm_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
);
CREATE INDEX IF NOT EXISTS cached_orm_outbox_namespace ON cached_orm_outbox (namespace, id)";

    const LOCKS_ROWS: bool = false;

    async fn outbox_found(connection: &mut SqliteConnection) -> sqlx::Result<OutboxFound> {
        // `take` names the index.
        const QUERY: &str = "
            SELECT COUNT(*) FILTER (WHERE type = 'table' AND name = 'cached_orm_outbox') > 0,
                   COUNT(*) FILTER (WHERE type = 'index' AND name = 'cached_orm_outbox_namespace') > 0
            FROM sqlite_schema";
        let (has_table, has_index) = sqlx::query_as(QUERY).fetch_one(connection).await?;
        Ok(OutboxFound::of(has_table, has_index))
    }

    async fn create_outbox(connection: &mut SqliteConnection) -> sqlx::Result<()> {
        if Self::outbox_found(connection).await? == OutboxFound::Everything {
            return Ok(());
        }
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        match Self::outbox_found(&mut transaction).await? {
            OutboxFound::Everything => {}
            OutboxFound::Nothing => {
                sqlx::raw_sql(Self::CREATE).execute(&mut *transaction).await?;
            }
            OutboxFound::NoIndex => {
                if let Err(error) = sqlx::raw_sql(INDEX).execute(&mut *transaction).await {
                    no_index(&error);
                    return transaction.rollback().await;
                }
            }
        }
        transaction.commit().await
    }

    async fn exists(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let tables: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'cached_orm_outbox'",
        )
        .fetch_one(connection)
        .await?;
        Ok(tables > 0)
    }

    outbox_statements! {
        keeps_plans: false,
        put: |insert, _| insert,
        has_rows: "SELECT 1 FROM cached_orm_outbox WHERE namespace = $1 LIMIT 1",
        take: [
            "SELECT id, cache_key FROM cached_orm_outbox INDEXED BY cached_orm_outbox_namespace \
             WHERE namespace = $1 AND id > $2 ORDER BY id LIMIT $3",
            "SELECT id, cache_key FROM cached_orm_outbox WHERE namespace = $1 AND id > $2 \
             ORDER BY id LIMIT $3"
        ],
        remove: super::delete,
        count: "SELECT COUNT(*) FROM cached_orm_outbox WHERE namespace = $1",
        backlog: "SELECT COUNT(*), (julianday('now') - julianday(MIN(created_at))) * 86400.0 \
                  FROM cached_orm_outbox WHERE namespace = $1",
        count_of_key: "SELECT COUNT(*) FROM cached_orm_outbox \
                       WHERE namespace = $1 AND cache_key IN ($2, $3, $4)",
        placeholder: |n| format!("${n}")
    }
}
