use crate::names::nearest;

/// A database that statements can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Postgres,
    MySql,
    Sqlite,
}

impl Database {
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::MySql, Self::Sqlite];

    /// Its name in `#[orm(database = …)]` and in the runtime.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "Postgres",
            Self::MySql => "MySql",
            Self::Sqlite => "Sqlite",
        }
    }

    /// The one that `name`, which is none of theirs, is probably meant to be.
    pub(crate) fn meant_by(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "pg" | "pgsql" | "psql" => Some(Self::Postgres),
            "maria" | "mariadb" => Some(Self::MySql),
            _ => {
                let meant = nearest(name, &Self::ALL.map(Self::name))?;
                Self::ALL.into_iter().find(|database| database.name() == meant)
            }
        }
    }

    /// The runtime's trait of the sessions on it.
    pub(crate) const fn session(self) -> &'static str {
        match self {
            Self::Postgres => "PgSession",
            Self::MySql => "MySqlSession",
            Self::Sqlite => "SqliteSession",
        }
    }

    /// The cargo feature that enables it.
    pub(crate) const fn feature(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }

    /// Whether `INSERT`, `UPDATE` and `DELETE` can return rows. MariaDB could,
    /// but the driver does not tell it from MySQL.
    pub(crate) const fn has_returning(self) -> bool {
        !matches!(self, Self::MySql)
    }

    /// Whether it takes `Email` and `email` for one column although they are
    /// quoted.
    pub(crate) const fn ignores_case(self) -> bool {
        !matches!(self, Self::Postgres)
    }
}

/// What this build of the derive was given by cargo features.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Features {
    pub(crate) postgres: bool,
    pub(crate) mysql: bool,
    pub(crate) sqlite: bool,
    pub(crate) json: bool,
}

impl Features {
    pub(crate) const OF_THIS_BUILD: Self = Self {
        postgres: cfg!(feature = "postgres"),
        mysql: cfg!(feature = "mysql"),
        sqlite: cfg!(feature = "sqlite"),
        json: cfg!(feature = "json"),
    };

    pub(crate) const fn has(self, database: Database) -> bool {
        match database {
            Database::Postgres => self.postgres,
            Database::MySql => self.mysql,
            Database::Sqlite => self.sqlite,
        }
    }
}
