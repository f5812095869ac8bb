//! The words of a SQL text, without comments, as one of the databases reads them.

use super::plain_code::own_functions;

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
    /// A keyword or a name. What names tables keeps its case on MySQL and SQLite; to
    /// PostgreSQL it is in lower case.
    Name(String),
    /// A name in quotes, or another one that is no keyword and no function of the database.
    Quoted(String),
    /// A string.
    Text(String),
    Sign(char),
    /// What begins code that some versions run, and that is a comment to others.
    Versioned,
}

impl Word {
    /// Whether it is this keyword or sign.
    pub(crate) fn is(&self, text: &str) -> bool {
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case(text),
            Self::Sign(sign) => text.chars().eq([*sign]),
            Self::Quoted(_) | Self::Text(_) | Self::Versioned => false,
        }
    }

    pub(crate) fn is_any(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(text))
    }

    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) | Self::Quoted(name) => Some(name),
            Self::Text(_) | Self::Sign(_) | Self::Versioned => None,
        }
    }
}

/// The words of `sql`.
pub(crate) fn words(sql: &str, dialect: Dialect) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut at, mut word_end) = (0, 0);
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, word) = first(rest, dialect);
        if dialect == Dialect::MySql && at > word_end && rest.starts_with('(') {
            call_no_function(words.last_mut());
        }
        // Never nothing, or it would not end.
        at += length.max(1);
        if let Some(word) = word {
            words.push(word);
            word_end = at;
        }
    }
    words
}

/// To MySQL a function's name that is apart from its parenthesis may be any name, and so a
/// function of the schema's own.
fn call_no_function(word: Option<&mut Word>) {
    let Some(word) = word else { return };
    if let Word::Name(name) = word
        && own_functions(Dialect::MySql).any(|function| name.eq_ignore_ascii_case(function))
    {
        *word = Word::Quoted(std::mem::take(name));
    }
}

/// Whether an index's expression is surely NULL only where one of its columns is.
pub(crate) fn keeps_nulls(expression: &[Word]) -> bool {
    let followed = expression.iter().skip(1).map(Some).chain([None]);
    expression.iter().zip(followed).all(|(word, next)| match word {
        Word::Name(_) if next.is_some_and(|next| next.is("(")) => word.is_any(&["lower", "upper"]),
        Word::Name(_) => !word.is_any(&["case", "when", "null"]),
        Word::Quoted(_) => true,
        Word::Text(_) | Word::Versioned => false,
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
fn first(rest: &str, dialect: Dialect) -> (usize, Option<Word>) {
    use Dialect::{MySql, Postgres, Sqlite};
    if let Some(length) = versioned(rest, dialect) {
        return (length, Some(Word::Versioned));
    }
    if let Some(length) = comment(rest, dialect) {
        return (length, None);
    }
    let Some(first) = rest.chars().next() else { return (0, None) };
    let inner = |length: usize| rest.get(1..length.saturating_sub(1)).unwrap_or_default();
    match first {
        '\'' => {
            let length = quoted(rest, first, dialect == MySql);
            (length, Some(Word::Text(inner(length).to_owned())))
        }
        _ if is_prefixed_text(rest, first, dialect) => {
            let text = rest.get(1..).unwrap_or_default();
            let length = quoted(text, '\'', first.eq_ignore_ascii_case(&'e'));
            let inner = text.get(1..length.saturating_sub(1)).unwrap_or_default();
            (1 + length, Some(Word::Text(inner.to_owned())))
        }
        '"' if dialect == MySql => {
            let length = quoted(rest, first, true);
            (length, Some(Word::Text(inner(length).to_owned())))
        }
        // To PostgreSQL it can be an operator.
        '`' if dialect == Postgres => (1, Some(Word::Sign(first))),
        '"' | '`' => {
            let length = quoted(rest, first, false);
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
        _ if is_of_name(first, dialect) => {
            let length = rest.find(|char| !is_of_name(char, dialect)).unwrap_or(rest.len());
            let mut name = rest.get(..length).unwrap_or_default().to_owned();
            // No letter beyond ASCII: some of them have one of ASCII as their small one.
            if dialect == Postgres {
                name.make_ascii_lowercase();
            }
            (length, Some(Word::Name(name)))
        }
        _ => (first.len_utf8(), Some(Word::Sign(first)).filter(|_| !first.is_whitespace())),
    }
}

/// `E'…'`, `x'…'`, `b'…'`: the letter belongs to the string.
fn is_prefixed_text(rest: &str, first: char, dialect: Dialect) -> bool {
    let prefixes = match dialect {
        Dialect::Postgres => "ebx",
        Dialect::MySql => "bx",
        Dialect::Sqlite => "x",
    };
    prefixes.contains(first.to_ascii_lowercase()) && rest.get(1..2) == Some("'")
}

/// The length of `/*!50003`, which MySQL takes for a blank if its version is a later one.
/// The end of the comment is two signs.
fn versioned(rest: &str, dialect: Dialect) -> Option<usize> {
    let marks = ["/*!", "/*M!", "/*m!"];
    let after = marks.iter().find_map(|mark| rest.strip_prefix(mark));
    let after = after.filter(|_| dialect == Dialect::MySql)?;
    let version = after.find(|char: char| !char.is_ascii_digit()).unwrap_or(after.len());
    Some(rest.len() - after.len() + version)
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

fn is_of_name(char: char, dialect: Dialect) -> bool {
    let is_variable = char == '@' && dialect != Dialect::Postgres;
    char.is_alphanumeric() || !char.is_ascii() || char == '_' || char == '$' || is_variable
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
mod tests;
