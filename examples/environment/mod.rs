//! What the examples share: the database and the cache that the environment
//! names.

use cached_orm::sqlx::{self, Executor};
use cached_orm::{Backend, MemcachedOrm, MySql, Orm, Persist, Postgres, Sqlite};
use std::{env, error::Error, path::Path, time::Duration};
use tokio::time::{Instant, sleep, timeout};

pub(crate) type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// A handle of the database that was chosen at run time. A program that always
/// uses the same one just writes `Orm<Postgres>`.
pub(crate) enum AnyOrm {
    Postgres(Orm<Postgres>),
    MySql(Orm<MySql>),
    Sqlite(Orm<Sqlite>),
}

/// Connects to `DATABASE_URL`, or else to an SQLite file in `directory`, and to
/// the cache at `MEMCACHED_URL`, or else to one inside this process. Then runs
/// `schema`, which makes the example's table.
pub(crate) async fn connect(directory: &Path, schema: &'static str) -> Result<AnyOrm> {
    let file = || format!("sqlite://{}/example.db?mode=rwc", directory.display());
    let database = env::var("DATABASE_URL").unwrap_or_else(|_| file());
    let cache = env::var("MEMCACHED_URL").unwrap_or_else(|_| "embedded://64mb".to_owned());
    Ok(match database.split(':').next() {
        Some("postgres" | "postgresql") => AnyOrm::Postgres(open(&database, &cache, schema).await?),
        Some("mysql" | "mariadb") => AnyOrm::MySql(open(&database, &cache, schema).await?),
        Some("sqlite") => {
            let orm = open(&database, &cache, schema).await?;
            // Readers then don't wait for the writer. The file remembers it.
            orm.pool().execute("PRAGMA journal_mode = WAL").await?;
            AnyOrm::Sqlite(orm)
        }
        _ => return Err("DATABASE_URL begins with none of sqlite:, postgres: and mysql:".into()),
    })
}

async fn open<DB>(database: &str, cache: &str, schema: &'static str) -> Result<Orm<DB>>
where
    DB: Backend,
    // sqlx wants this wherever plain SQL is run on a database yet to be chosen.
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    // A pool would go on trying for half a minute.
    let orm = timeout(Duration::from_secs(5), Orm::connect(database, cache))
        .await
        .map_err(|_| format!("{} does not answer; is DATABASE_URL right?", DB::NAME))??;
    println!("The database is {}, the cache {cache}.\n", DB::NAME);
    sqlx::raw_sql(schema).execute(orm.pool()).await?;
    Ok(orm)
}

/// Waits until the cache keeps the row with this key.
///
/// A memcached server that has just started is not filled for 15 seconds: its
/// earlier self may have known of writes that are still under way. The program
/// would work meanwhile, but there would be no hits to show.
pub(crate) async fn wait_for_cache<T, DB>(orm: &Orm<DB>, key: T::Key) -> Result<()>
where
    T: Persist<DB>,
    DB: Backend,
{
    let begun = Instant::now();
    let mut told = false;
    while begun.elapsed() < Duration::from_secs(20) {
        T::fetch(orm, key.clone()).await?;
        if T::get_cached_instance(orm, key.clone()).await?.is_some() {
            return Ok(());
        }
        if !told {
            println!("Waiting, since memcached is filled only once it is 15 seconds old.\n");
            told = true;
        }
        sleep(Duration::from_millis(200)).await;
    }
    println!("The cache keeps nothing; going on without.\n");
    Ok(())
}
