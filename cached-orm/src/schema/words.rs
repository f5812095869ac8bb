//! The words of a SQL text, without comments, as one of the databases reads them.

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

/// A word of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A keyword or a name, in lower case.
    Name(String),
    /// A name in quotes.
    Quoted(String),
    /// A string.
    Text(String),
    Sign(char),
}

impl Word {
    /// Whether it is this keyword or sign.
    pub(crate) fn is(&self, text: &str) -> bool {
        match self {
            Self::Name(name) => name == text,
            Self::Sign(sign) => text.chars().eq([*sign]),
            Self::Quoted(_) | Self::Text(_) => false,
        }
    }

    pub(crate) fn is_any(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(text))
    }

    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) | Self::Quoted(name) => Some(name),
            Self::Text(_) | Self::Sign(_) => None,
        }
    }
}

/// The words of `sql`.
pub(crate) fn words(sql: &str, dialect: Dialect) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, word) = first(rest, dialect, words.last());
        // Never nothing, or it would not end.
        at += length.max(1);
        words.extend(word);
    }
    words
}

/// Whether an index's expression is surely NULL only where one of its columns is.
pub(crate) fn keeps_nulls(expression: &[Word]) -> bool {
    let followed = expression.iter().skip(1).map(Some).chain([None]);
    expression.iter().zip(followed).all(|(word, next)| match word {
        Word::Name(_) if next.is_some_and(|next| next.is("(")) => word.is_any(&["lower", "upper"]),
        Word::Name(_) => !word.is_any(&["case", "when", "null"]),
        Word::Quoted(_) => true,
        Word::Text(_) => false,
        // A cast.
        Word::Sign(sign) => ['(', ')', ',', ':', '.'].contains(sign),
    })
}

/// Whether an index with this condition has all rows but those in which one of its
/// columns is NULL: nobody looks for these by it.
pub(crate) fn leaves_out_nulls(condition: &[Word], columns: &[String]) -> bool {
    let words: Vec<_> = condition.iter().filter(|word| !word.is_any(&["(", ")"])).collect();
    let is_column = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    words.is_empty()
        || words.split(|word| word.is("and")).all(|term| match term {
            [column, is, not, null] => {
                column.name().is_some_and(is_column)
                    && is.is("is")
                    && not.is("not")
                    && null.is("null")
            }
            _ => false,
        })
}

/// The length of what `rest` begins with, and the word that it is.
fn first(rest: &str, dialect: Dialect, before: Option<&Word>) -> (usize, Option<Word>) {
    use Dialect::{MySql, Postgres, Sqlite};
    if let Some(length) = comment(rest, dialect) {
        return (length, None);
    }
    let Some(first) = rest.chars().next() else { return (0, None) };
    let inner = |length: usize| rest.get(1..length.saturating_sub(1)).unwrap_or_default();
    match first {
        '\'' => {
            let is_escaped = match dialect {
                MySql => true,
                // `E'…'`: what was read as a name belongs to it.
                Postgres => before.is_some_and(|before| before.is("e")),
                Sqlite => false,
            };
            let length = quoted(rest, first, is_escaped);
            (length, Some(Word::Text(inner(length).to_owned())))
        }
        // To MySQL it is a string, unless it is told otherwise: as a name it is found too.
        '"' | '`' => {
            let length = quoted(rest, first, dialect == MySql && first == '"');
            let doubled = [first, first].iter().collect::<String>();
            let name = inner(length).replace(&doubled, &first.to_string());
            (length, Some(Word::Quoted(name)))
        }
        '[' if dialect == Sqlite => {
            let length = until(rest, "]");
            (length, Some(Word::Quoted(inner(length).to_owned())))
        }
        '$' if dialect == Postgres && dollar_quote(rest).is_some() => {
            let quote = dollar_quote(rest).unwrap_or_default();
            let body = rest.get(quote.len()..).unwrap_or_default();
            let length = body.find(quote).unwrap_or(body.len());
            let text = body.get(..length).unwrap_or_default().to_owned();
            (length + 2 * quote.len(), Some(Word::Text(text)))
        }
        _ if is_of_name(first) => {
            let length = rest.find(|char| !is_of_name(char)).unwrap_or(rest.len());
            let name = rest.get(..length).unwrap_or_default().to_lowercase();
            (length, Some(Word::Name(name)))
        }
        _ => (first.len_utf8(), Some(Word::Sign(first)).filter(|_| !first.is_whitespace())),
    }
}

/// The length of the comment that `rest` begins with.
fn comment(rest: &str, dialect: Dialect) -> Option<usize> {
    if let Some(after) = rest.strip_prefix("--") {
        // To MySQL, `1--1` is a difference.
        let ends = after.chars().next().is_none_or(|next| next.is_whitespace());
        return match dialect {
            Dialect::MySql => ends.then(|| until(rest, "\n")),
            Dialect::Postgres => Some(rest.find(['\n', '\r']).unwrap_or(rest.len())),
            Dialect::Sqlite => Some(until(rest, "\n")),
        };
    }
    if rest.starts_with('#') && dialect == Dialect::MySql {
        return Some(until(rest, "\n"));
    }
    if dialect == Dialect::MySql
        && let Some(after) = rest.strip_prefix("/*!").or_else(|| rest.strip_prefix("/*M!"))
    {
        // MySQL runs it. Its end is two signs.
        let version = after.find(|char: char| !char.is_ascii_digit()).unwrap_or(after.len());
        return Some(rest.len() - after.len() + version);
    }
    if !rest.starts_with("/*") {
        return None;
    }
    if dialect != Dialect::Postgres {
        return Some(until(rest, "*/"));
    }
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(inside) = rest.get(at..).filter(|inside| !inside.is_empty()) {
        let length = inside.chars().next().map_or(1, char::len_utf8);
        at += if inside.starts_with("/*") {
            depth += 1;
            2
        } else if inside.starts_with("*/") {
            depth -= 1;
            2
        } else {
            length
        };
        if depth == 0 {
            break;
        }
    }
    Some(at)
}

fn is_of_name(char: char) -> bool {
    char.is_alphanumeric() || !char.is_ascii() || char == '_' || char == '$' || char == '@'
}

/// The `$tag$` that `rest` begins with.
fn dollar_quote(rest: &str) -> Option<&str> {
    let tag = rest.get(1..)?;
    let end = tag.find('$')?;
    let tag = tag.get(..end)?;
    let is_tag = tag.chars().all(|char| char.is_alphanumeric() || char == '_')
        && !tag.starts_with(|char: char| char.is_ascii_digit());
    is_tag.then(|| rest.get(..end + 2)).flatten()
}

/// The length up to the end of `mark`.
fn until(text: &str, mark: &str) -> usize {
    text.find(mark).map_or(text.len(), |at| at + mark.len())
}

/// The length of what begins with this quote, in which a doubled one is none.
fn quoted(text: &str, quote: char, is_escaped: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        if char == '\\' && is_escaped {
            chars.next();
        } else if char == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Word, words};
    use Dialect::{MySql, Postgres, Sqlite};

    fn names(sql: &str, dialect: Dialect) -> Vec<String> {
        let words = words(sql, dialect);
        words.iter().filter_map(Word::name).map(str::to_owned).collect()
    }

    #[test]
    fn comments_and_strings_are_no_names() {
        for (sql, dialect) in [
            ("a -- b\n c", Postgres),
            ("a /* b /* b */ b */ c", Postgres),
            ("a E'b\\' b' c", Postgres),
            ("a $b$ it's b $b$ c", Postgres),
            ("a $$ b $$ c", Postgres),
            ("a 'b''b' c", Postgres),
            ("a # b\n c", MySql),
            ("a -- b\n c", MySql),
            ("a 'b\\'b' c", MySql),
            ("a /* b */ c", Sqlite),
            ("a 'b\\' c", Sqlite),
        ] {
            let mut found = names(sql, dialect);
            found.retain(|name| name != "e");
            assert_eq!(found, ["a", "c"], "{sql}");
        }
    }

    #[test]
    fn what_is_a_comment_elsewhere_is_read() {
        for (sql, dialect) in [
            ("a #>> b", Postgres),
            ("a[b]", Postgres),
            ("a--b", MySql),
            ("/*!50003 a */ b", MySql),
            ("/*M!100 a */ b", MySql),
            ("[a] b", Sqlite),
            ("`a` \"b\"", Sqlite),
        ] {
            assert_eq!(names(sql, dialect), ["a", "b"], "{sql}");
        }
        assert_eq!(names("\"a\"\"b\" A", Postgres), ["a\"b", "a"]);
    }

    #[test]
    fn texts_that_end_early_are_read_to_their_end() {
        for sql in ["'open", "\"open", "/* open", "/* /* */", "[open", "-- open", "", "é'", "$a$é"]
        {
            for dialect in [Postgres, MySql, Sqlite] {
                words(sql, dialect);
            }
        }
    }
}
