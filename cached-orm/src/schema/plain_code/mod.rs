//! What a trigger writes to, if its code is plain.
//!
//! What code does cannot be told by looking in it for what it must not do: there are too
//! many ways to reach other code (calls, operators, casts, SQL that is put together at run
//! time), and each dialect has its own. So it is read the other way round: a few forms of
//! statement are known, over expressions of known words and functions. Code that has
//! anything else in it is not plain, and may change any row. A needless refusal has a cure,
//! and a stale row has none.

mod expression;

pub(super) use expression::is_plain;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) use expression::own_functions;

use super::{
    description::{Change, Deeds, WrittenTable, meet},
    words::{Dialect, Word},
};

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
    /// row, where it does nothing else; empty if it may meet other rows.
    pub(super) own_row_by: Vec<String>,
}

/// What plain code does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PlainCode {
    pub(super) writes: Vec<PlainWrite>,
    /// The columns that it changes in the row that is about to be written.
    pub(super) assigns: Vec<String>,
}

impl PlainCode {
    /// Reads a trigger's body; `None` if it is not plain.
    pub(super) fn read(body: &[Word], dialect: Dialect) -> Option<Self> {
        let mut reader = Reader { rest: body, dialect, end: None, code: Self::default() };
        reader.body()?;
        reader.rest.is_empty().then_some(())?;
        let PlainCode { mut writes, assigns } = reader.code;
        // What it gives another value to is no longer its own row's.
        let is_moved = |write: &&mut PlainWrite| meet(&write.own_row_by, &assigns);
        writes.iter_mut().filter(is_moved).for_each(|write| write.own_row_by.clear());
        Some(Self { writes, assigns })
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

struct Reader<'w> {
    rest: &'w [Word],
    dialect: Dialect,
    /// What the last expression ended with.
    end: Option<&'w Word>,
    code: PlainCode,
}

impl<'w> Reader<'w> {
    /// `BEGIN … END`; one statement on MySQL.
    fn body(&mut self) -> Option<()> {
        if self.takes("begin") {
            self.statements()?;
            self.take("end")?;
        } else {
            (self.dialect == Dialect::MySql).then_some(())?;
            self.statement()?;
        }
        while self.takes(";") {}
        Some(())
    }

    fn statements(&mut self) -> Option<()> {
        while !self.rest.first()?.is_any(&["end", "else", "elsif", "elseif"]) {
            self.statement()?;
        }
        Some(())
    }

    fn statement(&mut self) -> Option<()> {
        use Dialect::{MySql, Postgres, Sqlite};
        let first = self.rest.first()?.name()?;
        match (self.dialect, first) {
            (Postgres, "new") => self.assignment(&[";"]),
            (MySql, "set") => self.assignments(),
            (Postgres, "return") => self.returned(),
            (Postgres, "perform") => {
                self.take("perform")?;
                self.expression(&[";"]).map(drop)
            }
            (Postgres, "null") => ["null", ";"].into_iter().try_for_each(|word| self.take(word)),
            (Postgres, "raise") => self.raise(),
            (MySql, "signal") => self.signal(),
            (Postgres | MySql, "if") => self.branches(),
            (Sqlite, "select") => self.raise_by_select(),
            (_, "insert") => self.insert(),
            (_, "update") => self.update(),
            (_, "delete") => self.delete(),
            _ => None,
        }
    }

    /// `RETURN NEW`: a row that is made here could be any.
    fn returned(&mut self) -> Option<()> {
        const EITHER: [&str; 6] = ["coalesce", "(", "new", ",", "old", ")"];
        self.take("return")?;
        let row = self.expression(&[";"])?;
        let is_either = row.len() == EITHER.len()
            && row.iter().zip(EITHER).all(|(word, expected)| word.is(expected));
        let is_one = matches!(row, [row] if row.is_any(&["new", "old", "null"]));
        (is_one || is_either).then_some(())
    }

    /// `NEW.column = expression`, up to one of `ends`, which is taken.
    fn assignment(&mut self, ends: &[&str]) -> Option<()> {
        self.take("new")?;
        self.take(".")?;
        let column = self.name()?;
        self.takes(":");
        self.take("=")?;
        self.code.assigns.push(column);
        self.expression(ends).map(drop)
    }

    fn assignments(&mut self) -> Option<()> {
        self.take("set")?;
        loop {
            self.assignment(&[",", ";"])?;
            if !self.ended_with(",") {
                return Some(());
            }
        }
    }

    fn branches(&mut self) -> Option<()> {
        self.take("if")?;
        self.expression(&["then"])?;
        loop {
            self.statements()?;
            if self.takes("elsif") || self.takes("elseif") {
                self.expression(&["then"])?;
            } else if !self.takes("else") {
                break;
            }
        }
        ["end", "if", ";"].into_iter().try_for_each(|word| self.take(word))
    }

    /// `RAISE EXCEPTION 'text %', expression USING ERRCODE = 'text'`.
    fn raise(&mut self) -> Option<()> {
        self.take("raise")?;
        let level = self.name()?;
        let is_level = ["exception", "warning", "notice", "info", "log", "debug"];
        let is_text = matches!(self.rest.first()?, Word::Text(_));
        (is_level.contains(&&*level) && is_text).then_some(())?;
        self.expression(&["using", ";"])?;
        if self.ended_with("using") { self.expression(&[";"]).map(drop) } else { Some(()) }
    }

    /// `SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = expression`.
    fn signal(&mut self) -> Option<()> {
        self.take("signal")?;
        self.take("sqlstate")?;
        self.expression(&["set", ";"])?;
        if self.ended_with("set") { self.expression(&[";"]).map(drop) } else { Some(()) }
    }

    /// `SELECT RAISE(ABORT, 'text') WHERE expression`.
    fn raise_by_select(&mut self) -> Option<()> {
        self.take("select")?;
        self.expression(&["where", ";"])?;
        if self.ended_with("where") { self.expression(&[";"]).map(drop) } else { Some(()) }
    }

    /// `INSERT INTO table (columns) VALUES (expressions)`, or `… SELECT expressions`.
    fn insert(&mut self) -> Option<()> {
        self.take("insert")?;
        self.take("into")?;
        let (schema, table) = self.table()?;
        if self.takes("(") {
            let end = self.rest.iter().position(|word| word.is(")"))?;
            let (columns, rest) = self.rest.split_at_checked(end)?;
            let are_names = columns.iter().all(|word| word.is(",") || word.name().is_some());
            are_names.then_some(())?;
            self.rest = rest.get(1..)?;
        }
        if !self.takes("select") {
            self.take("values")?;
        }
        self.expression(&[";"])?;
        let write = PlainWrite {
            schema,
            table,
            change: Change::Insert,
            sets: Vec::new(),
            own_row_by: Vec::new(),
        };
        self.code.writes.push(write);
        Some(())
    }

    /// `UPDATE table SET column = expression, … WHERE expression`.
    fn update(&mut self) -> Option<()> {
        self.take("update")?;
        let (schema, table) = self.table()?;
        self.take("set")?;
        let mut sets = Vec::new();
        loop {
            sets.push(self.name()?);
            self.take("=")?;
            self.expression(&[",", "where", ";"])?;
            if !self.ended_with(",") {
                break;
            }
        }
        let has_condition = self.ended_with("where");
        let own_row_by = self.condition(has_condition, &table)?;
        self.code.writes.push(PlainWrite {
            schema,
            table,
            change: Change::Update,
            sets,
            own_row_by,
        });
        Some(())
    }

    /// `DELETE FROM table WHERE expression`.
    fn delete(&mut self) -> Option<()> {
        self.take("delete")?;
        self.take("from")?;
        let (schema, table) = self.table()?;
        let has_condition = self.takes("where");
        if !has_condition {
            self.take(";")?;
        }
        let own_row_by = self.condition(has_condition, &table)?;
        let (change, sets) = (Change::Delete, Vec::new());
        self.code.writes.push(PlainWrite { schema, table, change, sets, own_row_by });
        Some(())
    }

    /// The columns of `id = NEW.id AND …`, where that is all of the condition.
    fn condition(&mut self, is_there: bool, table: &str) -> Option<Vec<String>> {
        if !is_there {
            return Some(Vec::new());
        }
        let condition = self.expression(&[";"])?;
        let is_own = |row: &Word| row.is_any(&["new", "old"]);
        let is_table =
            |word: &Word| word.name().is_some_and(|name| name.eq_ignore_ascii_case(table));
        let terms = condition.split(|word| word.is("and")).map(|term| {
            let unqualified = match term {
                [name, dot, rest @ ..] if is_table(name) && dot.is(".") && !is_own(name) => rest,
                term => term,
            };
            let (one, other) = match unqualified {
                [column, equal, row, dot, other] | [row, dot, other, equal, column]
                    if equal.is("=") && is_own(row) && dot.is(".") =>
                {
                    (column.name()?, other.name()?)
                }
                _ => return None,
            };
            (one == other).then(|| one.to_owned())
        });
        Some(terms.collect::<Option<Vec<_>>>().unwrap_or_default())
    }

    fn table(&mut self) -> Option<(Option<String>, String)> {
        let name = self.name()?;
        if self.takes(".") {
            return Some((Some(name), self.name()?));
        }
        Some((None, name))
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
        let mut depth = 0_i32;
        let mut is_column = false;
        let is_end = |word: &Word| {
            let is_end = depth == 0 && !is_column && word.is_any(ends);
            if !is_column && word.is_any(&["(", "case"]) {
                depth += 1;
            } else if !is_column && word.is_any(&[")", "end"]) {
                depth -= 1;
            }
            is_column = word.is(".");
            is_end
        };
        let words = self.rest;
        // The last statement of a body need not have a semicolon.
        let is_open = self.dialect == Dialect::MySql && ends.contains(&";");
        let end = match words.iter().position(is_end) {
            Some(end) => end,
            None if is_open => words.len(),
            None => return None,
        };
        let (expression, rest) = words.split_at_checked(end)?;
        self.end = rest.first();
        self.rest = rest.get(1..).unwrap_or_default();
        (!expression.is_empty() && is_plain(expression, self.dialect)).then_some(expression)
    }

    fn ended_with(&self, word: &str) -> bool {
        self.end.is_some_and(|end| end.is(word))
    }

    fn take(&mut self, word: &str) -> Option<()> {
        self.takes(word).then_some(())
    }

    fn takes(&mut self, word: &str) -> bool {
        match self.rest {
            [first, rest @ ..] if first.is(word) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
