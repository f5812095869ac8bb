use clap::{Parser, ValueEnum};
use std::{net::SocketAddr, num::ParseIntError, time::Duration};

/// A REST API over cities and regions, with a cache before the database.
///
/// Without options it needs no server: an SQLite file that is gone afterwards, and
/// a cache inside the process.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Options {
    /// Where it listens; port 0 is a free one.
    #[arg(long, env = "SERVICE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// `postgres://user:password@host/database`, or `sqlite://file.db`.
    // A URL may hold a password.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,

    /// memcached servers, `host:port,host:port`; without, rows are cached in the
    /// process.
    #[arg(long, env = "MEMCACHED_SERVERS", value_name = "SERVERS", value_delimiter = ',')]
    pub(crate) memcached: Vec<String>,

    /// The first part of each cache key. Databases that share a memcached must each
    /// have their own.
    #[arg(long, env = "CACHE_NAMESPACE", default_value = "places")]
    pub(crate) namespace: String,

    /// What a write does while memcached is away.
    #[arg(long, value_enum, default_value_t = WhenAway::Outbox)]
    pub(crate) when_cache_is_away: WhenAway,

    /// Seconds for which a memcached that has just started is not filled: longer than
    /// a COMMIT may take, and the same in all processes.
    #[arg(long, default_value = "15", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) hold_off: Duration,

    /// How many loads of rows may be under way in the database at once.
    #[arg(long, default_value_t = 16)]
    pub(crate) max_database_loads: u32,

    /// Starts a memcached of its own, lets the page kill and revive it, and sends
    /// itself requests. Not for production.
    #[arg(long, conflicts_with = "memcached")]
    pub(crate) demo: bool,

    /// The program that `--demo` starts.
    #[arg(long, env = "MEMCACHED_BINARY", default_value = "memcached", value_name = "PROGRAM")]
    pub(crate) memcached_binary: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhenAway {
    /// It goes through, and is noted in the outbox. Until that is drained, when
    /// memcached is back, readers may be shown the old row.
    Outbox,
    /// It is refused, with status 503. Nobody is ever shown an old row.
    Refuse,
}

fn seconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_secs)
}
