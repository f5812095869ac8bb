use super::{Catalog, ColumnFound, Equals, TableFound, bytes_literal, is_integer};
use crate::{
    Backend as _, KeyKind,
    sql::{fit::unfit_binary, split_table},
    triggers::sqlite_text,
};
use sqlx::{Sqlite, SqliteConnection};

impl Catalog for Sqlite {
    const RANDOM: &'static str = "random()";

    async fn find_table(
        connection: &mut SqliteConnection,
        name: &str,
    ) -> sqlx::Result<Option<TableFound>> {
        const COLUMNS: &str = "
            SELECT name, upper(type), pk FROM pragma_table_xinfo($1, $2)
            WHERE hidden <> 1 ORDER BY cid";
        let (schema, table) = split_table(name);
        let found: Vec<(String, String, i64)> = sqlx::query_as(COLUMNS)
            .bind(table)
            .bind(schema.unwrap_or("main"))
            .fetch_all(connection)
            .await?;
        if found.is_empty() {
            return Ok(None);
        }
        let quoted = format!("{}.{}", Self::quote(schema.unwrap_or("main")), Self::quote(table));
        let columns = found.into_iter().map(|(name, type_name, place)| ColumnFound {
            kinds: kinds(&type_name),
            name,
            type_name,
            key_place: (place > 0).then_some(place),
        });
        Ok(Some(TableFound { quoted, columns: columns.collect() }))
    }

    fn key_text(kind: KeyKind, _: &str, column: &str) -> Option<String> {
        sqlite_text(kind, column)
    }

    fn hex(text: &str) -> String {
        // It makes '' of NULL.
        format!("CASE WHEN {text} IS NOT NULL THEN hex({text}) END")
    }

    fn equals(
        kind: KeyKind,
        column: &str,
        _: &str,
        text: &str,
        placeholder: &str,
    ) -> Option<Equals> {
        match kind {
            KeyKind::Integer => is_integer(text).then(|| Equals::Sql(format!("{column} = {text}"))),
            KeyKind::Bool => {
                matches!(text, "0" | "1").then(|| Equals::Sql(format!("({column} <> 0) = {text}")))
            }
            KeyKind::Bytes | KeyKind::Uuid => {
                bytes_literal(text).map(|literal| Equals::Sql(format!("{column} = {literal}")))
            }
            KeyKind::Text | KeyKind::Date => {
                Some(Equals::Bound(format!("{column} = {placeholder}"), text.to_owned()))
            }
            // They are stored with more digits or fewer.
            KeyKind::Time
            | KeyKind::DateTime
            | KeyKind::Timestamp
            | KeyKind::UuidText
            | KeyKind::Other => None,
        }
    }

    /// By what SQLite makes of the declared type. What is in the column may be of any.
    fn unfit(kind: KeyKind, type_name: &str) -> Option<&'static str> {
        let declares = |names: &[&str]| names.iter().any(|name| type_name.contains(name));
        let is_integer = declares(&["INT"]);
        let is_text = !is_integer && declares(&["CHAR", "CLOB", "TEXT"]);
        let is_binary = !is_integer && !is_text && declares(&["BLOB"]);
        let is_real = !is_integer && declares(&["REAL", "FLOA", "DOUB"]);
        let is_time =
            matches!(kind, KeyKind::Date | KeyKind::Time | KeyKind::DateTime | KeyKind::Timestamp);
        if is_time && (is_integer || is_real) {
            return Some(
                "dates and times are sent as text, which equals no number; use `i64`, or \
                 declare the column TEXT",
            );
        }
        unfit_binary(kind, is_text, is_binary)
    }

    select_texts!();
}

/// By the declared type, which SQLite does not hold values to.
fn kinds(declared: &str) -> &'static [KeyKind] {
    match declared.split('(').next().unwrap_or_default().trim() {
        "BOOLEAN" | "BOOL" => &[KeyKind::Bool],
        "DATE" => &[KeyKind::Date],
        "TIME" => &[KeyKind::Time],
        "DATETIME" | "TIMESTAMP" => &[KeyKind::DateTime, KeyKind::Timestamp],
        "BLOB" => &[KeyKind::Bytes, KeyKind::Uuid],
        name if name.contains("INT") => &[KeyKind::Integer],
        name if ["CHAR", "CLOB", "TEXT"].iter().any(|text| name.contains(text)) => &[KeyKind::Text],
        _ => &[],
    }
}
