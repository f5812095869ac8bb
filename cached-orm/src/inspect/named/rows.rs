//! Rows of a table that no struct describes, as texts.

use crate::{
    Backend, KeyKind,
    named_table::{Known, NamedTable},
    sql::Equals,
};
use std::collections::HashMap;

/// Rows asked for by one statement: each is a condition of its own.
const ROWS_AT_ONCE: usize = 64;

/// The texts of a primary key's parts.
pub(super) type Parts = Vec<String>;

/// A column of which entries' fields can be compared with the database's values.
#[derive(Debug)]
pub(super) struct Comparable {
    pub(super) name: String,
    pub(super) kind: KeyKind,
    /// SQL that gives its text.
    text: String,
}

/// The columns whose values serde writes as they are, if the struct says nothing else.
pub(super) fn comparable<DB: Backend>(table: &NamedTable, known: &Known) -> Vec<Comparable> {
    let of = |column: &crate::sql::ColumnFound| {
        let kind = *column.kinds.first()?;
        let is_plain = matches!(
            kind,
            KeyKind::Integer | KeyKind::Bool | KeyKind::Text | KeyKind::Bytes | KeyKind::Uuid
        );
        let text = DB::key_text(kind, &column.type_name, &column_of::<DB>(&column.name))?;
        let is_wanted = is_plain && !table.is_left_out(&column.name);
        is_wanted.then(|| Comparable { name: column.name.clone(), kind, text })
    };
    known.table.columns.iter().filter_map(of).collect()
}

fn column_of<DB: Backend>(name: &str) -> String {
    format!("t.{}", DB::quote(name))
}

impl Known {
    /// Whether these can be the texts of a primary key; if not, why.
    pub(super) fn check(&self, parts: &[impl AsRef<str>]) -> Result<(), String> {
        let columns = self.key();
        if parts.len() != columns.len() {
            let names: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
            return Err(format!(
                "the primary key has {} columns ({}), and {} values were given",
                columns.len(),
                names.join(", "),
                parts.len()
            ));
        }
        for ((name, kind), part) in columns.iter().zip(parts) {
            if !is_text_of(*kind, part.as_ref()) {
                return Err(format!(
                    "a value for the key column `{name}` is not written as keys of the kind \
                     `{kind:?}` are"
                ));
            }
        }
        Ok(())
    }

    fn part_texts<DB: Backend>(&self) -> impl Iterator<Item = String> {
        self.key().iter().map(|(name, kind)| {
            let type_name = self.table.column(name).map_or("", |column| &column.type_name);
            // It was checked when the table was found.
            DB::key_text(*kind, type_name, &column_of::<DB>(name)).unwrap_or_default()
        })
    }

    /// The primary keys of so many rows, taken by chance; rows with NULL in their key
    /// are none that a struct has.
    pub(super) async fn sample<DB: Backend>(
        &self,
        connection: &mut DB::Connection,
        rows: u32,
    ) -> sqlx::Result<Vec<Parts>> {
        let parts: Vec<_> = self.part_texts::<DB>().map(|text| DB::hex(&text)).collect();
        let sql = format!(
            "SELECT {} FROM {} AS t ORDER BY {} LIMIT {rows}",
            parts.join(", "),
            self.table.quoted,
            DB::RANDOM
        );
        let found = DB::select_texts(connection, sql, &[], parts.len()).await?;
        Ok(found.into_iter().filter_map(|row| row.into_iter().map(decoded).collect()).collect())
    }

    /// The rows with these primary keys: what the columns have.
    pub(super) async fn load<DB: Backend>(
        &self,
        connection: &mut DB::Connection,
        keys: &[&Parts],
        columns: &[Comparable],
    ) -> sqlx::Result<HashMap<Parts, Vec<Option<String>>>> {
        let texts = self.part_texts::<DB>().chain(columns.iter().map(|it| it.text.clone()));
        let texts: Vec<_> = texts.map(|text| DB::hex(&text)).collect();
        let mut rows = HashMap::new();
        for keys in keys.chunks(ROWS_AT_ONCE) {
            let mut arguments = Vec::new();
            let conditions: Vec<_> =
                keys.iter().map(|parts| self.condition::<DB>(parts, &mut arguments)).collect();
            let sql = format!(
                "SELECT {} FROM {} AS t WHERE {}",
                texts.join(", "),
                self.table.quoted,
                conditions.join(" OR ")
            );
            let found = DB::select_texts(connection, sql, &arguments, texts.len()).await?;
            for mut row in found {
                let values = row.split_off(self.key().len());
                // Conditions may be met by more rows, such as those of other case.
                if let Some(parts) = row.into_iter().map(decoded).collect::<Option<Parts>>() {
                    rows.insert(parts, values.into_iter().map(decoded).collect());
                }
            }
        }
        Ok(rows)
    }

    /// `("a" = … AND "b" = …)`
    fn condition<DB: Backend>(&self, parts: &[String], arguments: &mut Vec<String>) -> String {
        let each = self.key().iter().zip(self.part_texts::<DB>()).zip(parts);
        let each = each.map(|(((name, kind), text), part)| {
            let type_name = self.table.column(name).map_or("", |column| &column.type_name);
            let placeholder = DB::placeholder(arguments.len() + 1);
            match DB::equals(*kind, &column_of::<DB>(name), type_name, part, &placeholder) {
                Some(Equals::Sql(sql)) => sql,
                Some(Equals::Bound(sql, argument)) => {
                    arguments.push(argument);
                    sql
                }
                None => format!("LOWER({}) = '{}'", DB::hex(&text), digits(part)),
            }
        });
        format!("({})", each.collect::<Vec<_>>().join(" AND "))
    }
}

fn is_text_of(kind: KeyKind, text: &str) -> bool {
    let all = |is: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| is(&byte));
    match kind {
        KeyKind::Integer => {
            // As Rust prints it: `07` and `+7` are other keys.
            text.parse::<i128>().is_ok_and(|number| number.to_string() == text)
        }
        KeyKind::Bool => matches!(text, "0" | "1"),
        KeyKind::Bytes => {
            text.len().is_multiple_of(2)
                && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        }
        KeyKind::Uuid | KeyKind::UuidText => {
            text.len() == 36 && all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        }
        KeyKind::Date | KeyKind::Time | KeyKind::DateTime | KeyKind::Timestamp => {
            all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'T' | b'Z'))
        }
        KeyKind::Text | KeyKind::Other => true,
    }
}

fn digits(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The text of hexadecimal digits.
fn decoded(digits: Option<String>) -> Option<String> {
    let digits = digits?;
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    String::from_utf8(pairs.map(byte).collect::<Option<_>>()?).ok()
}
