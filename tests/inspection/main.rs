//! What operators are told: `status`, `explain` and `audit`; one suite, run for each
//! database with each cache.
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

        mod audits;
        mod beside_writers;
        mod explanations;
        mod statuses;
    };
}

#[path = "suite"]
mod postgres_memcached {
    suite!(Postgres, Memcached);
    mod servers;
}

#[path = "suite"]
mod postgres_embedded {
    suite!(Postgres, Embedded);
}

#[path = "suite"]
mod mariadb_memcached {
    suite!(MySql, Memcached);
}

#[path = "suite"]
mod mariadb_embedded {
    suite!(MySql, Embedded);
}

#[path = "suite"]
mod sqlite_memcached {
    suite!(Sqlite, Memcached);
    mod servers;
}

#[path = "suite"]
mod sqlite_embedded {
    suite!(Sqlite, Embedded);
}
