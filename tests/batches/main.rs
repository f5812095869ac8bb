//! Batches: one suite, run for each database with each cache, as that of
//! `tests/behaviour` is.
// Each combination is the same source with another `Here`.
#![allow(clippy::duplicate_mod)]

#[path = "../behaviour/databases.rs"]
mod databases;
#[allow(dead_code)]
#[path = "../indexes/members.rs"]
mod members;
#[allow(dead_code)]
#[path = "../behaviour/memcached.rs"]
mod memcached;
#[path = "../behaviour/outbox_rows.rs"]
mod outbox_rows;
#[allow(dead_code)]
#[path = "../behaviour/place.rs"]
mod place;
#[allow(dead_code)]
#[path = "../behaviour/polling.rs"]
mod polling;
#[allow(dead_code)]
#[path = "../behaviour/proxy.rs"]
mod proxy;
mod shapes;
#[allow(dead_code)]
#[path = "../behaviour/tables/mod.rs"]
mod tables;

macro_rules! suite {
    ($database:ident, $cache:ident) => {
        type Database = sqlx::$database;
        type Here = crate::place::Place<Database, crate::place::$cache>;

        mod cancelled;
        mod costs;
        mod histories;
        mod order;
        mod texts;
        mod transactions;
        mod unique_values;
        mod warming;
    };
}

// What only a server outside the process can suffer.
macro_rules! memcached_suite {
    () => {
        mod bad_entries;
        mod measure;
        mod outages;
    };
}

#[path = "suite"]
mod postgres_memcached {
    suite!(Postgres, Memcached);
    memcached_suite!();
    mod held_commits;
}

#[path = "suite"]
mod postgres_embedded {
    suite!(Postgres, Embedded);
}

#[path = "suite"]
mod mariadb_memcached {
    suite!(MySql, Memcached);
    memcached_suite!();
    mod held_commits;
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
