//! Which tables a trigger's code writes to, over all that it calls and names.

use super::{
    description::Describe,
    mentions::{CatalogName, Code, CodeKind},
    words::Dialect,
};
use std::collections::HashSet;

/// A table that code writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenTable {
    /// Its schema and name, as the catalog spells them.
    pub(crate) name: String,
    /// The columns by which it is the trigger's own row that is written; empty if it
    /// may be others.
    pub(crate) own_row_by: Vec<String>,
}

/// Something in the catalog whose name code has in it.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Named {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// Whether the session finds it without its schema.
    pub(crate) is_visible: bool,
    pub(crate) what: NamedObject,
}

#[derive(Debug, Clone)]
pub(crate) enum NamedObject {
    /// A table or a view.
    Relation {
        /// The view's statement, and those of rules; empty where this account may not
        /// read it.
        behind: Vec<String>,
        /// Tables that are written with it, or show its rows.
        along: Vec<String>,
    },
    Routine {
        /// `None` if this account may not read it.
        text: Option<String>,
        /// Whether it is written in a language that is made of SQL.
        is_sql: bool,
        /// Whether it has a search path of its own.
        has_own_path: bool,
    },
}

impl Named {
    fn as_name(&self) -> CatalogName<'_> {
        CatalogName { schema: &self.schema, name: &self.name, is_visible: self.is_visible }
    }
}

/// How many routines and views are read for the sake of one trigger. No program has as
/// many in one place; a schema that has is read as far as that.
const MOST_CODE: usize = 1000;

/// The tables that `code` writes to; `None` if some of the code cannot be read.
///
/// # Errors
/// The catalog's.
pub(crate) async fn written_tables<DB: Describe>(
    connection: &mut DB::Connection,
    code: Code,
) -> sqlx::Result<Option<Vec<WrittenTable>>> {
    let mut written: Vec<WrittenTable> = Vec::new();
    let mut add = |name: String, own_row_by: Vec<String>| {
        let table = WrittenTable { name, own_row_by };
        if !written.contains(&table) {
            written.push(table);
        }
    };
    let mut seen = HashSet::new();
    let mut to_read = vec![code];
    while let Some(code) = to_read.pop() {
        for named in DB::named(connection, &code).await? {
            let name = named.as_name();
            let place = format!("{}.{}", named.schema, named.name);
            let mut read = |text: &str, kind, has_own_path| {
                if seen.len() < MOST_CODE && seen.insert((text.to_owned(), kind)) {
                    let code = Code::new(text, &named.schema, kind, DB::DIALECT);
                    to_read.push(code.with_own_path(has_own_path));
                }
            };
            match &named.what {
                NamedObject::Routine { text: None, .. } if code.uses(name) => return Ok(None),
                NamedObject::Routine { text: Some(text), is_sql, has_own_path }
                    if code.uses(name) =>
                {
                    let kind = if *is_sql { CodeKind::Sql } else { CodeKind::Other };
                    read(text, kind, *has_own_path);
                }
                NamedObject::Relation { behind, .. }
                    if behind.iter().any(String::is_empty) && code.uses(name) =>
                {
                    return Ok(None);
                }
                NamedObject::Relation { behind, along } if code.uses(name) => {
                    let writes = code.writes(name);
                    let kind = if writes.is_empty() { CodeKind::Sql } else { CodeKind::Behind };
                    behind.iter().for_each(|text| read(text, kind, false));
                    if !writes.is_empty() {
                        along.iter().for_each(|table| add(table.clone(), Vec::new()));
                    }
                    writes.into_iter().for_each(|write| add(place.clone(), write.own_row_by));
                }
                NamedObject::Routine { .. } | NamedObject::Relation { .. } => {}
            }
        }
    }
    Ok(Some(written))
}

/// A trigger's body.
pub(crate) fn body(text: &str, schema: &str, dialect: Dialect) -> Code {
    Code::new(text, schema, CodeKind::Sql, dialect)
}
