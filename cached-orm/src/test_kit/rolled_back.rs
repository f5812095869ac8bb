use crate::{Backend, Isolation};
use sqlx::{Connection as _, Pool, SqlSafeStr, pool::PoolOptions};
use sqlx_core::transaction::TransactionManager as _;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A pool of one connection to where `pool` connects, which is in a transaction. What
/// else begins on it is a savepoint of that, and with the connection everything is
/// undone.
///
/// `begun` counts the transactions. A connection that is lost, or whose transaction was
/// ended by a statement, is replaced by one that begins another, so that nothing is
/// ever committed.
pub(crate) async fn one_transaction<DB: Backend>(
    pool: &Pool<DB>,
    begun: Arc<AtomicUsize>,
) -> sqlx::Result<Pool<DB>> {
    // What loads need; and at a stricter level InnoDB would lock gaps, in which other
    // tests insert.
    let begin = DB::begin(Some(Isolation::ReadCommitted));
    PoolOptions::<DB>::new()
        .max_connections(1)
        .acquire_timeout(pool.options().get_acquire_timeout())
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| {
            let begun = Arc::clone(&begun);
            Box::pin(async move {
                let statement = begin.map(SqlSafeStr::into_sql_str);
                DB::TransactionManager::begin(connection, statement).await?;
                begun.fetch_add(1, Ordering::AcqRel);
                Ok(())
            })
        })
        .before_acquire(|connection, _| {
            Box::pin(async {
                // PostgreSQL says itself that a transaction has failed.
                Ok(connection.is_in_transaction()
                    && (DB::ERRORS_ABORT || DB::check_open(connection).await.is_ok()))
            })
        })
        .connect_with((*pool.connect_options()).clone())
        .await
}
