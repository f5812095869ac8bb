use super::{
    deeds::{calls, with_called},
    description::{
        Action, ColumnDescription, Describe, Events, ForeignKey, IndexDescription,
        TableDescription, TableKind, Timing, TriggerDescription,
    },
};
use crate::sql::split_table;
use sqlx::{MySql, MySqlConnection};
use std::collections::HashMap;

impl Describe for MySql {
    async fn describe(
        connection: &mut MySqlConnection,
        name: &str,
    ) -> sqlx::Result<Option<TableDescription>> {
        let (schema, name) = split_table(name);
        let Some((place, mut table)) = table(connection, schema, name).await? else {
            return Ok(None);
        };
        table.columns = columns(connection, &place).await?;
        table.indexes = indexes(connection, &place).await?;
        table.triggers = triggers(connection, &place).await?;
        table.referenced_by = referenced_by(connection, &place).await?;
        table.refers_to = refers_to(connection, &place).await?;
        Ok(Some(table))
    }
}

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
    let other_name = (schema.is_some() && is_current == Some(true)).then(|| name.clone());
    let table = TableDescription {
        identity,
        kind,
        other_name,
        engine_without_transactions: Some(engine).filter(|_| is_table && !has_transactions),
        ..TableDescription::default()
    };
    Ok(Some((Place { schema: place, name }, table)))
}

async fn columns(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<Vec<ColumnDescription>> {
    const QUERY: &str = "
        SELECT CONVERT(column_name USING utf8mb4), LOWER(CONVERT(column_type USING utf8mb4)),
               is_nullable = 'YES'
        FROM information_schema.columns
        WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position";
    let query = sqlx::query_as(QUERY).bind(&place.schema).bind(&place.name).persistent(false);
    let found: Vec<(String, String, bool)> = query.fetch_all(connection).await?;
    let column =
        |(name, type_name, is_nullable)| ColumnDescription { name, type_name, is_nullable };
    Ok(found.into_iter().map(column).collect())
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

async fn triggers(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<Vec<TriggerDescription>> {
    const QUERY: &str = "
        SELECT CONVERT(trigger_name USING utf8mb4), action_timing = 'BEFORE',
               CONVERT(event_manipulation USING utf8mb4),
               CONVERT(action_statement USING utf8mb4)
        FROM information_schema.triggers
        WHERE event_object_schema = ? AND event_object_table = ? ORDER BY trigger_name";
    let query = sqlx::query_as(QUERY).bind(&place.schema).bind(&place.name).persistent(false);
    let found: Vec<(String, bool, String, String)> = query.fetch_all(&mut *connection).await?;
    let routines = if found.iter().all(|(.., text)| calls(text).is_empty()) {
        HashMap::new()
    } else {
        routines(connection, place).await?
    };
    let trigger = |(name, is_before, event, text): (String, bool, String, String)| {
        let text = with_called(text, &routines);
        let timing = if is_before { Timing::Before } else { Timing::After };
        let is = |name: &str| event.eq_ignore_ascii_case(name);
        let events = Events { insert: is("INSERT"), update: is("UPDATE"), delete: is("DELETE") };
        TriggerDescription { name, timing, events, is_deferrable: false, text }
    };
    Ok(found.into_iter().map(trigger).collect())
}

/// The sources of the schema's procedures and functions, as far as they may be seen.
async fn routines(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<HashMap<String, String>> {
    const QUERY: &str = "
        SELECT LOWER(CONVERT(routine_name USING utf8mb4)),
               CONVERT(routine_definition USING utf8mb4)
        FROM information_schema.routines
        WHERE routine_schema = ? AND routine_definition IS NOT NULL";
    let query = sqlx::query_as(QUERY).bind(&place.schema).persistent(false);
    let found: Vec<(String, String)> = query.fetch_all(connection).await?;
    Ok(found.into_iter().collect())
}

/// Of the tables of its own schema: to look into all of them can take seconds.
async fn referenced_by(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<Vec<ForeignKey>> {
    const QUERY: &str = "
        SELECT CONVERT(r.constraint_name USING utf8mb4), CONVERT(r.table_name USING utf8mb4),
               CONVERT(k.referenced_column_name USING utf8mb4),
               CONVERT(r.delete_rule USING utf8mb4), CONVERT(r.update_rule USING utf8mb4)
        FROM information_schema.referential_constraints r
        JOIN information_schema.key_column_usage k
          ON k.constraint_schema = r.constraint_schema AND k.constraint_name = r.constraint_name
         AND k.table_name = r.table_name
        WHERE r.constraint_schema = ? AND r.referenced_table_name = ?
          AND k.referenced_column_name IS NOT NULL
        ORDER BY r.constraint_name, k.ordinal_position";
    foreign_keys(connection, QUERY, place).await
}

async fn refers_to(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<Vec<ForeignKey>> {
    const QUERY: &str = "
        SELECT CONVERT(r.constraint_name USING utf8mb4),
               CONVERT(r.referenced_table_name USING utf8mb4),
               CONVERT(k.referenced_column_name USING utf8mb4),
               CONVERT(r.delete_rule USING utf8mb4), CONVERT(r.update_rule USING utf8mb4)
        FROM information_schema.referential_constraints r
        JOIN information_schema.key_column_usage k
          ON k.constraint_schema = r.constraint_schema AND k.constraint_name = r.constraint_name
         AND k.table_name = r.table_name
        WHERE r.constraint_schema = ? AND r.table_name = ?
          AND k.referenced_column_name IS NOT NULL
        ORDER BY r.constraint_name, k.ordinal_position";
    foreign_keys(connection, QUERY, place).await
}

async fn foreign_keys(
    connection: &mut MySqlConnection,
    query: &'static str,
    place: &Place,
) -> sqlx::Result<Vec<ForeignKey>> {
    let query = sqlx::query_as(query).bind(&place.schema).bind(&place.name).persistent(false);
    let found: Vec<(String, String, String, String, String)> = query.fetch_all(connection).await?;
    let mut keys: Vec<ForeignKey> = Vec::new();
    for (name, other, column, on_delete, on_update) in found {
        let other = format!("{}.{other}", place.schema);
        match keys.last_mut() {
            Some(key) if key.name == name && key.other == other => key.referred.push(column),
            _ => keys.push(ForeignKey {
                name,
                other,
                referred: vec![column],
                on_delete: Action::of(&on_delete),
                on_update: Action::of(&on_update),
            }),
        }
    }
    Ok(keys)
}
