//! What is not as a struct takes it to be: triggers, rules, cascades, names and
//! indexes, those that come while programs run among them. One suite, run for each
//! database.
//!
//! As `tests/behaviour`, whose places and servers it uses.
#![allow(clippy::duplicate_mod)]

#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/databases.rs"]
mod databases;
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

        mod behind_a_table;
        mod first_uses;
        mod generated;
        mod late_changes;
        mod names;
        mod other_deeds;
        mod other_rows;
        mod refusals;
        mod trigger_code;
        mod verification;
    };
}

#[path = "suite"]
mod postgres {
    suite!(Postgres, Embedded);
    mod elsewhere;
    mod names_on_servers;
    mod new_keys;
}

#[path = "suite"]
mod postgres_memcached {
    suite!(Postgres, Memcached);
}

#[path = "suite"]
mod mariadb {
    suite!(MySql, Embedded);
    mod accounts;
    mod names_on_servers;
    mod new_keys;
    mod new_keys_on_mariadb;
}

#[path = "suite"]
mod sqlite {
    suite!(Sqlite, Embedded);
}
