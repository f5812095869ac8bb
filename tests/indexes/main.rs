//! Reads by secondary indexes: one suite, run for each database with each cache.
//!
//! As `tests/behaviour`, whose places and servers it uses.
#![allow(clippy::duplicate_mod)]

#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/databases.rs"]
mod databases;
mod members;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/memcached.rs"]
mod memcached;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/outbox_rows.rs"]
mod outbox_rows;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/place.rs"]
mod place;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/polling.rs"]
mod polling;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/proxy.rs"]
mod proxy;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/tables/mod.rs"]
mod tables;

macro_rules! suite {
    ($database:ident, $cache:ident) => {
        type Database = sqlx::$database;
        type Here = crate::place::Place<Database, crate::place::$cache>;

        mod absent_values;
        mod by_field;
        mod collations;
        mod histories;
        mod keys_in_sql;
        mod lists;
        mod other_structs;
        mod triggers;
        mod unique_values;
    };
}

// What only a server outside the process can suffer.
macro_rules! memcached_suite {
    () => {
        mod bad_entries;
        mod large_lists;
        mod outages;
        mod two_handles;
    };
}

#[path = "suite"]
mod postgres_memcached {
    suite!(Postgres, Memcached);
    memcached_suite!();
}

#[path = "suite"]
mod postgres_embedded {
    suite!(Postgres, Embedded);
}

#[path = "suite"]
mod mariadb_memcached {
    suite!(MySql, Memcached);
    memcached_suite!();
}

#[path = "suite"]
mod mariadb_embedded {
    suite!(MySql, Embedded);
}

#[path = "suite"]
mod sqlite_memcached {
    suite!(Sqlite, Memcached);
    memcached_suite!();
}

#[path = "suite"]
mod sqlite_embedded {
    suite!(Sqlite, Embedded);
}
