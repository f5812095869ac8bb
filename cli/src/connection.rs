//! The database and the cache that the URLs name.

use crate::{arguments::Cli, failure::Failure, signing_keys};
use cached_orm::sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use cached_orm::{
    Backend, MySql, Orm, Postgres, Sqlite,
    sqlx::{self, Connection, mysql::MySqlConnectOptions, pool::PoolOptions},
};
use std::time::Duration;
use tokio::time::timeout;

/// How long the database may take to take a connection.
const PATIENCE: Duration = Duration::from_secs(5);

const DATABASE_FORMS: &str = "Write `postgres://user@host:5432/database`, \
     `mysql://user@host:3306/database` (MariaDB too) or `sqlite:///path/to/file`, in \
     `--database-url` or DATABASE_URL.";
const CACHE_FORMS: &str = "Write `memcached://host:11211,host:11211?namespace=shop` as the program \
     does, in `--cache-url` or CACHE_URL.";

/// Which database a URL names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum System {
    Postgres,
    MySql,
    Sqlite,
}

impl System {
    /// By the URL's scheme. No more of the URL is repeated: it may hold a password.
    pub(crate) fn of(cli: &Cli) -> Result<Self, Failure> {
        let scheme = database_url(cli)?.split_once(':').map(|(scheme, _)| scheme);
        match scheme {
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            Some("mysql" | "mariadb") => Ok(Self::MySql),
            Some("sqlite") => Ok(Self::Sqlite),
            _ => Err(Failure::usage(
                "the database's URL begins with no scheme that is known",
                DATABASE_FORMS,
            )),
        }
    }
}

type Options<DB> = <<DB as sqlx::Database>::Connection as Connection>::Options;

/// A database of which can be told where it is.
pub(crate) trait Reachable: Backend {
    /// The database, its place and its name; no user, and no password.
    fn place(options: &Options<Self>) -> String;
}

impl Reachable for Postgres {
    fn place(options: &PgConnectOptions) -> String {
        let name = options.get_database().unwrap_or("(the user's)");
        match options.get_socket() {
            Some(socket) => format!("PostgreSQL at {}, database {name}", socket.display()),
            None => format!(
                "PostgreSQL at {}:{}, database {name}",
                options.get_host(),
                options.get_port()
            ),
        }
    }
}

impl Reachable for MySql {
    fn place(options: &MySqlConnectOptions) -> String {
        let name = options.get_database().unwrap_or("(none)");
        match options.get_socket() {
            Some(socket) => format!("MySQL or MariaDB at {}, database {name}", socket.display()),
            None => format!(
                "MySQL or MariaDB at {}:{}, database {name}",
                options.get_host(),
                options.get_port()
            ),
        }
    }
}

impl Reachable for Sqlite {
    fn place(options: &SqliteConnectOptions) -> String {
        format!("SQLite's file {}", options.get_filename().display())
    }
}

/// Which part of the cache a command works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheUse {
    /// Its servers.
    Servers,
    /// None of it: the URL may tell the namespace.
    Namespace,
}

/// A handle, and why the database cannot be reached, if it cannot.
pub(crate) struct Opened<DB: Backend> {
    pub(crate) orm: Orm<DB>,
    /// The namespace; empty if there is none.
    pub(crate) namespace: String,
    pub(crate) no_database: Option<Failure>,
}

/// Connects, and fails if the database cannot be reached.
pub(crate) async fn connect<DB: Reachable>(
    cli: &Cli,
    cache: CacheUse,
    fence_ttl: Option<Duration>,
) -> Result<Opened<DB>, Failure> {
    let mut opened = open::<DB>(cli, cache, fence_ttl).await?;
    match opened.no_database.take() {
        Some(failure) => Err(failure),
        None => Ok(opened),
    }
}

/// Connects, and says whether the database can be reached.
pub(crate) async fn open<DB: Reachable>(
    cli: &Cli,
    cache: CacheUse,
    fence_ttl: Option<Duration>,
) -> Result<Opened<DB>, Failure> {
    let cache_url = cache_url(cli, cache)?;
    let signing_keys = signing_keys::parse(&cli.signing_keys)?;
    let options: Options<DB> = database_url(cli)?.parse().map_err(|error: sqlx::Error| {
        Failure::usage(format!("the database's URL cannot be read: {error}"), DATABASE_FORMS)
    })?;
    let no_database = try_to_connect::<DB>(&options).await.err();
    let pool = PoolOptions::<DB>::new()
        .max_connections(4)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options);
    // Nothing is drained unless it is asked for.
    let mut builder = Orm::builder(pool).drainer(false).cache_url(&cache_url)?;
    let namespace = match &cli.namespace {
        Some(namespace) => namespace.clone(),
        None => namespace_in(&cache_url),
    };
    builder = builder.namespace(&namespace);
    if cache == CacheUse::Servers && !cli.also_fence.is_empty() {
        builder = builder.also_fence(cli.also_fence.iter().cloned());
    }
    if let Some(ttl) = fence_ttl {
        builder = builder.fence_ttl(ttl);
    }
    if !signing_keys.is_empty() {
        builder = builder.sign_entries(signing_keys);
    }
    match (builder.build().await, no_database) {
        (Ok(orm), no_database) => Ok(Opened { orm, namespace, no_database }),
        // SQLite is opened by it.
        (Err(error), Some(failure)) if error.is_outage() => Err(failure),
        (Err(error), _) => Err(error.into()),
    }
}

async fn try_to_connect<DB: Reachable>(options: &Options<DB>) -> Result<(), Failure> {
    let connecting = async {
        let connection = DB::Connection::connect_with(options).await?;
        connection.close().await
    };
    let reason = match timeout(PATIENCE, connecting).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer in {} s", PATIENCE.as_secs()),
    };
    Err(Failure::unreachable(
        format!("cannot connect to {}: {reason}", DB::place(options)),
        "Is it up, may this machine and this user connect, and is the URL right? It is that of \
         `--database-url` or DATABASE_URL.",
    ))
}

fn database_url(cli: &Cli) -> Result<&str, Failure> {
    let url = cli.database_url.as_deref().filter(|url| !url.is_empty());
    url.ok_or_else(|| Failure::usage("no database was named", DATABASE_FORMS))
}

/// The URL of the cache, if it is one that another process can look into.
fn cache_url(cli: &Cli, cache: CacheUse) -> Result<String, Failure> {
    let url = cli.cache_url.as_deref().filter(|url| !url.is_empty());
    let Some(url) = url else {
        return match cache {
            CacheUse::Namespace => Ok("uncached://".to_owned()),
            CacheUse::Servers => Err(Failure::usage("no cache was named", CACHE_FORMS)),
        };
    };
    let refused = |message: &str| Err(Failure::usage(message, CACHE_FORMS));
    if url.contains('@') {
        return refused("the cache's URL has an `@`; memcached takes no user and no password");
    }
    match (url.split_once("://").map(|(scheme, _)| scheme), cache) {
        (Some("memcached"), CacheUse::Servers) => Ok(url.to_owned()),
        (_, CacheUse::Namespace) => Ok(format!("uncached://?namespace={}", namespace_in(url))),
        (Some("embedded"), _) => {
            refused("the embedded store is inside the program: no other process can look into it")
        }
        (Some("uncached"), _) => refused("there is nothing to look at in `uncached://`"),
        _ => refused("the cache's URL does not begin with `memcached://`"),
    }
}

/// The namespace that a cache's URL names, or none.
fn namespace_in(url: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let named = query.split('&').find_map(|pair| pair.strip_prefix("namespace="));
    named.unwrap_or_default().to_owned()
}
