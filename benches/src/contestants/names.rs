//! How contestants are called, and what they are.

/// A name as it stands in tables, and a sentence.
pub(super) type Name = (&'static str, &'static str);

pub(super) const MEMCACHED: Name =
    ("cached-orm, memcached", "`Orm<Postgres>` with memcached, as it comes.");
pub(super) const NEAR: Name = (
    "cached-orm, near",
    "`Orm<Postgres>` with memcached, and `near_ttl`: copies inside the process.",
);
pub(super) const EMBEDDED: Name =
    ("cached-orm, embedded", "`Orm<Postgres>` with the store inside the process.");
pub(super) const UNCACHED: Name =
    ("cached-orm, uncached", "`Orm<Postgres>` without a cache: what it adds to plain sqlx.");
pub(super) const NOTHING: Name = (
    "nothing",
    "Copies of the expected rows: what choosing, timing and checking cost, for all alike.",
);
pub(super) const LANES: Name =
    ("bare lanes", "The connections to memcached under cached-orm, and bytes instead of rows.");
pub(super) const PIPELINED: Name = (
    "raw pipelined socket",
    "Two sockets by hand that all tasks share, and bytes instead of rows: a floor.",
);
pub(super) const PING_PONG: Name =
    ("raw ping-pong socket", "A socket by hand for each task, and bytes instead of rows: a floor.");
pub(super) const RAW_BATCH: Name =
    ("raw batch", "All gets in one write to a socket by hand, and bytes instead of rows: a floor.");
pub(super) const BY_HAND: Name = (
    "memcache by hand",
    "get, else SELECT and set; after UPDATE and COMMIT delete: with the `memcache` crate's \
     `AsyncMetaClient` (32 connections), rmp-serde and sqlx.",
);
pub(super) const CLASSIC: Name = (
    "memcache by hand, blocking",
    "The same with the `memcache` crate's blocking `Client` in `spawn_blocking` (32 connections, \
     and no ping before each use).",
);
pub(super) const MOKA: Name =
    ("moka by hand", "`moka::sync::Cache` before sqlx; the row is cloned out of it.");
pub(super) const HYDRA: Name =
    ("hydracache", "The local cache of `hydracache`, `get_or_load` before sqlx.");
pub(super) const POSTGRES: Name =
    ("sqlx, PostgreSQL", "sqlx on PostgreSQL, a pool of 32, no cache.");
pub(super) const MARIADB: Name = ("sqlx, MariaDB", "sqlx on MariaDB, a pool of 32, no cache.");
pub(super) const SQLITE: Name = ("sqlx, SQLite", "sqlx on an SQLite file, a pool of 8, no cache.");
pub(super) const TRANSACTION: Name = (
    "transaction by hand",
    "BEGIN, UPDATE … RETURNING and COMMIT by sqlx on PostgreSQL, and no cache.",
);
pub(super) const TRANSACTION_AND_DELETE: Name =
    ("transaction by hand, and delete", "The same, and then a delete to memcached.");
