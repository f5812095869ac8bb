//! Triggers and outbox where many processes start, run and idle beside each other: one
//! suite, run for each database. The cache has little part in it, so the embedded store
//! does.
//!
//! As `tests/behaviour`, whose places and servers it uses.
#![allow(clippy::duplicate_mod)]

mod catalog;
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
    ($database:ident) => {
        type Database = sqlx::$database;
        type Here = crate::place::Place<Database, crate::place::Embedded>;

        mod backlogs;
        mod odd_keys;
        mod starts;
        mod uninstalled;
    };
}

#[path = "suite"]
mod postgres {
    suite!(Postgres);
    mod idle;
    mod listeners;
    mod partitions;
}

#[path = "suite"]
mod mysql {
    suite!(MySql);
    mod idle;
}

#[path = "suite"]
mod sqlite {
    suite!(Sqlite);
}
