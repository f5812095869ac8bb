use super::{OutboxFound, OutboxTable, no_index};
use sqlx::{MySql, MySqlConnection};

/// One who creates outbox or triggers in this database at a time. It is the session's
/// until [`NEXT_ONE`]: who is cancelled in between must close his connection.
pub(crate) const ONE_AT_A_TIME: &str =
    "SELECT GET_LOCK(CONCAT('cached_orm ', LEFT(SHA2(DATABASE(), 256), 32)), 60)";
pub(crate) const NEXT_ONE: &str =
    "SELECT RELEASE_LOCK(CONCAT('cached_orm ', LEFT(SHA2(DATABASE(), 256), 32)))";

const INDEX: &str =
    "ALTER TABLE cached_orm_outbox ADD INDEX cached_orm_outbox_namespace (namespace, id)";

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

async fn create_alone(connection: &mut MySqlConnection) -> sqlx::Result<()> {
    match MySql::outbox_found(connection).await? {
        OutboxFound::Everything => {}
        OutboxFound::Nothing => {
            sqlx::raw_sql(MySql::CREATE).execute(connection).await?;
        }
        OutboxFound::NoIndex => {
            // Whoever waits for the table keeps all others from it.
            let hasty = "SET @cached_orm_wait = @@SESSION.lock_wait_timeout, \
                             SESSION lock_wait_timeout = 2";
            let patient = "SET SESSION lock_wait_timeout = @cached_orm_wait";
            sqlx::raw_sql(hasty).execute(&mut *connection).await?;
            let added = sqlx::raw_sql(INDEX).execute(&mut *connection).await;
            sqlx::raw_sql(patient).execute(connection).await?;
            if let Err(error) = added {
                no_index(&error);
            }
        }
    }
    Ok(())
}

impl OutboxTable for MySql {
    const CREATE: &'static str = "\
CREATE TABLE IF NOT EXISTS cached_orm_outbox (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    namespace VARCHAR(64) NOT NULL,
    cache_key MEDIUMTEXT NOT NULL,
    created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    INDEX cached_orm_outbox_namespace (namespace, id)
) ENGINE = InnoDB CHARACTER SET ascii COLLATE ascii_bin";

    const LOCKS_ROWS: bool = true;

    async fn outbox_found(connection: &mut MySqlConnection) -> sqlx::Result<OutboxFound> {
        // `take` names the index.
        const INDEXES: &str = "
            SELECT COUNT(*) FROM information_schema.statistics
            WHERE table_schema = DATABASE() AND table_name = 'cached_orm_outbox'
              AND index_name = 'cached_orm_outbox_namespace'";
        let has_table = Self::exists(connection).await?;
        let columns: i64 = sqlx::query_scalar(INDEXES).fetch_one(connection).await?;
        Ok(OutboxFound::of(has_table, columns > 0))
    }

    async fn create_outbox(connection: &mut MySqlConnection) -> sqlx::Result<()> {
        if Self::outbox_found(connection).await? == OutboxFound::Everything {
            return Ok(());
        }
        sqlx::query(ONE_AT_A_TIME).execute(&mut *connection).await?;
        let created = create_alone(connection).await;
        sqlx::query(NEXT_ONE).execute(connection).await?;
        created
    }

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
        keeps_plans: false,
        put: |insert, _| insert,
        has_rows: "SELECT 1 FROM cached_orm_outbox WHERE namespace = ? LIMIT 1",
        take: [
            "SELECT id, cache_key FROM cached_orm_outbox FORCE INDEX (cached_orm_outbox_namespace) \
             WHERE namespace = ? AND id > ? ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED",
            "SELECT id, cache_key FROM cached_orm_outbox WHERE namespace = ? AND id > ? \
             ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED"
        ],
        remove: delete,
        count: "SELECT COUNT(*) FROM cached_orm_outbox WHERE namespace = ?",
        backlog: "SELECT COUNT(*), TIMESTAMPDIFF(MICROSECOND, MIN(created_at), UTC_TIMESTAMP(6)) / 1e0 / 1e6 \
                  FROM cached_orm_outbox WHERE namespace = ?",
        count_of_key: "SELECT COUNT(*) FROM cached_orm_outbox \
                       WHERE namespace = ? AND cache_key IN (?, ?, ?)",
        placeholder: |_| "?".to_owned()
    }
}
