use super::OutboxTable;
use sqlx::{PgConnection, Pool, Postgres, postgres::PgListener};

/// Where triggers say that they have put rows in; the payload is the namespace.
const CHANNEL: &str = "cached_orm_outbox";

impl OutboxTable for Postgres {
    const CREATE: &'static str = "\
CREATE TABLE IF NOT EXISTS cached_orm_outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    namespace TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
)";

    const LOCKS_ROWS: bool = true;

    async fn exists(connection: &mut PgConnection) -> sqlx::Result<bool> {
        sqlx::query_scalar("SELECT to_regclass('cached_orm_outbox') IS NOT NULL")
            .fetch_one(connection)
            .await
    }

    async fn listen(
        pool: &Pool<Postgres>,
        namespace: &str,
        wake: impl Fn() + Send,
    ) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        // What came before it listened was not heard.
        wake();
        loop {
            let notification = listener.recv().await?;
            if notification.payload() == namespace {
                wake();
            }
        }
    }

    outbox_statements! {
        take: "SELECT id, cache_key FROM cached_orm_outbox WHERE namespace = $1 AND id > $2 \
               ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED",
        remove: super::delete,
        count: "SELECT COUNT(*) FROM cached_orm_outbox WHERE namespace = $1",
        backlog: "SELECT COUNT(*), EXTRACT(EPOCH FROM clock_timestamp() - MIN(created_at))::float8 \
                  FROM cached_orm_outbox WHERE namespace = $1",
        count_of_key: "SELECT COUNT(*) FROM cached_orm_outbox \
                       WHERE namespace = $1 AND cache_key IN ($2, $3, $4)",
        placeholder: |n| format!("${n}")
    }
}
