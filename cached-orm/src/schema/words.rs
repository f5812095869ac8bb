//! The words of a SQL text, without comments and strings.

/// A word of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A keyword or a name, in lower case unless it was quoted.
    Name(String),
    Sign(char),
}

impl Word {
    /// Whether it is this keyword, name or sign.
    pub(crate) fn is(&self, text: &str) -> bool {
        match self {
            Self::Name(name) => name == text,
            Self::Sign(sign) => text.chars().eq([*sign]),
        }
    }

    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Sign(_) => None,
        }
    }
}

/// The words of `sql`.
pub(crate) fn words(sql: &str) -> Vec<Word> {
    found(sql).map(|(_, word)| word).collect()
}

/// What follows the first BEGIN: what a trigger of SQLite does.
pub(crate) fn after_begin(sql: &str) -> String {
    let begin = found(sql).find(|(_, word)| word.is("begin"));
    begin.and_then(|(end, _)| sql.get(end..)).unwrap_or_default().to_owned()
}

/// Each word, and where it ends.
fn found(sql: &str) -> impl Iterator<Item = (usize, Word)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = sql.get(at..)?;
            let first = rest.chars().next()?;
            let (length, word) = match first {
                _ if rest.starts_with("--") || first == '#' => (until(rest, "\n"), None),
                _ if rest.starts_with("/*") => (until(rest, "*/"), None),
                '\'' => (quoted(rest, '\''), None),
                '"' | '`' => {
                    let length = quoted(rest, first);
                    (length, rest.get(1..length.saturating_sub(1)))
                }
                '[' => {
                    let length = until(rest, "]");
                    (length, rest.get(1..length.saturating_sub(1)))
                }
                _ if is_of_name(first) => {
                    let length = rest.find(|char| !is_of_name(char)).unwrap_or(rest.len());
                    at += length;
                    return Some((at, Word::Name(rest.get(..length)?.to_lowercase())));
                }
                _ => {
                    at += first.len_utf8();
                    if first.is_whitespace() {
                        continue;
                    }
                    return Some((at, Word::Sign(first)));
                }
            };
            at += length;
            if let Some(name) = word {
                return Some((at, Word::Name(name.to_owned())));
            }
        }
    })
}

fn is_of_name(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '$' || char == '@'
}

/// The length up to the end of `mark`.
fn until(text: &str, mark: &str) -> usize {
    text.find(mark).map_or(text.len(), |at| at + mark.len())
}

/// The length of what begins with this quote, in which a doubled one is none.
fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        if char != quote {
            continue;
        }
        if chars.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{Word, after_begin, words};

    #[test]
    fn comments_and_strings_are_no_words() {
        let sql = "INSERT -- into a\n INTO \"Odd Name\" /* x */ VALUES ('it''s; b', [c d], `e`)";
        let found: Vec<String> = words(sql)
            .into_iter()
            .map(|word| match word {
                Word::Name(name) => name,
                Word::Sign(sign) => sign.to_string(),
            })
            .collect();
        assert_eq!(found, ["insert", "into", "Odd Name", "values", "(", ",", "c d", ",", "e", ")"]);
    }

    #[test]
    fn texts_that_end_early_are_read_to_their_end() {
        for sql in ["'open", "\"open", "/* open", "[open", "-- open", "", "é'"] {
            words(sql);
        }
        assert_eq!(
            after_begin("CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; END"),
            " SELECT 1; END"
        );
    }
}
