//! The statements, spelt for one database.

use crate::{
    database::Database,
    model::{Column, Kind, Model},
};

pub(crate) struct Sql<'m> {
    database: Database,
    model: &'m Model,
}

impl<'m> Sql<'m> {
    pub(crate) fn new(database: Database, model: &'m Model) -> Self {
        Self { database, model }
    }

    pub(crate) fn select(&self) -> String {
        format!("SELECT {} FROM {}", self.all_columns(), self.table())
    }

    pub(crate) fn select_by_key(&self) -> String {
        format!("{} WHERE {}", self.select(), self.equal(self.model.keys(), 1, " AND "))
    }

    /// SQLite locks the whole database, and has no statement that locks a row.
    /// PostgreSQL has a lock for rows whose key stays, beside which others may insert
    /// rows that refer to them.
    pub(crate) fn lock_by_key(&self) -> Option<String> {
        let lock = match self.database {
            Database::Sqlite => return None,
            Database::Postgres => "FOR NO KEY UPDATE",
            Database::MySql => "FOR UPDATE",
        };
        Some(format!("{} {lock}", self.select_by_key()))
    }

    /// Parameters: the written columns, the version, the given parts of the key.
    pub(crate) fn insert(&self) -> String {
        let columns = self.model.written().chain(self.model.version());
        let columns: Vec<_> = columns.chain(self.model.given_keys()).collect();
        let names: Vec<_> = columns.iter().map(|column| self.quote(&column.name)).collect();
        let values: Vec<_> = (1..=columns.len()).map(|n| self.placeholder(n)).collect();
        let source = match self.database {
            Database::Postgres | Database::Sqlite if columns.is_empty() => {
                "DEFAULT VALUES".to_owned()
            }
            _ => format!("({}) VALUES ({})", names.join(", "), values.join(", ")),
        };
        self.returning(format!("INSERT INTO {} {source}", self.table()))
    }

    /// For a database that does not return the row it inserted, although it
    /// made a part of its key. Parameters: the given parts of the key.
    pub(crate) fn select_inserted(&self) -> Option<String> {
        if self.database.has_returning() || !self.model.has_generated_key() {
            return None;
        }
        let mut n = 0;
        let conditions = self.model.keys().map(|key| {
            let name = self.quote(&key.name);
            if key.kind == Kind::GeneratedKey {
                return format!("{name} = LAST_INSERT_ID()");
            }
            n += 1;
            format!("{name} = {}", self.placeholder(n))
        });
        let conditions: Vec<_> = conditions.collect();
        Some(format!("{} WHERE {} FOR UPDATE", self.select(), conditions.join(" AND ")))
    }

    pub(crate) fn delete(&self) -> String {
        let condition = self.equal(self.model.keys(), 1, " AND ");
        self.returning(format!("DELETE FROM {} WHERE {condition}", self.table()))
    }

    fn returning(&self, statement: String) -> String {
        if self.database.has_returning() {
            format!("{statement} RETURNING {}{}", self.all_columns(), self.transaction())
        } else {
            statement
        }
    }

    /// The column that tells, should COMMIT's answer be lost, which transaction
    /// to ask after.
    fn transaction(&self) -> &'static str {
        match self.database {
            Database::Postgres => ", txid_current() AS \"cached_orm_transaction\"",
            Database::MySql | Database::Sqlite => "",
        }
    }

    fn table(&self) -> String {
        let parts: Vec<_> = self.model.table.iter().map(|part| self.quote(part)).collect();
        parts.join(".")
    }

    fn all_columns(&self) -> String {
        let names: Vec<_> =
            self.model.columns.iter().map(|column| self.quote(&column.name)).collect();
        names.join(", ")
    }

    /// `"a" = $1, "b" = $2`, with parameters from `first` on.
    fn equal<'c>(
        &self,
        columns: impl Iterator<Item = &'c Column>,
        first: usize,
        separator: &str,
    ) -> String {
        let terms: Vec<_> = columns
            .enumerate()
            .map(|(i, column)| {
                format!("{} = {}", self.quote(&column.name), self.placeholder(first + i))
            })
            .collect();
        terms.join(separator)
    }

    fn quote(&self, name: &str) -> String {
        match self.database {
            Database::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
            // To SQLite a name in double quotes is a string where it is no column's.
            Database::MySql | Database::Sqlite => format!("`{}`", name.replace('`', "``")),
        }
    }

    fn placeholder(&self, n: usize) -> String {
        match self.database {
            Database::Postgres | Database::Sqlite => format!("${n}"),
            Database::MySql => "?".to_owned(),
        }
    }
}
