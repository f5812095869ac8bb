use super::{Catalog, ColumnFound, Equals, TableFound, bytes_literal, is_integer, time_text};
use crate::{
    Backend as _, KeyKind,
    sql::{fit::unfit_binary, split_table},
    triggers::mysql_text,
};
use sqlx::{MySql, MySqlConnection};

impl Catalog for MySql {
    const RANDOM: &'static str = "RAND()";

    async fn find_table(
        connection: &mut MySqlConnection,
        name: &str,
    ) -> sqlx::Result<Option<TableFound>> {
        // A TIMESTAMP is compared in the session's time zone.
        const COLUMNS: &str = "
            SELECT CONVERT(c.table_schema USING utf8mb4), CONVERT(c.table_name USING utf8mb4),
                   CONVERT(c.column_name USING utf8mb4), LOWER(CONVERT(c.data_type USING utf8mb4)),
                   CONVERT(k.ordinal_position, SIGNED), @@session.time_zone = '+00:00'
            FROM information_schema.columns c
            LEFT JOIN information_schema.key_column_usage k
              ON k.table_schema = c.table_schema AND k.table_name = c.table_name
             AND k.column_name = c.column_name AND k.constraint_name = 'PRIMARY'
            WHERE c.table_schema = COALESCE(?, DATABASE()) AND c.table_name = ?
            ORDER BY c.ordinal_position";
        type Found = (String, String, String, String, Option<i64>, bool);
        let (schema, table) = split_table(name);
        let found: Vec<Found> =
            sqlx::query_as(COLUMNS).bind(schema).bind(table).fetch_all(connection).await?;
        let Some((schema, table, ..)) = found.first() else { return Ok(None) };
        let quoted = format!("{}.{}", Self::quote(schema), Self::quote(table));
        let columns = found.into_iter().map(|(_, _, name, type_name, key_place, is_in_utc)| {
            let is_known = type_name != "timestamp" || is_in_utc;
            let kinds = if is_known { kinds(&type_name) } else { &[] };
            ColumnFound { kinds, name, type_name, key_place }
        });
        Ok(Some(TableFound { quoted, columns: columns.collect() }))
    }

    fn key_text(kind: KeyKind, type_name: &str, column: &str) -> Option<String> {
        mysql_text(kind, type_name, column)
    }

    fn hex(text: &str) -> String {
        format!("HEX(CONVERT({text} USING utf8mb4))")
    }

    fn equals(
        kind: KeyKind,
        column: &str,
        type_name: &str,
        text: &str,
        placeholder: &str,
    ) -> Option<Equals> {
        match kind {
            // In another time zone it would be another row.
            _ if type_name == "timestamp" => None,
            KeyKind::Integer => is_integer(text).then(|| Equals::Sql(format!("{column} = {text}"))),
            KeyKind::Bool => {
                matches!(text, "0" | "1").then(|| Equals::Sql(format!("({column} <> 0) = {text}")))
            }
            KeyKind::Bytes | KeyKind::Uuid => {
                bytes_literal(text).map(|literal| Equals::Sql(format!("{column} = {literal}")))
            }
            KeyKind::Text => {
                Some(Equals::Bound(format!("{column} = {placeholder}"), text.to_owned()))
            }
            KeyKind::Date | KeyKind::Time | KeyKind::DateTime | KeyKind::Timestamp => {
                let text = time_text(kind, text.trim_end_matches('Z'), " ");
                Some(Equals::Bound(format!("{column} = {placeholder}"), text))
            }
            KeyKind::UuidText | KeyKind::Other => None,
        }
    }

    fn unfit(kind: KeyKind, type_name: &str) -> Option<&'static str> {
        let is_text = matches!(
            type_name,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "uuid"
        );
        let is_binary = matches!(
            type_name,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob"
        );
        unfit_binary(kind, is_text, is_binary)
    }

    select_texts!();
}

/// Those of which `triggers/mysql.rs` knows how they are written.
fn kinds(type_name: &str) -> &'static [KeyKind] {
    match type_name {
        // A `bool` is written as the numbers 0 and 1 are.
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => &[KeyKind::Integer],
        "bit" => &[KeyKind::Bool],
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" => {
            &[KeyKind::Text]
        }
        "binary" | "varbinary" => &[KeyKind::Bytes, KeyKind::Uuid],
        "tinyblob" | "blob" | "mediumblob" | "longblob" => &[KeyKind::Bytes],
        "date" => &[KeyKind::Date],
        "time" => &[KeyKind::Time],
        "datetime" | "timestamp" => &[KeyKind::DateTime, KeyKind::Timestamp],
        _ => &[],
    }
}
