//! Whether code in the database writes to a table that it names.
//!
//! What is not surely a read counts as a write: a needless refusal has a cure, and a
//! stale row has none. SQL that a program puts together at run time is found if it has
//! the table's name in one piece.

use super::words::{Dialect, Word, words};

/// A trigger's body, a routine, or a view.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Code {
    words: Vec<Word>,
    /// Where its names are looked for first.
    schema: String,
    kind: CodeKind,
    /// Whether it makes SQL at run time.
    is_dynamic: bool,
    /// Whether it decides by itself in which schemas names are looked for.
    has_own_path: bool,
    dialect: Dialect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CodeKind {
    /// SQL, or a language that is made of it.
    Sql,
    /// Another language, of which only the words are known.
    Other,
    /// What a write to the view or the rule's table leads to: all that it names.
    Behind,
}

/// A name in the catalog.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CatalogName<'n> {
    pub(crate) schema: &'n str,
    pub(crate) name: &'n str,
    /// Whether the session finds it without its schema.
    pub(crate) is_visible: bool,
}

/// A write to the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    /// The columns that its condition compares with the same column of the trigger's
    /// own row; empty if it may meet others.
    pub(crate) own_row_by: Vec<String>,
}

/// The statements that write.
const VERBS: [&str; 8] =
    ["insert", "update", "delete", "merge", "replace", "truncate", "copy", "load"];

impl Code {
    pub(crate) fn new(text: &str, schema: &str, kind: CodeKind, dialect: Dialect) -> Self {
        let words = words(text, dialect);
        let has = |names: &[&str]| words.iter().any(|word| word.is_any(names));
        Self {
            is_dynamic: kind == CodeKind::Other || has(&["execute", "prepare"]),
            has_own_path: has(&["search_path", "set_config"]),
            schema: schema.to_owned(),
            words,
            kind,
            dialect,
        }
    }

    /// With names that are looked for in other schemas than the session's.
    pub(crate) fn with_own_path(self, has_own_path: bool) -> Self {
        Self { has_own_path: self.has_own_path || has_own_path, ..self }
    }

    /// What follows these keywords where they stand first, or all of it.
    pub(crate) fn after(mut self, keywords: &[&str]) -> Self {
        let is_it = |words: &[Word]| words.iter().zip(keywords).all(|(word, it)| word.is(it));
        let found = self.words.windows(keywords.len()).position(is_it);
        self.words = self.words.split_off(found.map_or(0, |at| at + keywords.len()));
        self
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// Whether it decides by itself in which schemas names are looked for.
    pub(crate) fn has_own_path(&self) -> bool {
        self.has_own_path
    }

    /// The schemas that it can mean: its own, and every name in it, in lower case.
    pub(crate) fn schemas(&self) -> Vec<String> {
        let mut schemas = self.names();
        schemas.push(self.schema.to_lowercase());
        schemas
    }

    /// Every name in it, in lower case, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for word in &self.words {
            match word {
                Word::Name(name) | Word::Quoted(name) => names.push(name.to_lowercase()),
                Word::Text(text) if self.reads_texts() => {
                    names.push(text.to_lowercase());
                    let inner = words(text, self.dialect);
                    names.extend(inner.iter().filter_map(Word::name).map(str::to_lowercase));
                }
                Word::Text(_) | Word::Sign(_) => {}
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether a string can be a name.
    fn reads_texts(&self) -> bool {
        self.is_dynamic || self.dialect == Dialect::Sqlite
    }

    /// Whether it may call the routine, or read the view.
    pub(crate) fn uses(&self, object: CatalogName<'_>) -> bool {
        self.is_named_in_text(object) || (0..self.words.len()).any(|at| self.is_at(object, at))
    }

    /// Its writes to the table.
    pub(crate) fn writes(&self, table: CatalogName<'_>) -> Vec<Write> {
        let mut writes = Vec::new();
        if self.is_named_in_text(table) {
            writes.push(Write { own_row_by: Vec::new() });
        }
        for at in (0..self.words.len()).filter(|at| self.is_at(table, *at)) {
            let statement = self.statement(at);
            let own_row_by = match self.kind {
                CodeKind::Behind | CodeKind::Other => Vec::new(),
                CodeKind::Sql if statement.reads(at) => continue,
                CodeKind::Sql => statement.own_row_by(at, table),
            };
            let write = Write { own_row_by };
            if !writes.contains(&write) {
                writes.push(write);
            }
        }
        writes
    }

    /// Whether a string that may be run has the name in it.
    fn is_named_in_text(&self, object: CatalogName<'_>) -> bool {
        let is_it = |name: &str| is_alike(name, object.name);
        self.is_dynamic
            && self.words.iter().any(|word| match word {
                Word::Text(text) => {
                    is_it(text)
                        || words(text, self.dialect).iter().filter_map(Word::name).any(is_it)
                }
                _ => false,
            })
    }

    fn word(&self, at: usize, back: usize) -> Option<&Word> {
        self.words.get(at.checked_sub(back)?)
    }

    /// Whether this word is the object's name.
    fn is_at(&self, object: CatalogName<'_>, at: usize) -> bool {
        let Some(word) = self.words.get(at) else { return false };
        let before = self.word(at, 1);
        let is_it = match word {
            Word::Name(name) | Word::Quoted(name) => is_alike(name, object.name),
            // SQLite takes a string for a name where only a name can be.
            Word::Text(text) => {
                self.dialect == Dialect::Sqlite
                    && is_alike(text, object.name)
                    && before.is_some_and(|before| before.is_any(&BEFORE_A_TABLE))
            }
            Word::Sign(_) => false,
        };
        // A column's table or alias, or a table's schema.
        let is_qualifier = self.words.get(at + 1).is_some_and(|next| next.is("."));
        if !is_it || is_qualifier {
            return false;
        }
        if before.is_some_and(|before| before.is(".")) {
            let schema = self.word(at, 2).and_then(Word::name);
            return schema.is_some_and(|schema| is_alike(schema, object.schema));
        }
        object.is_visible || self.has_own_path || self.schema.eq_ignore_ascii_case(object.schema)
    }

    fn statement(&self, at: usize) -> Statement<'_> {
        let is_end = |word: &Word| word.is(";");
        let start = self.words.iter().take(at).rposition(is_end).map_or(0, |end| end + 1);
        let rest = self.words.get(start..).unwrap_or_default();
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        Statement { words: rest.get(..length).unwrap_or_default(), start }
    }
}

/// Words after which SQLite takes a string for a table's name.
const BEFORE_A_TABLE: [&str; 10] =
    ["update", "into", "from", "join", "ignore", "replace", "rollback", "abort", "fail", "."];

/// A statement, with what a procedural language has before it.
struct Statement<'w> {
    words: &'w [Word],
    /// Its first word's place in the code.
    start: usize,
}

impl Statement<'_> {
    fn at(&self, place: usize) -> Option<&Word> {
        self.words.get(place)
    }

    fn is(&self, place: Option<usize>, names: &[&str]) -> bool {
        place.and_then(|place| self.at(place)).is_some_and(|word| word.is_any(names))
    }

    /// The places of the verbs that write.
    fn verbs(&self) -> Vec<usize> {
        let is_verb = |place: &usize| {
            let before = place.checked_sub(1);
            self.is(Some(*place), &VERBS)
                // A function, a column.
                && !self.is(Some(place + 1), &["("])
                && !self.is(before, &["."])
                // `FOR UPDATE`, `ON DUPLICATE KEY UPDATE`, `DO UPDATE SET`.
                && !(self.is(Some(*place), &["update"])
                    && (self.is(before, &["for", "key"]) || self.is(Some(place + 1), &["set"])))
        };
        (0..self.words.len()).filter(is_verb).collect()
    }

    /// Whether the table at this place of the code is surely only read: the verb before
    /// it has its tables behind it, or there is none.
    fn reads(&self, at: usize) -> bool {
        let place = at - self.start;
        let Some(verb) = self.verbs().into_iter().rfind(|verb| *verb < place) else { return true };
        let ends: &[&str] = match () {
            () if self.is(Some(verb), &["update"]) => &["set"],
            () if self.is(Some(verb), &["delete"]) => &["where", "returning"],
            () if self.is(Some(verb), &["truncate"]) => &[],
            () => &["(", "values", "value", "select", "set", "default", "using", "with", "from"],
        };
        self.words.get(verb + 1..place).unwrap_or_default().iter().any(|word| word.is_any(ends))
    }

    /// Where the table's name begins, with its schema and ONLY.
    fn before_table(&self, place: usize) -> usize {
        let mut place = place;
        while place >= 2 && self.is(Some(place - 1), &["."]) {
            place -= 2;
        }
        if self.is(place.checked_sub(1), &["only"]) { place - 1 } else { place }
    }

    /// The columns in `UPDATE table SET … WHERE id = NEW.id AND …`.
    fn own_row_by(&self, at: usize, table: CatalogName<'_>) -> Vec<String> {
        let place = at - self.start;
        let name = self.before_table(place);
        let [verb] = self.verbs()[..] else { return Vec::new() };
        let follows = match self.is(Some(verb), &["update"]) {
            true => name == verb + 1 && self.is(Some(place + 1), &["set"]),
            false => {
                self.is(Some(verb), &["delete"])
                    && self.is(Some(verb + 1), &["from"])
                    && name == verb + 2
                    && self.is(Some(place + 1), &["where"])
            }
        };
        let is_where = |word: &Word| word.is("where");
        let rest = self.words.get(place..).unwrap_or_default();
        match rest.iter().position(is_where) {
            Some(condition) if follows => {
                compared(rest.get(condition + 1..).unwrap_or_default(), table.name)
            }
            _ => Vec::new(),
        }
    }
}

/// Whether two names can be one; where case counts they need not be.
fn is_alike(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || one.to_lowercase() == other.to_lowercase()
}

/// The columns of `id = NEW.id AND …`.
fn compared(condition: &[Word], table: &str) -> Vec<String> {
    let mut terms: Vec<Vec<&Word>> = vec![Vec::new()];
    let mut depth = 0_i32;
    for word in condition {
        if word.is_any(&["(", "case"]) {
            depth += 1;
        } else if word.is_any(&[")", "end"]) {
            depth -= 1;
        }
        match depth {
            ..0 => break,
            0 if word.is_any(&["or", "not", "between", "xor", "|"]) => return Vec::new(),
            0 if word.is_any(&["returning", "order", "limit"]) => break,
            0 if word.is("and") => terms.push(Vec::new()),
            _ => terms.last_mut().into_iter().for_each(|term| term.push(word)),
        }
    }
    let is_own = |row: &Word| row.is_any(&["new", "old"]);
    let is_table = |word: &Word| word.name().is_some_and(|name| name.eq_ignore_ascii_case(table));
    let column = |term: Vec<&Word>| {
        let unqualified = match &term[..] {
            [name, dot, rest @ ..] if is_table(name) && dot.is(".") => rest,
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
    };
    terms.into_iter().filter_map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::{CatalogName, Code, CodeKind, Write};
    use crate::schema::words::Dialect::{self, MySql, Postgres, Sqlite};

    const TABLE: CatalogName<'_> = CatalogName { schema: "app", name: "t", is_visible: true };

    fn writes(text: &str, dialect: Dialect) -> Vec<Write> {
        Code::new(text, "app", CodeKind::Sql, dialect).writes(TABLE)
    }

    #[test]
    fn writes_are_found_in_any_dialect() {
        for (text, dialect) in [
            ("BEGIN UPDATE T SET n = n + 1 WHERE id = NEW.parent; END", Sqlite),
            ("UPDATE OR IGNORE t SET n = 1", Sqlite),
            ("UPDATE 't' SET n = 1", Sqlite),
            ("INSERT OR REPLACE INTO t VALUES (1)", Sqlite),
            ("REPLACE INTO [t] VALUES (1)", Sqlite),
            ("WHILE i < 1 DO UPDATE t SET n = 1; END WHILE", MySql),
            ("FOR r IN (SELECT 1 AS id) DO UPDATE t SET n = r.id; END FOR", MySql),
            ("INSERT t VALUES (1, 1) ON DUPLICATE KEY UPDATE n = n + 1", MySql),
            ("UPDATE a JOIN t ON a.x = t.x SET t.y = 1", MySql),
            ("DELETE a, t FROM a JOIN t ON a.x = t.x", MySql),
            ("DELETE FROM t.* USING t", MySql),
            ("SET @x = 1--1; UPDATE t SET n = 1", MySql),
            ("/*!50003 UPDATE t SET n = 1 */", MySql),
            ("DELETE FROM ONLY app . \"t\"", Postgres),
            ("TRUNCATE TABLE a, t", Postgres),
            (
                "WITH x AS (UPDATE t SET n = 1 RETURNING n) INSERT INTO log SELECT n FROM x",
                Postgres,
            ),
            ("WITH x AS (DELETE FROM t RETURNING n) INSERT INTO log SELECT n FROM x", Postgres),
            ("MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE", Postgres),
            ("INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET n = 1", Postgres),
            ("IF a #>> '{b}' = 'x' THEN UPDATE t SET n = 1; END IF", Postgres),
            ("EXECUTE format('UPDATE %I SET n = 1', 't')", Postgres),
            ("EXECUTE 'UPDATE t SET n = 1'", Postgres),
            ("UPDATE elsewhere SET n = 1; UPDATE t SET n = 1 FROM elsewhere", Postgres),
        ] {
            assert_eq!(writes(text, dialect), [Write { own_row_by: vec![] }], "{text}");
        }
    }

    #[test]
    fn reads_and_other_tables_are_none() {
        for (text, dialect) in [
            ("NEW.updated_at = now(); RETURN NEW", Postgres),
            ("SELECT n INTO x FROM t WHERE id = 1 FOR UPDATE; UPDATE a SET n = x", Postgres),
            ("INSERT INTO log SELECT * FROM t WHERE id = NEW.id", Postgres),
            ("INSERT INTO log SELECT * FROM a JOIN app.t USING (id)", Postgres),
            ("UPDATE other.t SET n = 1", Postgres),
            ("UPDATE a SET n = NEW.t", Postgres),
            ("UPDATE a SET n = t.n FROM a AS t1", Postgres),
            ("INSERT INTO log VALUES ('t', 'UPDATE t')", Postgres),
            ("-- UPDATE t SET n = 1\n INSERT INTO log VALUES (1)", Postgres),
            ("IF TG_OP = 'DELETE' THEN NEW.a := replace(NEW.a, 'x', 'y'); END IF", Postgres),
            ("SET NEW.body = REPLACE(NEW.body, 't', 'u')", MySql),
            ("INSERT INTO log VALUES ('t')", Sqlite),
            ("UPDATE a SET t = t + 1 WHERE t < 7", Sqlite),
            (
                "INSERT INTO a (t) VALUES (NEW.t) ON CONFLICT (t) DO UPDATE SET t = excluded.t",
                Sqlite,
            ),
            ("UPDATE a SET n = (SELECT max(n) FROM t)", MySql),
            ("FOR r IN SELECT * FROM t LOOP UPDATE a SET n = r.n; END LOOP", Postgres),
        ] {
            assert_eq!(writes(text, dialect), [], "{text}");
        }
    }

    #[test]
    fn the_own_row_is_told_by_the_condition() {
        for (condition, expected) in [
            ("id = NEW.id", vec!["id"]),
            ("NEW.id = id", vec!["id"]),
            ("t.id = NEW.id", vec!["id"]),
            ("tenant = OLD.tenant AND id = OLD.id AND x IS NULL", vec!["tenant", "id"]),
            ("id = NEW.parent", vec![]),
            ("id = NEW.id OR parent = NEW.id", vec![]),
            ("id = NEW.id - 1", vec![]),
            ("NOT (id = NEW.id AND x = 1)", vec![]),
            ("x IN (SELECT y FROM z WHERE 1 = 1 AND id = NEW.id AND 2 = 2)", vec![]),
        ] {
            for verb in ["UPDATE t SET a = 1", "DELETE FROM app.t"] {
                let text = format!("BEGIN {verb} WHERE {condition}; SELECT 1; END");
                let [write] = writes(&text, Postgres).try_into().unwrap();
                assert_eq!(write.own_row_by, expected, "{text}");
            }
        }
    }
}
