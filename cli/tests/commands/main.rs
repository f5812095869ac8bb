//! What the command-line tool prints, and how it exits: run as a program, against real
//! servers; one suite for each database.
// Each database is the same source with another `Database`.
#![allow(clippy::duplicate_mod)]

mod command_line;
mod failures;
mod place;
mod tables;
mod tls;

macro_rules! suite {
    ($database:ident) => {
        type Database = cached_orm::$database;

        mod audits;
        mod explanations;
        mod kinds;
        mod migrations;
        mod outboxes;
        mod statuses;
        mod verifications;
    };
}

#[path = "suite"]
mod postgres {
    suite!(Postgres);
}

#[path = "suite"]
mod mariadb {
    suite!(MySql);
    mod open_kinds;
}

#[path = "suite"]
mod sqlite {
    suite!(Sqlite);
}
