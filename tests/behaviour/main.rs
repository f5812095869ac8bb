//! What users may rely on: one suite, run for each database with each cache.
//!
//! The files in `suite/` are compiled once for every combination. There `Here` is
//! the place of a test: a database and a namespace of its own, so that tests run
//! side by side. `tests/run` starts the servers.
// Each combination is the same source with another `Here`.
#![allow(clippy::duplicate_mod)]

mod cache_proxy;
mod configuration;
mod databases;
mod logs;
mod memcached;
mod outbox_rows;
mod place;
mod polling;
mod proxy;
mod secrets;
mod tables;
mod tls;

macro_rules! suite {
    ($database:ident, $cache:ident) => {
        type Database = sqlx::$database;
        type Here = crate::place::Place<Database, crate::place::$cache>;

        mod absent_rows;
        mod by_field;
        mod cached_instances;
        mod cancelled_commits;
        mod cancelled_reads;
        mod cancelled_writes;
        mod collations;
        mod columns;
        mod composite_keys;
        mod concurrent;
        mod deletes;
        mod failed_statements;
        mod futures;
        mod inserts;
        mod isolation;
        mod keys_in_sql;
        mod large_rows;
        mod lost_transactions;
        mod mixed_transactions;
        mod outbox_always;
        mod own_transactions;
        mod reads;
        mod refreshes;
        mod savepoints;
        mod string_keys;
        mod transactions;
        mod trigger_latency;
        mod triggers;
        mod typed_keys;
        mod updates;
        mod writes_by_others;
    };
}

// What only a server outside the process can suffer.
macro_rules! memcached_suite {
    () => {
        mod bad_days;
        mod bad_entries;
        mod bounded_loads;
        mod cache_costs;
        mod outbox;
        mod outbox_drainers;
        mod own_transactions_without_cache;
        mod server_lists;
        mod signed_entries;
        mod slow_cache;
        mod two_handles;
        mod two_servers;
    };
}

// What only a database server can suffer.
macro_rules! server_suite {
    () => {
        mod held_commits;
        mod statement_costs;
        mod unknown_commits;
    };
}

#[path = "suite"]
mod postgres_memcached {
    suite!(Postgres, Memcached);
    memcached_suite!();
    server_suite!();
    mod deferred_constraints;
    mod postgres;
    mod triggers_on_postgres;
}

#[path = "suite"]
mod postgres_embedded {
    suite!(Postgres, Embedded);
    mod deferred_constraints;
    mod postgres;
    mod triggers_on_postgres;
}

#[path = "suite"]
mod mariadb_memcached {
    suite!(MySql, Memcached);
    memcached_suite!();
    server_suite!();
    mod triggers_on_mariadb;
}

#[path = "suite"]
mod mariadb_embedded {
    suite!(MySql, Embedded);
    mod triggers_on_mariadb;
}

#[path = "suite"]
mod sqlite_memcached {
    suite!(Sqlite, Memcached);
    memcached_suite!();
    mod busy_commits;
    mod deferred_constraints;
    mod triggers_on_sqlite;
    // The database has no part in them.
    mod warm_restarts;
}

#[path = "suite"]
mod sqlite_embedded {
    suite!(Sqlite, Embedded);
    mod deferred_constraints;
    mod triggers_on_sqlite;
}
