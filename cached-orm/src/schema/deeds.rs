//! What the text of a trigger writes: to which tables, and by which statements. As far
//! as its words tell: SQL that a function makes at run time is not seen.

use super::words::{Word, words};
use std::collections::{HashMap, HashSet};

/// A statement in a trigger's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    /// The table's name as it is written, a schema's before it if there is one.
    pub(crate) table: String,
    pub(crate) change: Change,
    /// The columns that its condition compares with the same column of the trigger's
    /// own row; empty if it may meet others.
    pub(crate) own_row_by: Vec<String>,
}

/// What is done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Insert,
    Update,
    Delete,
}

impl Change {
    pub(crate) const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];
}

/// Words before UPDATE, DELETE and the like by which it is no statement.
const NOT_BEFORE: [&str; 10] =
    ["for", "on", "before", "after", "or", "of", "do", "key", "instead", ","];

/// Words between a statement's verb and its table.
const FILLERS: [&str; 14] = [
    "into",
    "from",
    "only",
    "table",
    "or",
    "ignore",
    "replace",
    "rollback",
    "abort",
    "fail",
    "low_priority",
    "quick",
    "delayed",
    "high_priority",
];

/// The words at which the tables of a statement end.
const ENDS: [&str; 12] = [
    "set",
    "where",
    "values",
    "select",
    "default",
    "returning",
    "(",
    ";",
    "using",
    "when",
    "end",
    "as",
];

/// The writing statements in `text`.
pub(crate) fn deeds(text: &str) -> Vec<Deed> {
    let words = words(text);
    let mut deeds = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        let is_after =
            |names: &[&str]| before.is_some_and(|before| names.iter().any(|name| before.is(name)));
        let rest = words.get(at + 1..).unwrap_or_default();
        let change = match word.name() {
            Some("insert" | "replace" | "merge") if !is_after(&NOT_BEFORE) => Change::Insert,
            Some("update") if !is_after(&NOT_BEFORE) => Change::Update,
            Some("delete" | "truncate") if !is_after(&NOT_BEFORE) => Change::Delete,
            _ => continue,
        };
        if change == Change::Insert && !rest.iter().take(3).any(|word| word.is("into")) {
            // `replace(…)` is a function too.
            continue;
        }
        let own_row_by = if change == Change::Insert { Vec::new() } else { own_row_by(rest) };
        for table in tables(rest) {
            deeds.push(Deed { table, change, own_row_by: own_row_by.clone() });
            if change == Change::Insert && !word.is("insert") || updates_on_conflict(rest) {
                deeds.extend(
                    deeds.last().cloned().map(|deed| Deed { change: Change::Update, ..deed }),
                );
            }
        }
    }
    deeds
}

/// The functions that `text` calls, or may call.
pub(crate) fn calls(text: &str) -> Vec<String> {
    let words = words(text);
    let pairs = words.iter().zip(words.iter().skip(1));
    let called = pairs.filter(|(_, next)| next.is("(")).filter_map(|(word, _)| word.name());
    called.map(str::to_owned).collect()
}

/// A trigger's text, and those of the functions that it calls, one after another.
pub(crate) fn with_called(text: String, functions: &HashMap<String, String>) -> String {
    let mut texts = vec![text];
    let mut seen = HashSet::new();
    let mut at = 0;
    while let Some(text) = texts.get(at) {
        for name in calls(text) {
            if let Some(called) = functions.get(&name)
                && seen.insert(name)
            {
                texts.push(called.clone());
            }
        }
        at += 1;
    }
    texts.join(";\n")
}

/// `INSERT … ON CONFLICT DO UPDATE`, `ON DUPLICATE KEY UPDATE`.
fn updates_on_conflict(rest: &[Word]) -> bool {
    let statement = rest.iter().take_while(|word| !word.is(";"));
    let mut before = None;
    for word in statement {
        if word.is("update")
            && before.is_some_and(|before: &Word| before.is("do") || before.is("key"))
        {
            return true;
        }
        before = Some(word);
    }
    false
}

/// The tables that follow the verb. Of several, with what joins them: names that are
/// none do no harm.
fn tables(rest: &[Word]) -> Vec<String> {
    let mut tables: Vec<String> = Vec::new();
    let mut is_dotted = false;
    for word in rest.iter().take(40) {
        match word {
            _ if ENDS.iter().any(|end| word.is(end)) => break,
            Word::Sign('.') => is_dotted = true,
            Word::Sign(_) => is_dotted = false,
            Word::Name(name) if FILLERS.contains(&name.as_str()) && !is_dotted => {}
            Word::Name(name) if is_dotted => {
                if let Some(schema) = tables.last_mut() {
                    schema.push('.');
                    schema.push_str(name);
                }
                is_dotted = false;
            }
            Word::Name(name) => tables.push(name.clone()),
        }
    }
    tables
}

/// The columns in `WHERE id = NEW.id AND …`.
fn own_row_by(rest: &[Word]) -> Vec<String> {
    let statement: Vec<&Word> = rest.iter().take_while(|word| !word.is(";")).collect();
    let Some(condition) = statement.iter().position(|word| word.is("where")) else {
        return Vec::new();
    };
    let condition = statement.get(condition + 1..).unwrap_or_default();
    if condition.iter().any(|word| word.is("or")) {
        return Vec::new();
    }
    let is_own = |row: &Word| ["new", "old"].iter().any(|name| row.is(name));
    // Each term alone: with anything else in it, it is another row's.
    let terms = condition.split(|word| word.is("and"));
    let compared = terms.filter_map(|term| match term {
        [column, equal, row, dot, other] | [row, dot, other, equal, column]
            if equal.is("=") && is_own(row) && dot.is(".") =>
        {
            Some((column.name()?, other.name()?))
        }
        _ => None,
    });
    compared
        .filter(|(column, other)| column == other)
        .map(|(column, _)| column.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Change, Deed, deeds};

    fn found(text: &str) -> Vec<(String, Change)> {
        deeds(text).into_iter().map(|Deed { table, change, .. }| (table, change)).collect()
    }

    fn is(table: &str, change: Change) -> (String, Change) {
        (table.to_owned(), change)
    }

    #[test]
    fn statements_are_found_in_any_dialect() {
        use Change::{Delete, Insert, Update};
        for (text, expected) in [
            (
                "BEGIN UPDATE Crates SET n = n + 1 WHERE id = NEW.id; END",
                vec![is("crates", Update)],
            ),
            (
                "INSERT INTO app.log VALUES (1); DELETE FROM ONLY a",
                vec![is("app.log", Insert), is("a", Delete)],
            ),
            ("INSERT OR REPLACE INTO t VALUES (1)", vec![is("t", Insert)]),
            (
                "insert into t values (1) on conflict (id) do update set a = 1",
                vec![is("t", Insert), is("t", Update)],
            ),
            ("REPLACE INTO t VALUES (1)", vec![is("t", Insert), is("t", Update)]),
            ("TRUNCATE TABLE \"T\"", vec![is("T", Delete)]),
            ("IF TG_OP = 'DELETE' THEN NEW.a := replace(NEW.a, 'x', 'y'); END IF", vec![]),
            ("SELECT 1 FROM users FOR UPDATE", vec![]),
            ("NEW.updated_at = now(); RETURN NEW", vec![]),
            ("UPDATE a JOIN b ON a.x = b.x SET a.y = 1", vec![is("a", Update), is("b", Update)]),
        ] {
            let found: Vec<_> = found(text);
            for expected in &expected {
                assert!(found.contains(expected), "{text}: {found:?}");
            }
            assert_eq!(found.is_empty(), expected.is_empty(), "{text}: {found:?}");
        }
    }

    #[test]
    fn the_own_row_is_told_by_the_condition() {
        for (condition, expected) in [
            ("id = NEW.id", vec!["id"]),
            ("NEW.id = id", vec!["id"]),
            ("tenant = OLD.tenant AND id = OLD.id AND x IS NULL", vec!["tenant", "id"]),
            ("id = NEW.parent", vec![]),
            ("id = NEW.id OR parent = NEW.id", vec![]),
            ("id = NEW.id - 1", vec!["id"]),
        ] {
            let text = format!("UPDATE t SET a = 1 WHERE {condition}; SELECT 1");
            let [deed] = deeds(&text).try_into().unwrap();
            // `NEW.id - 1` is another row.
            let expected = if condition.contains('-') { vec![] } else { expected };
            assert_eq!(deed.own_row_by, expected, "{condition}");
        }
    }
}
