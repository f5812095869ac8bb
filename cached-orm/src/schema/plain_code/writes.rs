//! INSERT, UPDATE and DELETE.

use super::{
    PlainWrite, Reader,
    own_row::own_row_by,
    vocabulary::{is_never_plain, is_no_table},
};
use crate::schema::{
    description::Change,
    words::Dialect::{MySql, Sqlite},
};

/// What a row that could not be inserted is called.
const EXCLUDED: &str = "excluded";

/// The table that a statement writes to.
struct Target {
    schema: Option<String>,
    table: String,
}

impl Target {
    fn written(&self, change: Change, sets: Vec<String>, own_row_by: Vec<String>) -> PlainWrite {
        let (schema, table) = (self.schema.clone(), self.table.clone());
        PlainWrite { schema, table, change, sets, own_row_by }
    }
}

impl Reader<'_> {
    /// `INSERT INTO table (columns) VALUES (expressions)`, or `… SELECT expressions`.
    pub(super) fn insert(&mut self) -> Option<()> {
        self.take("insert")?;
        if self.dialect == MySql {
            self.takes("ignore");
        }
        // In the place of another row is more than an insert.
        if self.dialect == Sqlite && self.takes("or") {
            (self.takes("ignore") || self.takes("abort")).then_some(())?;
        }
        if !self.takes("into") {
            (self.dialect == MySql).then_some(())?;
        }
        let target = self.target(None)?;
        if self.takes("(") {
            self.names()?;
        }
        let is_list = self.takes("select")
            || self.takes("values")
            || self.dialect == MySql && self.takes("value");
        if is_list {
            self.expression(&["on", ";"])?;
        } else {
            (self.dialect == MySql).then_some(())?;
            self.take("set")?;
            self.sets(&["on", ";"])?;
        }
        let has_conflicts = self.ended_with("on");
        self.code.writes.push(target.written(Change::Insert, Vec::new(), Vec::new()));
        if has_conflicts { self.conflicts(&target) } else { Some(()) }
    }

    /// `CONFLICT (columns) DO UPDATE SET column = expression, … WHERE expression`, or
    /// `DUPLICATE KEY UPDATE column = expression, …`.
    fn conflicts(&mut self, target: &Target) -> Option<()> {
        if self.dialect == MySql {
            self.take_all(&["duplicate", "key", "update"])?;
        } else {
            self.take("conflict")?;
            if self.takes("(") {
                self.names()?;
            } else if self.takes("on") {
                self.take("constraint")?;
                self.name()?;
            }
            self.take("do")?;
            if self.takes("nothing") {
                return self.take(";");
            }
            self.take_all(&["update", "set"])?;
        }
        let sets = self.sets(&["where", ";"])?;
        if self.ended_with("where") {
            self.expression(&[";"])?;
        }
        self.code.writes.push(target.written(Change::Update, sets, Vec::new()));
        Some(())
    }

    /// `UPDATE table SET column = expression, … WHERE expression`.
    pub(super) fn update(&mut self) -> Option<()> {
        self.take("update")?;
        let target = self.target(Some(&["set"]))?;
        self.take("set")?;
        let sets = self.sets(&["where", "limit", ";"])?;
        let own_row_by = self.condition()?;
        self.code.writes.push(target.written(Change::Update, sets, own_row_by));
        Some(())
    }

    /// `DELETE FROM table WHERE expression`.
    pub(super) fn delete(&mut self) -> Option<()> {
        self.take_all(&["delete", "from"])?;
        let target = self.target(Some(&["where", "limit", ";"]))?;
        self.end = self.rest.first();
        if self.next_is(&["where", "limit"]) {
            self.rest = self.rest.get(1..)?;
        } else {
            self.statement_end()?;
        }
        let own_row_by = self.condition()?;
        self.code.writes.push(target.written(Change::Delete, Vec::new(), own_row_by));
        Some(())
    }

    /// What follows the WHERE or LIMIT that was taken, up to the statement's end: the
    /// columns by which it is only the own row that is meant.
    fn condition(&mut self) -> Option<Vec<String>> {
        let mut own_row = Vec::new();
        if self.ended_with("where") {
            let condition = self.expression(&["limit", ";"])?;
            own_row = own_row_by(condition, self.dialect, &self.tables);
        }
        if self.ended_with("limit") {
            (self.dialect == MySql).then_some(())?;
            let is_digit = |byte: u8| byte.is_ascii_digit();
            self.name()?.bytes().all(is_digit).then_some(())?;
            self.statement_end()?;
        }
        Some(own_row)
    }

    /// `column = expression, …` up to one of `ends`, which is taken.
    fn sets(&mut self, ends: &[&str]) -> Option<Vec<String>> {
        let ends: Vec<_> = [","].iter().chain(ends).copied().collect();
        let mut sets = Vec::new();
        loop {
            let mut column = self.name()?;
            // Elsewhere it would be a part of the column.
            if self.dialect == MySql {
                if self.takes(".") {
                    column = self.name()?;
                }
                self.takes(":");
            }
            self.take("=")?;
            self.expression(&ends)?;
            sets.push(column);
            if !self.ended_with(",") {
                return Some(sets);
            }
        }
    }

    /// Names up to the parenthesis.
    fn names(&mut self) -> Option<()> {
        let end = self.rest.iter().position(|word| word.is(")"))?;
        let (names, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..)?;
        names.iter().all(|word| word.is(",") || word.name().is_some()).then_some(())
    }

    /// The table, and the name that it is given here. Without AS it can be given one where
    /// something else than `ends` follows.
    fn target(&mut self, ends: Option<&[&str]>) -> Option<Target> {
        let (mut schema, mut table) = (None, self.table_name()?);
        if self.takes(".") {
            schema = Some(std::mem::replace(&mut table, self.table_name()?));
        }
        let has_alias = self.takes("as")
            || ends.is_some_and(|ends| {
                let is_name = self.rest.first().is_some_and(|next| next.name().is_some());
                self.dialect != Sqlite && is_name && !self.next_is(ends)
            });
        let alias = if has_alias { Some(self.table_name()?) } else { None };
        self.tables = [alias.unwrap_or_else(|| table.clone()), EXCLUDED.to_owned()].into();
        Some(Target { schema, table })
    }

    fn table_name(&mut self) -> Option<String> {
        let name = self.name()?;
        let is_other = is_no_table(&name, self.dialect) || is_never_plain(&name, self.dialect);
        (!is_other).then_some(name)
    }
}
