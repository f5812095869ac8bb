//! Where a run takes place: servers, tables, working sets.

use crate::{
    city::Cities,
    goals::names::VERSIONS,
    memcached::Memcached,
    plan::Plan,
    processors::{Server, parent_of},
    results::Results,
    tables,
};
use benches::{Result, item::WorkingSet};
use cached_orm::sqlx::{MySqlPool, PgPool, sqlite::SqlitePoolOptions};
use std::{path::PathBuf, time::Instant};

/// Of the run's own memcached, in megabytes: nothing is to be evicted.
const MEGABYTES: u32 = 4096;

/// What workloads are given.
pub(crate) struct Stage {
    /// How much of everything.
    pub(crate) plan: Plan,
    /// `postgres://…`, with the tables `items` and `cities`.
    pub(crate) postgres: String,
    /// `mysql://…`, which is MariaDB, with the same `items`.
    pub(crate) mysql: String,
    /// `sqlite://…`, a file, with the same.
    pub(crate) sqlite: String,
    /// The processes of PostgreSQL and MariaDB.
    pub(crate) databases: Vec<Server>,
    /// A server of the run's own.
    pub(crate) memcached: Memcached,
    /// What is read again and again.
    pub(crate) set: WorkingSet,
    /// What the table `cities` has.
    pub(crate) cities: Cities,
    /// The repository.
    pub(crate) root: PathBuf,
    /// Deleted at the end.
    pub(crate) scratch: tempfile::TempDir,
}

impl Stage {
    /// Starts what `tests/servers` has not, and fills the tables.
    ///
    /// # Errors
    /// A server that does not start, or refuses.
    pub(crate) async fn set(plan: Plan, root: PathBuf, results: &mut Results) -> Result<Self> {
        let memcached = Memcached::start(MEGABYTES).await?;
        let scratch = tempfile::tempdir()?;
        let (postgres, mysql) = (variable("TEST_POSTGRES_URL")?, variable("TEST_MYSQL_URL")?);
        let sqlite = format!("sqlite://{}/items.db?mode=rwc", scratch.path().display());
        let begun = Instant::now();

        let pool = PgPool::connect(&postgres).await?;
        tables::fill(&pool, plan.rows, 4).await?;
        let cities = Cities::read(&root)?;
        tables::fill_cities(&pool, &cities).await?;
        sqlx::raw_sql("VACUUM ANALYZE items, cities").execute(&pool).await?;
        let (backend, version): (i32, String) =
            sqlx::query_as("SELECT pg_backend_pid(), current_setting('server_version')")
                .fetch_one(&pool)
                .await?;
        let mut databases = Vec::new();
        // A server on another machine has no process here.
        if let Ok(postmaster) = u32::try_from(backend).map_err(Into::into).and_then(parent_of) {
            databases.push(Server::Family(postmaster));
        }
        results.fact(VERSIONS, format!("PostgreSQL {version}"), 0.0, "");
        pool.close().await;

        let pool = MySqlPool::connect(&mysql).await?;
        tables::fill(&pool, plan.rows, 2).await?;
        let (pid_file, version): (String, String) =
            sqlx::query_as("SELECT @@pid_file, @@version").fetch_one(&pool).await?;
        let pid = std::fs::read_to_string(pid_file).ok().and_then(|pid| pid.trim().parse().ok());
        databases.extend(pid.map(Server::Alone));
        results.fact(VERSIONS, version, 0.0, "");
        pool.close().await;

        let pool = SqlitePoolOptions::new().max_connections(1).connect(&sqlite).await?;
        sqlx::raw_sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").execute(&pool).await?;
        tables::fill(&pool, plan.rows, 1).await?;
        let (version,): (String,) =
            sqlx::query_as("SELECT sqlite_version()").fetch_one(&pool).await?;
        results.fact(VERSIONS, format!("SQLite {version}"), 0.0, "");
        pool.close().await;

        results.fact(VERSIONS, memcached.version().await?, 0.0, "");
        eprintln!("{} rows on three databases in {:.0?}", plan.rows, begun.elapsed());
        let set = WorkingSet::new(plan.working_set, plan.rows);
        Ok(Self { plan, postgres, mysql, sqlite, databases, memcached, set, cities, root, scratch })
    }

    /// `127.0.0.1:port` of the server.
    pub(crate) fn cache(&self) -> String {
        self.memcached.address()
    }
}

/// The value of an environment variable that `tests/servers` sets.
///
/// # Errors
/// It is not set.
pub(crate) fn variable(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| format!("{name} is not set; run `tests/servers -- …`").into())
}
