//! What is cached comes back as the database gave it: a hit is what `fetch_uncached`
//! gives, or the row is not stored and the log says why. And code that panics while a
//! row is read harms nobody else.
//!
//! As `tests/behaviour`, whose places and servers it uses.
// Each combination is the same source with another `Here`.
#![allow(clippy::duplicate_mod)]

#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/databases.rs"]
mod databases;
mod log;
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
mod rows;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/tables/mod.rs"]
mod tables;

macro_rules! suite {
    ($database:ident, $cache:ident) => {
        type Database = sqlx::$database;
        type Here = crate::place::Place<Database, crate::place::$cache>;

        mod documents;
        mod every_type;
        mod lossy;
        mod panics;
    };
}

#[path = "suite"]
mod postgres_memcached {
    suite!(Postgres, Memcached);
    mod infinity;
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
}

#[path = "suite"]
mod sqlite_embedded {
    suite!(Sqlite, Embedded);
}
