mod foreign_keys;
mod triggers;

use super::description::{
    ColumnDescription, Describe, Filled, ForeignKey, IndexDescription, TableDescription, TableKind,
};
use crate::sql::split_table;
use foreign_keys::{referenced_by, refers_to};
use sqlx::{MySql, MySqlConnection};
use triggers::{hides_triggers, triggers};

impl Describe for MySql {
    async fn describe(
        connection: &mut MySqlConnection,
        name: &str,
    ) -> sqlx::Result<Option<TableDescription>> {
        let (schema, name) = split_table(name);
        let Some((place, mut table)) = table(connection, schema, name).await? else {
            return Ok(None);
        };
        (table.columns, table.auto_increment) = columns(connection, &place).await?;
        table.indexes = indexes(connection, &place).await?;
        table.triggers = triggers(connection, &place).await?;
        table.hides_triggers =
            table.triggers.is_empty() && hides_triggers(connection, &place).await?;
        table.referenced_by = referenced_by(connection, &place).await?;
        // One whose columns are not shown can refer to any.
        let names = table.columns.iter().map(|column| column.name.clone());
        let is_hidden = |key: &&mut ForeignKey| key.referred.is_empty();
        for key in table.referenced_by.iter_mut().filter(is_hidden) {
            key.referred = names.clone().collect();
        }
        table.refers_to = refers_to(connection, &place).await?;
        Ok(Some(table))
    }
}

/// Engines whose tables have their rows in other tables, or on other servers.
const BEHIND_OTHERS: [&str; 6] =
    ["MRG_MyISAM", "FEDERATED", "CONNECT", "SPIDER", "SEQUENCE", "NDB"];

/// The table's schema and name as the catalog spells them.
struct Place {
    schema: String,
    name: String,
}

async fn table(
    connection: &mut MySqlConnection,
    schema: Option<&str>,
    name: &str,
) -> sqlx::Result<Option<(Place, TableDescription)>> {
    const QUERY: &str = "
        SELECT CONVERT(t.table_schema USING utf8mb4), CONVERT(t.table_name USING utf8mb4),
               CONVERT(t.table_type USING utf8mb4), COALESCE(CONVERT(t.engine USING utf8mb4), ''),
               COALESCE(CONVERT(t.create_options USING utf8mb4), ''),
               CONVERT(@@lower_case_table_names, SIGNED), t.table_schema = DATABASE(),
               EXISTS (SELECT 1 FROM information_schema.engines e
                       WHERE e.engine = t.engine AND e.transactions = 'YES')
        FROM information_schema.tables t
        WHERE t.table_schema = COALESCE(?, DATABASE()) AND t.table_name = ?";
    type Found = (String, String, String, String, String, i64, Option<bool>, bool);
    let query = sqlx::query_as(QUERY).bind(schema).bind(name).persistent(false);
    let found: Option<Found> = query.fetch_optional(connection).await?;
    let Some(found) = found else { return Ok(None) };
    let (place, name, kind, engine, options, lower_case, is_current, has_transactions) = found;
    let mut identity = format!("{place}.{name}");
    if lower_case != 0 {
        identity = identity.to_lowercase();
    }
    let kind = match kind.as_str() {
        "BASE TABLE" if options.contains("partitioned") => TableKind::Partitioned,
        "BASE TABLE" | "SYSTEM VERSIONED" => TableKind::Ordinary,
        _ => TableKind::View,
    };
    let is_table = kind != TableKind::View;
    let is_behind_others = BEHIND_OTHERS.iter().any(|it| engine.eq_ignore_ascii_case(it));
    let other_name = (schema.is_some() && is_current == Some(true)).then(|| name.clone());
    let table = TableDescription {
        identity,
        kind,
        other_name,
        is_behind_others,
        engine_without_transactions: Some(engine).filter(|_| is_table && !has_transactions),
        ..TableDescription::default()
    };
    Ok(Some((Place { schema: place, name }, table)))
}

/// The columns, and which of them is AUTO_INCREMENT.
async fn columns(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<(Vec<ColumnDescription>, Option<String>)> {
    const QUERY: &str = "
        SELECT CONVERT(column_name USING utf8mb4), LOWER(CONVERT(column_type USING utf8mb4)),
               is_nullable = 'YES', extra LIKE '%auto_increment%',
               COALESCE(generation_expression, '') <> ''
        FROM information_schema.columns
        WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position";
    let query = sqlx::query_as(QUERY).bind(&place.schema).bind(&place.name).persistent(false);
    let found: Vec<(String, String, bool, bool, bool)> = query.fetch_all(connection).await?;
    let numbered = found.iter().find(|(.., is_numbered, _)| *is_numbered);
    let numbered = numbered.map(|(name, ..)| name.clone());
    let column = |(name, type_name, is_nullable, _, is_generated)| {
        let filled = if is_generated { Filled::Generated } else { Filled::ByStatements };
        ColumnDescription { name, type_name, is_nullable, filled, is_incomparable: false }
    };
    Ok((found.into_iter().map(column).collect(), numbered))
}

/// A prefix that is unique makes the whole value unique.
async fn indexes(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<Vec<IndexDescription>> {
    const QUERY: &str = "
        SELECT CONVERT(index_name USING utf8mb4), non_unique = 0,
               COALESCE(CONVERT(column_name USING utf8mb4), '')
        FROM information_schema.statistics
        WHERE table_schema = ? AND table_name = ?
        ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index";
    let query = sqlx::query_as(QUERY).bind(&place.schema).bind(&place.name).persistent(false);
    let found: Vec<(String, bool, String)> = query.fetch_all(connection).await?;
    let mut indexes: Vec<IndexDescription> = Vec::new();
    for (name, is_unique, column) in found {
        if indexes.last().is_none_or(|index| index.name != name) {
            let is_primary = name == "PRIMARY";
            indexes.push(IndexDescription {
                name,
                is_unique,
                is_primary,
                ..IndexDescription::default()
            });
        }
        let Some(index) = indexes.last_mut() else { continue };
        if !column.is_empty() && index.leading.len() == index.columns.len() {
            index.leading.push(column.clone());
        }
        // Of an expression it is not known what it is made of: of no column.
        index.columns.push(column);
    }
    Ok(indexes)
}
