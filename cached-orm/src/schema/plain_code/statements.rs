//! Statements that write to no table: they change the row that is about to be written,
//! refuse it, or have other statements in them.

use super::Reader;
use crate::schema::words::{
    Dialect::{MySql, Postgres, Sqlite},
    Word,
};

impl Reader<'_> {
    /// `BEGIN … END`; one statement on MySQL.
    pub(super) fn body(&mut self) -> Option<()> {
        if self.dialect == MySql && (self.takes("follows") || self.takes("precedes")) {
            self.name()?;
        }
        if self.next_is(&["begin"]) {
            self.block()?;
        } else {
            (self.dialect == MySql).then_some(())?;
            self.statement()?;
        }
        while self.takes(";") {}
        Some(())
    }

    fn block(&mut self) -> Option<()> {
        self.take("begin")?;
        self.statements()?;
        self.take("end")
    }

    fn statements(&mut self) -> Option<()> {
        while !self.rest.first()?.is_any(&["end", "else", "elsif", "elseif", "when"]) {
            self.statement()?;
        }
        Some(())
    }

    fn statement(&mut self) -> Option<()> {
        let first = self.rest.first()?.name()?.to_ascii_lowercase();
        match (self.dialect, &*first) {
            (Postgres, "new") => self.assignment(&[";"]),
            (MySql, "set") => self.assignments(),
            (Postgres, "return") => self.returned(),
            (Postgres, "perform") => {
                self.take("perform")?;
                self.expression(&[";"]).map(drop)
            }
            (Postgres, "null") => self.take_all(&["null", ";"]),
            (Postgres, "raise") => self.raise(),
            (MySql, "signal") => self.signal(),
            (Postgres | MySql, "if") => self.branches(),
            (Postgres | MySql, "case") => self.cases(),
            (Postgres | MySql, "begin") => {
                self.block()?;
                self.take(";")
            }
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
        let row = self.rest.first()?;
        let is_quoted = self.dialect == MySql && row.name()?.eq_ignore_ascii_case("new");
        (row.is("new") || is_quoted).then_some(())?;
        self.rest = self.rest.get(1..)?;
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
        self.take_all(&["end", "if", ";"])
    }

    /// `CASE expression WHEN expression THEN statements … END CASE`.
    fn cases(&mut self) -> Option<()> {
        self.take("case")?;
        if !self.takes("when") {
            self.expression(&["when"])?;
        }
        loop {
            self.expression(&["then"])?;
            self.statements()?;
            if !self.takes("when") {
                break;
            }
        }
        if self.takes("else") {
            self.statements()?;
        }
        self.take_all(&["end", "case", ";"])
    }

    /// `RAISE [level] 'text %', expression`, or `… condition`, and `USING ERRCODE = …`.
    fn raise(&mut self) -> Option<()> {
        const LEVELS: [&str; 6] = ["exception", "warning", "notice", "info", "log", "debug"];
        self.take("raise")?;
        if self.next_is(&LEVELS) {
            self.name()?;
        }
        match self.rest.first()? {
            Word::Text(_) => {
                self.expression(&["using", ";"])?;
            }
            word if word.is("using") => {
                self.take("using")?;
                return self.expression(&[";"]).map(drop);
            }
            // A condition's name.
            _ => {
                self.name()?;
                self.end = self.rest.first();
                self.rest = self.rest.get(1..)?;
            }
        }
        match self.end {
            Some(end) if end.is("using") => self.expression(&[";"]).map(drop),
            Some(end) => end.is(";").then_some(()),
            None => None,
        }
    }

    /// `SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = expression`.
    fn signal(&mut self) -> Option<()> {
        self.take_all(&["signal", "sqlstate"])?;
        self.takes("value");
        self.expression(&["set", ";"])?;
        if self.ended_with("set") { self.expression(&[";"]).map(drop) } else { Some(()) }
    }

    /// `SELECT RAISE(ABORT, 'text') WHERE expression`.
    fn raise_by_select(&mut self) -> Option<()> {
        self.take("select")?;
        self.expression(&["where", ";"])?;
        if self.ended_with("where") { self.expression(&[";"]).map(drop) } else { Some(()) }
    }
}
