//! A database of each test's own.

use crate::proxy::{Protocol, Proxy};
use cached_orm::Backend;
use sqlx::{
    AssertSqlSafe, Connection, MySql, MySqlConnection, Pool, Postgres, Sqlite,
    mysql::MySqlConnectOptions,
    pool::PoolOptions,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    future::Future,
    process,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::lookup_host, sync::OnceCell};

/// Which database a test has, where that makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    /// Or MySQL in its place, as with `tests/newest`: [`is_mariadb`] tells.
    MariaDb,
    Sqlite,
}

pub(crate) type Options<DB> = <<DB as sqlx::Database>::Connection as Connection>::Options;

pub(crate) trait TestDatabase: Backend {
    const KIND: Kind;

    /// Creates an empty database, and says how to connect to it.
    fn create() -> impl Future<Output = (Options<Self>, Scratch)> + Send;

    /// Runs statements without arguments, one or more.
    fn run(pool: &Pool<Self>, sql: &str) -> impl Future<Output = sqlx::Result<()>> + Send;

    fn connect(options: Options<Self>) -> impl Future<Output = Pool<Self>> + Send {
        async {
            // Of both, sqlx 0.9.0 may make a loop without end (sqlx#3645).
            let pool = PoolOptions::new().idle_timeout(None).max_lifetime(None);
            let pool = pool.max_connections(10).acquire_timeout(ACQUIRE);
            pool.connect_with(options).await.expect("the test's database answers")
        }
    }
}

/// One that is reached over TCP, and so through a [`Proxy`].
pub(crate) trait ServerDatabase: TestDatabase {
    /// A proxy before the server.
    fn proxy() -> impl Future<Output = Proxy> + Send;

    /// The same database, by that way.
    fn through(options: Options<Self>, proxy: &Proxy) -> Options<Self>;
}

/// Long enough for a busy machine.
const ACQUIRE: Duration = Duration::from_secs(20);

/// The value of a variable that the test command sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests with `tests/run`"))
}

/// A name that no other test has, in this process or another.
pub(crate) fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let salt: u32 = rand::random();
    format!("t{}_{}_{salt:08x}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

macro_rules! run {
    () => {
        async fn run(pool: &Pool<Self>, sql: &str) -> sqlx::Result<()> {
            // Written in the tests.
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(drop)
        }
    };
}

/// Creates an empty schema on the PostgreSQL that the variable names.
pub(crate) async fn schema_on(url: &str) -> (PgConnectOptions, Scratch) {
    let server = PgConnectOptions::from_str(&variable(url)).expect("a URL");
    let name = unique_name();
    let sql = format!("CREATE SCHEMA {name}");
    administer::<Postgres>(server.clone(), &sql).await.expect("a schema is created");
    let options = server.clone().options([("search_path", &name)]);
    (options, Scratch::Schema { server, name })
}

impl TestDatabase for Postgres {
    const KIND: Kind = Kind::Postgres;

    async fn create() -> (PgConnectOptions, Scratch) {
        schema_on("TEST_POSTGRES_URL").await
    }

    run!();
}

/// Whether what TEST_MYSQL_URL names is MariaDB, and not MySQL.
pub(crate) async fn is_mariadb() -> bool {
    static IS_MARIADB: OnceCell<bool> = OnceCell::const_new();
    let ask = async || {
        let server = MySqlConnectOptions::from_str(&variable("TEST_MYSQL_URL")).expect("a URL");
        let mut connection = MySqlConnection::connect_with(&server).await.expect("it answers");
        let version: String = sqlx::query_scalar("SELECT VERSION()")
            .fetch_one(&mut connection)
            .await
            .expect("it knows its version");
        version.contains("MariaDB")
    };
    *IS_MARIADB.get_or_init(ask).await
}

impl TestDatabase for MySql {
    const KIND: Kind = Kind::MariaDb;

    async fn create() -> (MySqlConnectOptions, Scratch) {
        let server = MySqlConnectOptions::from_str(&variable("TEST_MYSQL_URL")).expect("a URL");
        let name = unique_name();
        let sql = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
        administer::<Self>(server.clone(), &sql).await.expect("a database is created");
        (server.clone().database(&name), Scratch::Database { server, name })
    }

    /// As the tests write it for MariaDB; MySQL has another name for the collation that
    /// tells all texts apart.
    async fn run(pool: &Pool<Self>, sql: &str) -> sqlx::Result<()> {
        let sql = match is_mariadb().await {
            true => sql.to_owned(),
            false => sql.replace("utf8mb4_nopad_bin", "utf8mb4_0900_bin"),
        };
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(drop)
    }
}

impl TestDatabase for Sqlite {
    const KIND: Kind = Kind::Sqlite;

    async fn create() -> (SqliteConnectOptions, Scratch) {
        let folder = TempDir::new().expect("a temporary folder");
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("test.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off)
            .busy_timeout(ACQUIRE);
        (options, Scratch::Folder(folder))
    }

    run!();
}

macro_rules! server_database {
    ($database:ident, $options:ident, $url:literal) => {
        impl ServerDatabase for $database {
            async fn proxy() -> Proxy {
                let server = $options::from_str(&variable($url)).expect("a URL");
                let address = format!("{}:{}", server.get_host(), server.get_port());
                let mut addresses = lookup_host(address).await.expect("a host");
                let address = addresses.next().expect("an address");
                Proxy::to(address, Protocol::$database).await
            }

            fn through(options: $options, proxy: &Proxy) -> $options {
                options.host("127.0.0.1").port(proxy.port())
            }
        }
    };
}

server_database!(Postgres, PgConnectOptions, "TEST_POSTGRES_URL");
server_database!(MySql, MySqlConnectOptions, "TEST_MYSQL_URL");

/// What is left of a test's database when it ends; removed when dropped.
#[derive(Debug)]
pub(crate) enum Scratch {
    Schema { server: PgConnectOptions, name: String },
    Database { server: MySqlConnectOptions, name: String },
    Folder(#[expect(dead_code, reason = "dropping it removes it")] TempDir),
}

impl Scratch {
    async fn remove(self) -> sqlx::Result<()> {
        match self {
            Self::Schema { server, name } => {
                let sql = format!("SET lock_timeout = '1s'; DROP SCHEMA {name} CASCADE");
                administer::<Postgres>(server, &sql).await
            }
            Self::Database { server, name } => {
                let sql = format!("SET lock_wait_timeout = 1; DROP DATABASE {name}");
                administer::<MySql>(server, &sql).await
            }
            Self::Folder(_) => Ok(()),
        }
    }
}

/// Removes a [`Scratch`] when dropped, also when the test has failed.
#[derive(Debug)]
pub(crate) struct Removed(pub(crate) Option<Scratch>);

impl Drop for Removed {
    fn drop(&mut self) {
        let Some(scratch) = self.0.take() else { return };
        if matches!(scratch, Scratch::Folder(_)) {
            return;
        }
        // On a thread of its own, since the test's runtime is busy with this drop.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                // A transaction that a test has left open keeps its tables.
                drop(runtime.block_on(scratch.remove()));
            }
        });
        drop(removal.join());
    }
}

/// Runs statements on a connection of their own.
async fn administer<DB: TestDatabase>(server: Options<DB>, sql: &str) -> sqlx::Result<()> {
    let pool = PoolOptions::<DB>::new().max_connections(1).connect_with(server).await?;
    let done = DB::run(&pool, sql).await;
    pool.close().await;
    done
}
