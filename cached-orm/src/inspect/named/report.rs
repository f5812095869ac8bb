use super::super::{Audit, Lines};
use serde::Serialize;
use std::fmt;

/// Which rows an [audit](Orm::audit_table) is of.
///
/// ```
/// use cached_orm::RowKeys;
///
/// let some = RowKeys::Sample(1_000);
/// let these = RowKeys::These(vec![vec!["AD".into(), "06".into()]]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowKeys {
    /// So many rows of the database, taken by chance. It reads all keys of the table.
    Sample(u32),
    /// Those with these primary keys, of which the parts are written as in
    /// [`Orm::row_key`]. There need not be such rows.
    These(Vec<Vec<String>>),
}

/// What an [audit of a table by its name](Orm::audit_table) has found. It prints as a
/// table, and serializes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TableAudit {
    /// What an audit with the struct counts too. An entry agrees if nothing that could
    /// be compared differs.
    #[serde(flatten)]
    pub audit: Audit,
    /// Keys that there are to ask for.
    pub keys: u64,
    /// Entries of rows of which only that they are there was compared: their fields
    /// could not be told apart.
    pub only_presence: u64,
    /// Columns whose values were compared.
    pub columns: Vec<String>,
    /// Columns of which nothing can be said: the entries have no such field, their
    /// values have another form, or no entry's value was the database's, so that it
    /// may be one.
    pub columns_not_compared: Vec<String>,
}

impl fmt::Display for TableAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.audit.fmt(f)?;
        let mut lines = Lines(f);
        let or_none = |names: &[String]| {
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        lines.line("compared", or_none(&self.columns))?;
        lines.line("not compared", or_none(&self.columns_not_compared))?;
        if self.only_presence > 0 {
            lines.line("presence only", self.only_presence)?;
        }
        Ok(())
    }
}
