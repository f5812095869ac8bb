//! Upserts, patches, versions, writes of many rows, and SQL of the caller's own:
//! one suite, run for each database with each cache.
//!
//! As `tests/behaviour`, whose places and servers it uses.
#![allow(clippy::duplicate_mod)]

#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/databases.rs"]
mod databases;
mod documents;
mod entries;
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
#[macro_use]
mod sessions;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/tables/mod.rs"]
mod tables;

macro_rules! suite {
    ($database:ident, $cache:ident) => {
        type Database = sqlx::$database;
        type Here = crate::place::Place<Database, crate::place::$cache>;

        mod deletes;
        mod histories;
        mod inserts_of_many;
        mod own_sql;
        mod patches;
        mod reference;
        mod triggers;
        mod uncached_columns;
        mod updates_of_many;
        mod upserts;
        mod versions;
    };
}

#[path = "suite"]
mod postgres_memcached {
    suite!(Postgres, Memcached);
    mod outages;
    mod tables_of_postgres;
    mod two_handles;
    mod types_of_postgres;
}

#[path = "suite"]
mod postgres_embedded {
    suite!(Postgres, Embedded);
}

#[path = "suite"]
mod mariadb_memcached {
    suite!(MySql, Memcached);
    mod outages;
    mod two_handles;
}

#[path = "suite"]
mod mariadb_embedded {
    suite!(MySql, Embedded);
}

#[path = "suite"]
mod sqlite_memcached {
    suite!(Sqlite, Memcached);
    mod outages;
    mod two_handles;
}

#[path = "suite"]
mod sqlite_embedded {
    suite!(Sqlite, Embedded);
}
