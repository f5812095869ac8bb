//! What a struct says of its table.

use crate::{Backend, ColumnCheck, NamedTable, Persist};

/// What a struct says of its table, or what somebody says of it who has no struct.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) entity: String,
    pub(crate) table: String,
    pub(crate) key: Vec<String>,
    /// The columns to which an insert gives values, as far as they are known.
    pub(crate) written: Vec<String>,
    pub(crate) indexes: Vec<ShapeIndex>,
    pub(crate) accepts: &'static [Accepted],
}

/// `#[orm(unique)]` or `#[orm(index)]`.
#[derive(Debug, Clone)]
pub(crate) struct ShapeIndex {
    pub(crate) columns: Vec<String>,
    pub(crate) is_unique: bool,
}

/// What a struct's table may be like, although the cache is then not told of every
/// change: `#[orm(accepts(…))]`.
///
/// ```
/// use cached_orm::{Accepted, Entity, MemcachedOrm};
/// # use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, MemcachedOrm)]
/// #[orm(table = "events", accepts(partitions), database = Postgres)]
/// struct Event {
///     #[primary_key]
///     id: i64,
///     text: String,
/// }
///
/// assert_eq!(Event::ACCEPTS, [Accepted::Partitions]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accepted {
    /// A view, a foreign table or a virtual one: what changes the tables behind it is
    /// not seen, and its rows are old until their TTL.
    Views,
    /// Partitions, or tables that inherit: to attach, detach, drop or truncate one with
    /// rows in it is not seen. The program tells the cache, or flushes it.
    Partitions,
    /// Row-level security: whoever shares the namespace is shown what the pool's role
    /// may see.
    RowSecurity,
    /// Rules: what they do to other rows is not seen.
    Rules,
    /// Triggers and foreign keys that change rows of other structs, or other rows of
    /// this one, in a write: the program tells the cache of them.
    OtherRows,
}

impl Accepted {
    /// As it is written in the attribute.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Views => "views",
            Self::Partitions => "partitions",
            Self::RowSecurity => "row_security",
            Self::Rules => "rules",
            Self::OtherRows => "other_rows",
        }
    }
}

impl Shape {
    pub(crate) fn of<DB: Backend, T: Persist<DB>>() -> Self {
        let index = |index: &crate::Index<T>| ShapeIndex {
            columns: index.columns().iter().map(|column| column.name().to_owned()).collect(),
            is_unique: index.is_unique(),
        };
        Self {
            entity: T::NAME.to_owned(),
            table: T::TABLE.name().to_owned(),
            key: T::TABLE.key_columns().iter().map(|column| (*column).to_owned()).collect(),
            written: written::<DB, T>(),
            indexes: T::INDEXES.iter().map(index).collect(),
            accepts: T::ACCEPTS,
        }
    }

    /// A table that no struct describes. `key` are the columns of its catalog, if they
    /// are not said.
    pub(crate) fn named(table: &NamedTable) -> Self {
        let index = |(columns, is_unique)| ShapeIndex { columns, is_unique };
        Self {
            entity: table.name().to_owned(),
            table: table.name().to_owned(),
            key: table.key_columns(),
            written: Vec::new(),
            indexes: table.index_columns().into_iter().map(index).collect(),
            accepts: &[],
        }
    }

    pub(crate) fn accepts(&self, accepted: Accepted) -> bool {
        self.accepts.contains(&accepted)
    }
}

/// Those of the struct's columns that stand in its INSERT.
fn written<DB: Backend, T: Persist<DB>>() -> Vec<String> {
    let mut names = ColumnCheck::<DB>::names();
    T::check_columns(&mut names);
    let head = T::INSERT.split_once(") VALUES").map_or("", |(head, _)| head);
    let listed = format!("{head},");
    let is_listed = |name: &str| {
        let name = DB::quote(name);
        ["(", ", "].iter().any(|before| listed.contains(&format!("{before}{name},")))
    };
    let names = names.found().iter().map(|column| column.name);
    names.filter(|name| is_listed(name)).map(str::to_owned).collect()
}
