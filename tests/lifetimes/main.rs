//! How long rows live, where copies of them lie, and which columns never do: one
//! suite, run for each database with each cache.
// Each combination is the same source with another `Here`.
#![allow(clippy::duplicate_mod)]

#[path = "../behaviour/databases.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod databases;
#[path = "../behaviour/memcached.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod memcached;
#[path = "../behaviour/outbox_rows.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod outbox_rows;
#[path = "../behaviour/place.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod place;
#[path = "../behaviour/polling.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod polling;
#[path = "../behaviour/proxy.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod proxy;
mod rows;
#[path = "../behaviour/tables/mod.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod tables;

macro_rules! suite {
    ($database:ident, $cache:ident) => {
        type Database = sqlx::$database;
        type Here = crate::place::Place<Database, crate::place::$cache>;

        mod early;
        mod indexed;
        mod near;
        mod own_types;
        mod shapes;
        mod stale;
        mod uncached;
    };
}

// What needs a server that other programs can look into.
macro_rules! memcached_suite {
    () => {
        mod early_others;
        mod near_others;
        mod secrets;
    };
}

#[path = "suite"]
mod postgres_memcached {
    suite!(Postgres, Memcached);
    mod outage;
    memcached_suite!();
}

#[path = "suite"]
mod postgres_embedded {
    suite!(Postgres, Embedded);
    mod outage;
}

#[path = "suite"]
mod mariadb_memcached {
    suite!(MySql, Memcached);
    mod outage;
    memcached_suite!();
}

#[path = "suite"]
mod mariadb_embedded {
    suite!(MySql, Embedded);
    mod outage;
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
