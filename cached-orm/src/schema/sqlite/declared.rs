//! What only the text of CREATE TABLE tells.

use super::super::words::{Dialect, Word, words};

/// What only the text of CREATE TABLE tells.
pub(super) struct Declared {
    pub(super) replaces_rows: bool,
    /// Columns that are not compared byte by byte.
    collations: Vec<(String, String)>,
}

impl Declared {
    pub(super) fn of(sql: &str) -> Self {
        let words = words(sql, Dialect::Sqlite);
        let replaces = |words: &[Word]| {
            words.iter().zip(["on", "conflict", "replace"]).all(|(word, it)| word.is(it))
        };
        let mut collations = Vec::new();
        let (mut depth, mut column) = (0, None);
        let mut before: Option<&Word> = None;
        for word in &words {
            match word {
                Word::Sign('(') => depth += 1,
                Word::Sign(')') => depth -= 1,
                Word::Name(name) | Word::Quoted(name) => {
                    let is_first = before.is_some_and(|before| before.is("(") || before.is(","));
                    if depth == 1 && is_first {
                        column = Some(name.clone());
                    }
                    if depth == 1 && before.is_some_and(|before| before.is("collate")) {
                        collations.extend(column.clone().map(|column| (column, name.clone())));
                    }
                }
                Word::Text(_) | Word::Sign(_) | Word::Versioned => {}
            }
            before = Some(word);
        }
        Self { replaces_rows: words.windows(3).any(replaces), collations }
    }

    pub(super) fn collation(&self, column: &str) -> &str {
        let is_it = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(column);
        self.collations.iter().find(is_it).map_or("BINARY", |(_, collation)| collation)
    }
}
