use crate::{
    Backend, Error, KeyKind, Operation, Result,
    coherence::is_over,
    sql::{ColumnFound, TableFound},
};
use std::time::Duration;

/// A table that is known by its name, and not by a struct: for tools.
///
/// What it leaves out is taken from the database's catalog.
///
/// ```
/// use cached_orm::{KeyKind, NamedTable};
///
/// let regions = NamedTable::new("regions").key("country", None).key("code", Some(KeyKind::Text));
/// assert_eq!(regions.name(), "regions");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTable {
    name: String,
    cache_name: Option<String>,
    key: Vec<(String, Option<KeyKind>)>,
    indexes: Vec<Vec<(String, Option<KeyKind>)>>,
    /// The columns of those that are unique.
    uniques: Vec<Vec<String>>,
    fields: Vec<String>,
    except: Vec<String>,
    stale_for: Duration,
}

impl NamedTable {
    /// The table of this name, which may have a schema's before it: `shop.users`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            cache_name: None,
            key: Vec::new(),
            indexes: Vec::new(),
            uniques: Vec::new(),
            fields: Vec::new(),
            except: Vec::new(),
            stale_for: Duration::ZERO,
        }
    }

    /// The struct's `cache_name`. Default: the table's name.
    #[must_use]
    pub fn cache_name(mut self, name: impl Into<String>) -> Self {
        self.cache_name = Some(name.into());
        self
    }

    /// Adds a column of the primary key, in the order of the struct's fields; without
    /// a kind, the column's type says of which it is. Default: the primary key of the
    /// catalog, in its order.
    #[must_use]
    pub fn key(mut self, column: impl Into<String>, kind: Option<KeyKind>) -> Self {
        self.key.push((column.into(), kind));
        self
    }

    /// Adds an index that the struct has (`#[orm(unique)]`, `#[orm(index)]`): its
    /// columns in order, as the struct names them, and with a kind where the column's
    /// type leaves it open. Triggers note the values that rows get in them.
    #[must_use]
    pub fn index<C: Into<String>>(
        mut self,
        columns: impl IntoIterator<Item = (C, Option<KeyKind>)>,
    ) -> Self {
        let columns = columns.into_iter().map(|(column, kind)| (column.into(), kind));
        self.indexes.push(columns.collect());
        self
    }

    /// Adds an index that the struct calls unique, as [`index`](Self::index) does:
    /// [`verify_table`](crate::Orm::verify_table) looks whether the database does too.
    #[must_use]
    pub fn unique<C: Into<String>>(
        mut self,
        columns: impl IntoIterator<Item = (C, Option<KeyKind>)>,
    ) -> Self {
        self = self.index(columns);
        let columns = self.indexes.last().into_iter().flatten();
        self.uniques.push(columns.map(|(column, _)| column.clone()).collect());
        self
    }

    /// The names of the struct's fields as serde writes them, in order. Without names
    /// in an entry, this is what its values are told apart by. Default: the table's
    /// columns.
    #[must_use]
    pub fn fields<F: Into<String>>(mut self, fields: impl IntoIterator<Item = F>) -> Self {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Columns that are not compared, since the struct writes them in a form of its
    /// own.
    #[must_use]
    pub fn except<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.except = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The struct's `stale_if_error`: for how long rows lie in the cache after their
    /// time is over, as it is [cut](crate::CachePolicy::stale_if_error) if it and the
    /// TTL are more than 30 days together. Default: not at all.
    #[must_use]
    pub fn stale_if_error(mut self, time: Duration) -> Self {
        self.stale_for = time;
        self
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns of the primary key, as far as they were named.
    pub(crate) fn key_columns(&self) -> Vec<String> {
        self.key.iter().map(|(column, _)| column.clone()).collect()
    }

    /// The columns of each index, and whether it is unique.
    pub(crate) fn index_columns(&self) -> Vec<(Vec<String>, bool)> {
        let columns = |index: &Vec<(String, Option<KeyKind>)>| {
            let columns: Vec<_> = index.iter().map(|(column, _)| column.clone()).collect();
            let is_unique = self.uniques.contains(&columns);
            (columns, is_unique)
        };
        self.indexes.iter().map(columns).collect()
    }

    pub(crate) fn cache_name_or_table(&self) -> &str {
        self.cache_name.as_deref().unwrap_or(&self.name)
    }

    /// The names that the fields of an entry may have, in order.
    pub(crate) fn field_names<'n>(&'n self, found: &'n TableFound) -> Vec<&'n str> {
        if self.fields.is_empty() {
            found.columns.iter().map(|column| column.name.as_str()).collect()
        } else {
            self.fields.iter().map(String::as_str).collect()
        }
    }

    pub(crate) fn is_left_out(&self, column: &str) -> bool {
        self.except.iter().any(|other| other == column)
    }

    /// Whether an entry that lives for so long is one that answers no read.
    pub(crate) fn is_over(&self, ttl: Option<Duration>) -> bool {
        is_over(ttl, (!self.stale_for.is_zero()).then_some(self.stale_for))
    }

    /// What the catalog says of it.
    pub(crate) async fn find<DB: Backend>(
        &self,
        connection: &mut DB::Connection,
        operation: Operation,
    ) -> Result<Known> {
        let found = DB::find_table(connection, &self.name).await;
        let found = found.map_err(Error::database(operation))?;
        let refused = |reason: String| Error::Configuration(format!("{operation}: {reason}"));
        let table = found.ok_or_else(|| {
            refused(format!("there is no table `{}` that this user can see", self.name))
        })?;
        let wanted = if self.key.is_empty() { table.primary_key() } else { self.key.clone() };
        if wanted.is_empty() {
            return Err(refused(format!(
                "the table `{}` has no primary key; name the struct's key columns",
                self.name
            )));
        }
        let part = |(name, kind): &(String, Option<KeyKind>)| {
            let column = table.column(name).ok_or_else(|| {
                let columns: Vec<_> = table.columns.iter().map(|it| it.name.as_str()).collect();
                refused(format!(
                    "`{}` has no column `{name}`; it has {}",
                    self.name,
                    columns.join(", ")
                ))
            })?;
            let kind = kind_of::<DB>(column, *kind).map_err(refused)?;
            Ok((name.clone(), kind))
        };
        let parts = |columns: &Vec<_>| columns.iter().map(part).collect::<Result<Vec<_>>>();
        let key = parts(&wanted)?;
        let indexes = self.indexes.iter().map(parts).collect::<Result<_>>()?;
        Ok(Known { key, indexes, table })
    }
}

/// What a key's column is made of: as it was said, or as its type says.
fn kind_of<DB: Backend>(column: &ColumnFound, said: Option<KeyKind>) -> Result<KeyKind, String> {
    let ColumnFound { name, type_name, kinds, .. } = column;
    match (said, kinds) {
        (Some(kind), _) if DB::key_text(kind, type_name, &DB::quote(name)).is_some() => Ok(kind),
        (Some(kind), _) => Err(format!(
            "no SQL is known that writes the column `{name}` of the type `{type_name}` as \
             `KeyKind::{kind:?}` is written"
        )),
        (None, [kind]) => Ok(*kind),
        (None, []) => Err(format!(
            "what a column `{name}` of the type `{type_name}` is in the struct is not known; \
             say its kind"
        )),
        (None, kinds) => {
            let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{kind:?}`")).collect();
            Err(format!(
                "a column `{name}` of the type `{type_name}` can be {} in the struct; \
                 say which",
                kinds.join(" or ")
            ))
        }
    }
}

/// A table of which all is known that can be known without its struct.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) table: TableFound,
    key: Vec<(String, KeyKind)>,
    indexes: Vec<Vec<(String, KeyKind)>>,
}

impl Known {
    pub(crate) fn key(&self) -> &[(String, KeyKind)] {
        &self.key
    }

    pub(crate) fn indexes(&self) -> &[Vec<(String, KeyKind)>] {
        &self.indexes
    }
}
