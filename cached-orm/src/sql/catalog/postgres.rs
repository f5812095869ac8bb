use super::{Catalog, ColumnFound, Equals, TableFound, time_text};
use crate::{
    Backend as _, KeyKind,
    sql::split_table,
    triggers::{postgres_date, postgres_text},
};
use sqlx::{PgConnection, Postgres};

impl Catalog for Postgres {
    const RANDOM: &'static str = "random()";

    async fn find_table(
        connection: &mut PgConnection,
        name: &str,
    ) -> sqlx::Result<Option<TableFound>> {
        const TABLE: &str = "
            SELECT c.oid::bigint, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
        const COLUMNS: &str = "
            SELECT a.attname::text,
                   CASE WHEN b.typtype = 'e' THEN 'enum' ELSE b.typname::text END,
                   array_position(i.indkey::int2[], a.attnum)::bigint
            FROM pg_attribute a
            JOIN pg_type t ON t.oid = a.atttypid
            JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
            LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
            WHERE a.attrelid::bigint = $1 AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum";
        let (schema, table) = split_table(name);
        let wanted = match schema {
            Some(schema) => format!("{}.{}", Self::quote(schema), Self::quote(table)),
            None => Self::quote(table),
        };
        let found: Option<(i64, String)> =
            sqlx::query_as(TABLE).bind(wanted).fetch_optional(&mut *connection).await?;
        let Some((oid, quoted)) = found else { return Ok(None) };
        let columns: Vec<(String, String, Option<i64>)> =
            sqlx::query_as(COLUMNS).bind(oid).fetch_all(connection).await?;
        let columns = columns.into_iter().map(|(name, type_name, key_place)| ColumnFound {
            kinds: kinds(&type_name),
            name,
            type_name,
            key_place,
        });
        Ok(Some(TableFound { quoted, columns: columns.collect() }))
    }

    fn key_text(kind: KeyKind, type_name: &str, column: &str) -> Option<String> {
        postgres_text(kind, type_name, column, &|at| {
            format!("({})", postgres_date(&format!("({at})")))
        })
    }

    fn hex(text: &str) -> String {
        format!("encode(convert_to({text}, 'UTF8'), 'hex')")
    }

    fn equals(
        kind: KeyKind,
        column: &str,
        type_name: &str,
        text: &str,
        placeholder: &str,
    ) -> Option<Equals> {
        let is_date = matches!(kind, KeyKind::Date | KeyKind::DateTime | KeyKind::Timestamp);
        if is_date && ["+", "-", "0000"].iter().any(|sign| text.starts_with(sign)) {
            // PostgreSQL writes such years in another way.
            return None;
        }
        // A cast to an enum fails for what is none of its values.
        let (column, type_name) = match type_name {
            "enum" => (format!("{column}::text"), "text"),
            "char" => (format!("{column}::integer"), "int4"),
            other => (column.to_owned(), other),
        };
        let text = match kind {
            KeyKind::Bytes => format!("\\x{text}"),
            kind => time_text(kind, text, "T"),
        };
        let argument = match type_name {
            // An extension's type may be in a schema that is not searched.
            "text" | "citext" => format!("{placeholder}::text"),
            other => format!("{placeholder}::text::{}", Self::quote(other)),
        };
        Some(Equals::Bound(format!("{column} = {argument}"), text))
    }

    /// The server compares no types that have nothing in common; but a text takes the
    /// type of its column.
    fn unfit(kind: KeyKind, type_name: &str) -> Option<&'static str> {
        let kinds = kinds(type_name);
        let is_other = !kinds.is_empty() && !kinds.contains(&KeyKind::Text);
        (kind == KeyKind::Text && is_other).then_some("it is no text; use the type of the column")
    }

    select_texts!();
}

/// Those of which `triggers/postgres.rs` knows how they are written.
fn kinds(type_name: &str) -> &'static [KeyKind] {
    match type_name {
        "int2" | "int4" | "int8" | "char" => &[KeyKind::Integer],
        "bool" => &[KeyKind::Bool],
        "text" | "varchar" | "name" | "citext" | "enum" | "bpchar" => &[KeyKind::Text],
        "bytea" => &[KeyKind::Bytes],
        "uuid" => &[KeyKind::Uuid],
        "date" => &[KeyKind::Date],
        "time" => &[KeyKind::Time],
        "timestamp" => &[KeyKind::DateTime],
        "timestamptz" => &[KeyKind::Timestamp],
        _ => &[],
    }
}
