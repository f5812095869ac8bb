//! What a trigger writes to, if its code is plain.
//!
//! What code does cannot be told by looking in it for what it must not do: there are too
//! many ways to reach other code (calls, operators, casts, SQL that is put together at run
//! time), and each dialect has its own. So it is read the other way round: a few forms of
//! statement are known, over expressions of known words and functions. Code that has
//! anything else in it is not plain, and may change any row. A needless refusal has a cure,
//! and a stale row has none.

mod expression;
mod own_row;
mod statements;
mod vocabulary;
mod writes;

pub(super) use vocabulary::own_functions;

use super::{
    description::{Change, Deeds, WrittenTable, meet},
    words::{Dialect, Word},
};
use expression::Expression;

/// A statement of plain code that writes to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlainWrite {
    /// The table's, if the code names it.
    pub(super) schema: Option<String>,
    pub(super) table: String,
    pub(super) change: Change,
    /// The columns to which an UPDATE gives values.
    pub(super) sets: Vec<String>,
    /// The columns that its condition compares with the same column of the trigger's own
    /// row; empty if it may meet other rows.
    pub(super) own_row_by: Vec<String>,
}

/// What plain code does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PlainCode {
    pub(super) writes: Vec<PlainWrite>,
    /// The columns that it changes in the row that is about to be written.
    pub(super) assigns: Vec<String>,
    /// What is read as `table.column`, and which PostgreSQL calls as a function if there is
    /// no such column.
    pub(super) columns: Vec<String>,
}

impl PlainCode {
    /// Reads a trigger's body; `None` if it is not plain.
    pub(super) fn read(body: &[Word], dialect: Dialect) -> Option<Self> {
        let mut reader = Reader::new(body, dialect);
        reader.body()?;
        reader.rest.is_empty().then_some(())?;
        let mut code = reader.code;
        // What it gives another value to is no longer its own row's.
        for write in &mut code.writes {
            write.own_row_by.retain(|column| !meet(&[column], &code.assigns));
        }
        Some(code)
    }

    /// What it does, if names without a schema are of this one.
    pub(super) fn in_schema(self, schema: &str) -> Deeds {
        let written = |write: PlainWrite| WrittenTable {
            name: format!("{}.{}", write.schema.as_deref().unwrap_or(schema), write.table),
            change: write.change,
            sets: write.sets,
            own_row_by: write.own_row_by,
        };
        Deeds { writes: self.writes.into_iter().map(written).collect(), assigns: self.assigns }
    }
}

/// Whether a trigger's condition only computes.
pub(super) fn is_plain(words: &[Word], dialect: Dialect) -> bool {
    Expression { words, dialect, tables: &[] }.is_plain()
}

struct Reader<'w> {
    rest: &'w [Word],
    dialect: Dialect,
    /// What the last expression ended with.
    end: Option<&'w Word>,
    /// The names of the table that the statement writes to.
    tables: Vec<String>,
    code: PlainCode,
}

impl<'w> Reader<'w> {
    fn new(rest: &'w [Word], dialect: Dialect) -> Self {
        Self { rest, dialect, end: None, tables: Vec::new(), code: PlainCode::default() }
    }

    /// A name. PostgreSQL cuts off what is longer, and then it is another one; of which
    /// letters another case exists beyond ASCII is a matter of locales.
    fn name(&mut self) -> Option<String> {
        const LONGEST: usize = 60;
        let (first, rest) = self.rest.split_first()?;
        let name = first.name().filter(|name| name.len() <= LONGEST && name.is_ascii())?;
        self.rest = rest;
        Some(name.to_owned())
    }

    /// Takes a plain expression, or a list of them, and the word of `ends` that follows.
    fn expression(&mut self, ends: &[&str]) -> Option<&'w [Word]> {
        let words = self.rest;
        let end = nested(words).position(|(depth, word)| depth == 0 && word.is_any(ends));
        let end = match end {
            Some(end) => end,
            None if self.may_stay_open() && ends.contains(&";") => words.len(),
            None => return None,
        };
        let (expression, rest) = words.split_at_checked(end)?;
        self.end = rest.first();
        self.rest = rest.get(1..).unwrap_or_default();
        let read = Expression { words: expression, dialect: self.dialect, tables: &self.tables };
        (!expression.is_empty() && read.is_plain()).then_some(())?;
        if self.dialect == Dialect::Postgres {
            let columns: Vec<_> = read.columns_of_tables().map(str::to_owned).collect();
            self.code.columns.extend(columns);
        }
        Some(expression)
    }

    fn ended_with(&self, word: &str) -> bool {
        self.end.is_some_and(|end| end.is(word))
    }

    /// The semicolon, which the last statement of a body need not have on MySQL.
    fn statement_end(&mut self) -> Option<()> {
        (self.takes(";") || self.may_stay_open() && self.rest.is_empty()).then_some(())
    }

    fn may_stay_open(&self) -> bool {
        self.dialect == Dialect::MySql
    }

    fn next_is(&self, words: &[&str]) -> bool {
        self.rest.first().is_some_and(|next| next.is_any(words))
    }

    fn take(&mut self, word: &str) -> Option<()> {
        self.takes(word).then_some(())
    }

    fn take_all(&mut self, words: &[&str]) -> Option<()> {
        words.iter().try_for_each(|word| self.take(word))
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.next_is(&[word]);
        if is_next {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        is_next
    }
}

/// The words, each with how deep it stands in parentheses and in CASE.
fn nested(words: &[Word]) -> impl Iterator<Item = (i32, &Word)> {
    let (mut depth, mut is_column) = (0, false);
    words.iter().map(move |word| {
        if !is_column && word.is_any(&[")", "]", "end"]) {
            depth -= 1;
        }
        let at = depth;
        if !is_column && word.is_any(&["(", "[", "case"]) {
            depth += 1;
        }
        is_column = word.is(".");
        (at, word)
    })
}

#[cfg(test)]
mod tests;
