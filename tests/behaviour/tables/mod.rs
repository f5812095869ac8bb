//! The tables of the tests, and the structs that mirror them.

pub(crate) mod columns;
pub(crate) mod keys;
pub(crate) mod people;

use crate::databases::Kind;

/// How each database is told of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) postgres: &'static str,
    pub(crate) mariadb: &'static str,
    pub(crate) sqlite: &'static str,
}

impl Table {
    /// One that is written alike for every database.
    pub(crate) const fn everywhere(sql: &'static str) -> Self {
        Self { postgres: sql, mariadb: sql, sqlite: sql }
    }

    pub(crate) const fn sql(&self, database: Kind) -> &'static str {
        match database {
            Kind::Postgres => self.postgres,
            Kind::MariaDb => self.mariadb,
            Kind::Sqlite => self.sqlite,
        }
    }
}
