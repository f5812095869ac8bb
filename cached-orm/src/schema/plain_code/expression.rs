//! Expressions that call nothing but the database's own functions, and read no table.

use super::vocabulary::{
    is_function, is_keyword, is_never_plain, is_type, stands_before_parentheses,
};
use crate::schema::words::{Dialect, Word};

/// What is read as an expression, or as a list of them.
#[derive(Clone, Copy)]
pub(super) struct Expression<'w> {
    pub(super) words: &'w [Word],
    pub(super) dialect: Dialect,
    /// The names of the table that its statement writes to, of whose columns it may speak.
    pub(super) tables: &'w [String],
}

/// Keywords that stand in the parentheses of these functions only.
const WITHIN: &[(&str, &[&str])] = &[
    ("from", &["extract", "overlay", "substring", "trim"]),
    ("for", &["overlay", "substring"]),
    ("as", &["cast"]),
    ("using", &["convert"]),
];

impl<'w> Expression<'w> {
    /// Whether it only computes.
    pub(super) fn is_plain(self) -> bool {
        (0..self.words.len()).all(|at| self.is_plain_at(at))
    }

    /// The columns of its table that it names with the table's name: to PostgreSQL `t.f` is
    /// a call, if there is no such column.
    pub(super) fn columns_of_tables(self) -> impl Iterator<Item = &'w str> {
        let columns = self.words.windows(3).filter(move |words| match words {
            [table, dot, _] => dot.is(".") && self.is_table(table),
            _ => false,
        });
        columns.filter_map(|words| words.get(2)?.name())
    }

    fn is_table(self, word: &Word) -> bool {
        word.name().is_some_and(|name| self.tables.iter().any(|table| table == name))
    }

    fn is_plain_at(self, at: usize) -> bool {
        let Self { words, dialect, .. } = self;
        let Some(word) = words.get(at) else { return false };
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let after = words.get(at + 1);
        let follows = |text: &str| after.is_some_and(|after| after.is(text));
        match word {
            // Strings behind one another are one, and are read as the first of them is.
            Word::Text(text) => {
                !is_text(after) && (dialect != Dialect::Postgres || is_read_alike(text))
            }
            Word::Sign('.') => {
                before.is_some_and(|before| self.is_row(before) || is_number(before))
            }
            Word::Sign(':') => dialect == Dialect::Postgres && self.is_cast(at),
            // `U&'…'` and `U&"…"` have escapes of their own.
            Word::Sign('&') if before.is_some_and(|before| before.is("u")) => false,
            Word::Sign(sign) => signs(dialect).contains(*sign),
            // A column, by any name; what a function has behind it is none.
            Word::Name(_) | Word::Quoted(_) if before.is_some_and(|before| before.is(".")) => {
                !follows("(") && !follows(".")
            }
            Word::Quoted(_) => {
                !follows("(") && !is_text(after) && (!follows(".") || self.is_row(word))
            }
            Word::Name(name) if follows("(") => {
                stands_before_parentheses(name, dialect)
                    || is_function(name, dialect)
                    || before.is_some_and(|before| before.is_any(&[":", "as"]))
                    || word.is("varying") && before.is_some_and(|before| before.is("character"))
            }
            Word::Name(name) if is_keyword(name, dialect) => true,
            Word::Name(name) if is_never_plain(name, dialect) => self.is_known_keyword(at),
            // `date '…'`, `_utf8'…'`: what a name before a string makes of it is not known.
            Word::Name(name) => {
                is_name(name, dialect)
                    && !is_text(after)
                    && (!follows(".") || self.is_row(word) || is_number(word))
            }
            Word::Versioned => false,
        }
    }

    /// Whether what follows a dot after this word is a column. To PostgreSQL `w.f` can be a
    /// call.
    fn is_row(self, word: &Word) -> bool {
        let is_name = || word.name().is_some() && !is_number(word);
        word.is_any(&["new", "old"])
            || self.is_table(word)
            || self.dialect != Dialect::Postgres && is_name()
    }

    /// Whether a word that may begin a query does not do so here.
    fn is_known_keyword(self, at: usize) -> bool {
        let Self { words, dialect, .. } = self;
        let Some(word) = words.get(at) else { return false };
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let after = words.get(at + 1);
        let follows = |text: &str| after.is_some_and(|after| after.is(text));
        if word.is("from") && before.is_some_and(|before| before.is("distinct")) {
            return true;
        }
        if word.is("as") && !self.is_type_at(at + 1) {
            return false;
        }
        let is_within = WITHIN.iter().any(|(keyword, functions)| {
            word.is(keyword) && self.function_around(at).is_some_and(|it| it.is_any(functions))
        });
        let is_other = match dialect {
            Dialect::Postgres => {
                word.is("array") && follows("[") || word.is("with") && follows("time")
            }
            Dialect::MySql => word.is("collate"),
            Dialect::Sqlite => false,
        };
        is_within || is_other
    }

    /// The word before the parenthesis in which this one stands.
    fn function_around(self, at: usize) -> Option<&'w Word> {
        let mut depth = 0;
        for (at, word) in self.words.get(..at)?.iter().enumerate().rev() {
            if word.is(")") {
                depth += 1;
            } else if word.is("(") && depth == 0 {
                return self.words.get(at.checked_sub(1)?);
            } else if word.is("(") {
                depth -= 1;
            }
        }
        None
    }

    /// Whether the colon at this place is of `value::type`.
    fn is_cast(self, at: usize) -> bool {
        let is_colon = |at: usize| self.words.get(at).is_some_and(|word| word.is(":"));
        match (at.checked_sub(1).is_some_and(is_colon), is_colon(at + 1)) {
            (false, true) => true,
            (true, false) => self.is_type_at(at + 1),
            _ => false,
        }
    }

    /// Whether the word at this place is a type whose code is the database's own.
    fn is_type_at(self, at: usize) -> bool {
        let after = self.words.get(at + 1);
        match self.words.get(at) {
            Some(Word::Name(name)) if name.eq_ignore_ascii_case("double") => {
                self.dialect != Dialect::Postgres || after.is_some_and(|it| it.is("precision"))
            }
            Some(Word::Name(name)) => {
                is_type(name, self.dialect) && !after.is_some_and(|it| it.is("."))
            }
            _ => false,
        }
    }
}

/// Those of operators, which are the database's own unless it has others.
fn signs(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "(),+-*/%<>=!|~@?&#^[]",
        Dialect::MySql | Dialect::Sqlite => "(),+-*/%<>=!|~",
    }
}

/// Whether a string of PostgreSQL ends at the same place where a backslash escapes what
/// follows it, which a setting decides.
fn is_read_alike(text: &str) -> bool {
    !text.ends_with('\\') && !text.contains("\\'")
}

/// Whether a word is a name of a column, a number, or a variable, which is only read.
fn is_name(name: &str, dialect: Dialect) -> bool {
    let name = match dialect {
        Dialect::MySql => name.strip_prefix('@').unwrap_or(name),
        Dialect::Postgres | Dialect::Sqlite => name,
    };
    !name.is_empty() && !name.contains(['@', '$'])
}

fn is_text(word: Option<&Word>) -> bool {
    matches!(word, Some(Word::Text(_)))
}

fn is_number(word: &Word) -> bool {
    matches!(word, Word::Name(name) if name.bytes().all(|byte| byte.is_ascii_digit()))
}
