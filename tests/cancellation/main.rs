//! Futures that are dropped: of every public method, at every await, on every
//! database; and whether a connection, a transaction or the cache is left in a state
//! that it should not be in.
//!
//! The sweep drops each method of the tables in `suite/methods.rs` after its first,
//! second, third … poll, until it completes. The mix lets several tasks run into
//! timeouts on a few rows and a small pool. `tests/run` runs the short form, and
//! `CANCELLATION_SECONDS=1800` the long one: that long for each database.
// Each database is the same source with another `Database`.
#![allow(clippy::duplicate_mod)]

mod cut;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/databases.rs"]
mod databases;
mod every_method;
mod in_memory;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/memcached.rs"]
mod memcached;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/polling.rs"]
mod polling;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/proxy.rs"]
mod proxy;
mod sessions;
mod stage;
mod tables;

macro_rules! suite {
    ($database:ident) => {
        type Database = sqlx::$database;
        type Stage = crate::stage::Stage<Database>;

        mod caller_owned;
        mod ends;
        mod methods;
        mod mix;
        mod on_an_orm;
        mod own_statements;
        mod round;
        mod savepoints;
        mod transactions;

        /// The names of all that is swept by a table.
        #[allow(dead_code, reason = "they are the same on each database")]
        pub(crate) fn swept() -> impl Iterator<Item = &'static str> {
            let everywhere = methods::METHODS.iter().map(|method| method.name);
            everywhere.chain(methods::ORM_METHODS.iter().map(|method| method.name))
        }
    };
}

#[path = "suite"]
mod postgres {
    suite!(Postgres);
}

#[path = "suite"]
mod mariadb {
    suite!(MySql);
}

#[path = "suite"]
mod sqlite {
    suite!(Sqlite);
}
