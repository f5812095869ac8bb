use super::{OutboxFound, OutboxTable, no_index};
use crate::{Backend as _, Isolation};
use sqlx::{
    Acquire as _, Connection as _, Executor as _, PgConnection, Pool, Postgres, SqlSafeStr as _,
    postgres::PgListener,
};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// Where triggers say that they have put rows in; the payload is the namespace.
const CHANNEL: &str = "cached_orm_outbox";

/// How long an answer may take on the connection that listens.
const PATIENCE: Duration = Duration::from_secs(5);

/// One who creates outbox or triggers at a time: of two, PostgreSQL refuses one. Held
/// until the transaction ends; the number is this crate's own.
pub(crate) const ONE_AT_A_TIME: &str = "SELECT pg_advisory_xact_lock(7094277634872364143)";

/// Begins what is done one at a time. At this level what the one before has done is seen.
pub(crate) fn begin_alone() -> sqlx::SqlStr {
    Postgres::begin(Some(Isolation::ReadCommitted)).unwrap_or("BEGIN").into_sql_str()
}

const INDEX: &str =
    "CREATE INDEX IF NOT EXISTS cached_orm_outbox_namespace ON cached_orm_outbox (namespace, id)";

impl OutboxTable for Postgres {
    const CREATE: &'static str = "\
CREATE TABLE IF NOT EXISTS cached_orm_outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    namespace TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS cached_orm_outbox_namespace ON cached_orm_outbox (namespace, id)";

    const LOCKS_ROWS: bool = true;

    async fn outbox_found(connection: &mut PgConnection) -> sqlx::Result<OutboxFound> {
        const QUERY: &str = "
            SELECT o.oid IS NOT NULL,
                   EXISTS (SELECT FROM pg_index i
                           WHERE i.indrelid = o.oid AND i.indisvalid AND i.indpred IS NULL
                             AND pg_get_indexdef(i.indexrelid, 1, true) = 'namespace'
                             AND pg_get_indexdef(i.indexrelid, 2, true) = 'id')
            FROM (SELECT to_regclass('cached_orm_outbox')::oid) AS o (oid)";
        let (has_table, has_index) = sqlx::query_as(QUERY).fetch_one(connection).await?;
        Ok(OutboxFound::of(has_table, has_index))
    }

    async fn create_outbox(connection: &mut PgConnection) -> sqlx::Result<()> {
        if Self::outbox_found(connection).await? == OutboxFound::Everything {
            return Ok(());
        }
        let mut transaction = connection.begin_with(begin_alone()).await?;
        transaction.execute(ONE_AT_A_TIME).await?;
        match Self::outbox_found(&mut transaction).await? {
            OutboxFound::Everything => {}
            OutboxFound::Nothing => {
                sqlx::raw_sql(Self::CREATE).execute(&mut *transaction).await?;
            }
            OutboxFound::NoIndex => {
                // Whoever waits for the table keeps all others from it who write.
                transaction.execute("SET LOCAL lock_timeout = '2s'").await?;
                if let Err(error) = transaction.execute(INDEX).await {
                    no_index(&error);
                    return transaction.rollback().await;
                }
            }
        }
        transaction.commit().await
    }

    async fn exists(connection: &mut PgConnection) -> sqlx::Result<bool> {
        sqlx::query_scalar("SELECT to_regclass('cached_orm_outbox') IS NOT NULL")
            .fetch_one(connection)
            .await
    }

    async fn listen(
        pool: &Pool<Postgres>,
        namespace: &str,
        look_every: Duration,
        wake: impl Fn() + Send,
    ) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        // What came before it listened was not heard.
        wake();
        // Whatever else is heard meanwhile.
        let mut looks = interval_at(Instant::now() + look_every, look_every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                heard = listener.try_recv() => match heard? {
                    Some(notification) if notification.payload() != namespace => {}
                    Some(_) => wake(),
                    // It has connected anew, and missed what came in between.
                    None => wake(),
                },
                _ = looks.tick() => {
                    let look = Self::has_rows(listener.acquire().await?, namespace);
                    let silent = |_| sqlx::Error::Protocol("no answer where it listens".to_owned());
                    if timeout(PATIENCE, look).await.map_err(silent)?? {
                        wake();
                    }
                }
            }
        }
    }

    outbox_statements! {
        keeps_plans: true,
        put: |insert, wakes| match wakes {
            false => insert,
            true => format!(
                "WITH put AS ({insert} RETURNING namespace) \
                 SELECT pg_notify('{CHANNEL}', namespace) FROM put LIMIT 1"
            ),
        },
        has_rows: "SELECT 1 FROM cached_orm_outbox WHERE namespace = $1 LIMIT 1",
        take: ["SELECT id, cache_key FROM cached_orm_outbox WHERE namespace = $1 AND id > $2 \
                ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED"],
        remove: super::delete,
        count: "SELECT COUNT(*) FROM cached_orm_outbox WHERE namespace = $1",
        backlog: "SELECT COUNT(*), EXTRACT(EPOCH FROM clock_timestamp() - MIN(created_at))::float8 \
                  FROM cached_orm_outbox WHERE namespace = $1",
        count_of_key: "SELECT COUNT(*) FROM cached_orm_outbox \
                       WHERE namespace = $1 AND cache_key IN ($2, $3, $4)",
        placeholder: |n| format!("${n}")
    }
}
