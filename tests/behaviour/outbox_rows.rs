//! The rows of the outbox as a test sees and writes them.

use crate::databases::TestDatabase;
use sqlx::Pool;

/// SQL on the outbox without the library, on any of the databases.
pub(crate) trait OutboxRows: TestDatabase {
    /// The keys in it, in their order.
    fn keys(
        pool: &Pool<Self>,
        namespace: &str,
    ) -> impl Future<Output = sqlx::Result<Vec<String>>> + Send;
}

macro_rules! outbox_rows {
    ($($database:ident)+) => {$(
        impl OutboxRows for sqlx::$database {
            async fn keys(pool: &Pool<Self>, namespace: &str) -> sqlx::Result<Vec<String>> {
                // A namespace of a test is a plain word.
                let sql = format!(
                    "SELECT cache_key FROM cached_orm_outbox
                     WHERE namespace = '{namespace}' ORDER BY id"
                );
                sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(pool).await
            }
        }
    )+};
}

outbox_rows!(Postgres MySql Sqlite);
