//! A database and a namespace of each test's own.

use crate::command_line::{Run, run_with};
use cached_orm::{
    Backend, MySql, Orm, OrmBuilder, Postgres, Sqlite,
    sqlx::{self, AssertSqlSafe, Pool},
};
use std::{future::Future, process, time::Duration};
use tempfile::TempDir;

/// Short, so that no test waits long for a server that has just started.
const COMMIT_WINDOW: Duration = Duration::from_millis(800);
const HOLD_OFF: Duration = Duration::from_secs(1);

/// A machine that is busy must not look like a cache that is down.
const PATIENCE: &str = "5s";

/// A server's address at which nobody listens.
pub(crate) const NOBODY: &str = "127.0.0.1:1";

pub(crate) trait TestDatabase: Backend {
    /// How the command-line tool names it.
    const SYSTEM: &'static str;

    /// Creates an empty database called `name`; its URL.
    fn create(name: &str, folder: &TempDir) -> impl Future<Output = String> + Send;

    /// Removes it.
    fn end(name: &str) -> impl Future<Output = ()> + Send;

    /// Runs statements without arguments, one or more.
    fn run(pool: &Pool<Self>, sql: &str) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// The texts in the outbox.
    fn outbox(pool: &Pool<Self>) -> impl Future<Output = sqlx::Result<Vec<String>>> + Send;
}

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests with `tests/run`"))
}

macro_rules! statements {
    () => {
        async fn run(pool: &Pool<Self>, sql: &str) -> sqlx::Result<()> {
            // Written in the tests, or by the program.
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(drop)
        }

        async fn outbox(pool: &Pool<Self>) -> sqlx::Result<Vec<String>> {
            sqlx::query_scalar("SELECT cache_key FROM cached_orm_outbox ORDER BY id")
                .fetch_all(pool)
                .await
        }
    };
}

async fn administer<DB: TestDatabase>(url: &str, sql: &str) {
    let pool = Pool::<DB>::connect(url).await.expect("the server answers");
    DB::run(&pool, sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    pool.close().await;
}

impl TestDatabase for Postgres {
    const SYSTEM: &'static str = "PostgreSQL";

    async fn create(name: &str, _: &TempDir) -> String {
        let server = variable("TEST_POSTGRES_URL");
        administer::<Self>(&server, &format!("CREATE SCHEMA {name}")).await;
        let join = if server.contains('?') { '&' } else { '?' };
        format!("{server}{join}options[search_path]={name}")
    }

    async fn end(name: &str) {
        let sql = format!("DROP SCHEMA {name} CASCADE");
        administer::<Self>(&variable("TEST_POSTGRES_URL"), &sql).await;
    }

    statements!();
}

impl TestDatabase for MySql {
    const SYSTEM: &'static str = "MySQL";

    async fn create(name: &str, _: &TempDir) -> String {
        let server = variable("TEST_MYSQL_URL");
        let sql = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
        administer::<Self>(&server, &sql).await;
        let (server, _) = server.rsplit_once('/').expect("it names a database");
        format!("{server}/{name}")
    }

    async fn end(name: &str) {
        administer::<Self>(&variable("TEST_MYSQL_URL"), &format!("DROP DATABASE {name}")).await;
    }

    statements!();
}

impl TestDatabase for Sqlite {
    const SYSTEM: &'static str = "SQLite";

    async fn create(_: &str, folder: &TempDir) -> String {
        let file = folder.path().join("test.sqlite");
        let url = format!("sqlite://{}", file.display());
        let journal = format!("{url}?mode=rwc");
        administer::<Self>(&journal, "PRAGMA journal_mode = WAL").await;
        url
    }

    async fn end(_: &str) {}

    statements!();
}

async fn handle<DB: Backend>(
    pool: Pool<DB>,
    cache_url: &str,
    configure: impl FnOnce(OrmBuilder<DB>) -> OrmBuilder<DB>,
) -> Orm<DB> {
    let builder = Orm::builder(pool)
        .cache_url(cache_url)
        .expect("a URL")
        .commit_window(COMMIT_WINDOW)
        .hold_off(HOLD_OFF)
        .drainer(false);
    configure(builder).build().await.expect("a handle")
}

pub(crate) struct Place<DB: TestDatabase> {
    /// The program's handle; it drains nothing.
    pub(crate) orm: Orm<DB>,
    pub(crate) database_url: String,
    pub(crate) cache_url: String,
    name: String,
    _folder: TempDir,
}

impl<DB: TestDatabase> Place<DB> {
    /// A place with these tables.
    pub(crate) async fn with(tables: &str) -> Self {
        let name = format!("cli{}_{:016x}", process::id(), rand::random::<u64>());
        let folder = TempDir::new().expect("a temporary folder");
        let database_url = DB::create(&name, &folder).await;
        let server = variable("TEST_MEMCACHED_URL");
        let server = server.trim_end_matches('/');
        let cache_url = format!("{server}?namespace={name}&timeout={PATIENCE}");
        let pool = Pool::connect(&database_url).await.expect("the test's database answers");
        if !tables.is_empty() {
            DB::run(&pool, tables).await.unwrap_or_else(|error| panic!("{error}: {tables}"));
        }
        let orm = handle(pool, &cache_url, |builder| builder).await;
        // Until then the server is not filled.
        while orm.status().await.servers.iter().any(|server| server.hold_off.is_some()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self { orm, database_url, cache_url, name, _folder: folder }
    }

    /// Another handle of the program's.
    pub(crate) async fn handle(
        &self,
        configure: impl FnOnce(OrmBuilder<DB>) -> OrmBuilder<DB>,
    ) -> Orm<DB> {
        handle(self.orm.pool().clone(), &self.cache_url, configure).await
    }

    /// Runs statements past the library.
    pub(crate) async fn run(&self, sql: &str) {
        DB::run(self.orm.pool(), sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// The texts in the outbox.
    pub(crate) async fn outbox(&self) -> Vec<String> {
        DB::outbox(self.orm.pool()).await.expect("there is an outbox")
    }

    /// Runs the program here.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Run {
        self.cli_with(arguments, "")
    }

    /// Runs the program here, with this standard input.
    pub(crate) fn cli_with(&self, arguments: &[&str], input: &str) -> Run {
        self.cli_under(&[], arguments, input)
    }

    /// The same, with more variables.
    pub(crate) fn cli_under(
        &self,
        variables: &[(&str, &str)],
        arguments: &[&str],
        input: &str,
    ) -> Run {
        let urls = [("DATABASE_URL", &*self.database_url), ("CACHE_URL", &*self.cache_url)];
        run_with(arguments, &[&urls, variables].concat(), input)
    }

    /// The namespace, and a key in it.
    pub(crate) fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.name)
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.name
    }

    /// Removes what a test that went well leaves.
    pub(crate) async fn end(self) {
        self.orm.close().await;
        DB::end(&self.name).await;
    }
}
