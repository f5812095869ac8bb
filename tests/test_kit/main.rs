//! What the test kit does to an `Orm`, and shows of it: one suite, run for each
//! database, with a cache in memory and with memcached.
// Each combination is the same source with another `Here`.
#![allow(clippy::duplicate_mod)]

#[path = "../behaviour/databases.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod databases;
mod in_memory;
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
#[path = "../behaviour/tables/mod.rs"]
#[allow(dead_code, reason = "each target uses a part")]
mod tables;

macro_rules! suite {
    ($database:ident, $cache:path) => {
        type Database = sqlx::$database;
        type Here = crate::place::Place<Database, $cache>;

        mod counts;
        mod faults;
        mod lost_items;
        mod pauses;
        mod rollback;
    };
}

// What only a database server takes.
macro_rules! server_suite {
    () => {
        mod rollback_side_by_side;
    };
}

#[path = "suite"]
mod postgres_in_memory {
    suite!(Postgres, crate::in_memory::InMemory);
    server_suite!();
}

#[path = "suite"]
mod mariadb_in_memory {
    suite!(MySql, crate::in_memory::InMemory);
    server_suite!();
    mod rollback_on_mariadb;
}

#[path = "suite"]
mod sqlite_in_memory {
    suite!(Sqlite, crate::in_memory::InMemory);
    // The database has no part in it.
    mod memory_stores;
}

#[path = "suite"]
mod sqlite_memcached {
    suite!(Sqlite, crate::place::Memcached);
}

#[path = "suite"]
mod postgres_memcached {
    suite!(Postgres, crate::place::Memcached);
}
