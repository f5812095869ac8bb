use super::{
    consequences::{Named, NamedObject, body, written_tables},
    description::{
        Action, ColumnDescription, Describe, Events, ForeignKey, IndexDescription,
        TableDescription, TableKind, Timing, TriggerDescription,
    },
    mentions::Code,
    words::Dialect,
};
use crate::{Backend as _, sql::split_table};
use sqlx::{AssertSqlSafe, MySql, MySqlConnection, Row as _, mysql::MySqlRow};

impl Describe for MySql {
    const DIALECT: Dialect = Dialect::MySql;

    async fn named(connection: &mut MySqlConnection, code: &Code) -> sqlx::Result<Vec<Named>> {
        let mut named = relations(connection, code).await?;
        named.extend(routines(connection, code).await?);
        Ok(named)
    }

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
               CONVERT(event_manipulation USING utf8mb4)
        FROM information_schema.triggers
        WHERE event_object_schema = ? AND event_object_table = ? ORDER BY trigger_name";
    let query = sqlx::query_as(QUERY).bind(&place.schema).bind(&place.name).persistent(false);
    let found: Vec<(String, bool, String)> = query.fetch_all(&mut *connection).await?;
    let mut triggers = Vec::with_capacity(found.len());
    for (name, is_before, event) in found {
        let timing = if is_before { Timing::Before } else { Timing::After };
        let is = |name: &str| event.eq_ignore_ascii_case(name);
        let events = Events { insert: is("INSERT"), update: is("UPDATE"), delete: is("DELETE") };
        let mut trigger = TriggerDescription {
            name,
            timing,
            events,
            is_deferrable: false,
            writes: Some(Vec::new()),
        };
        if !trigger.is_own() {
            let name = (&*place.schema, &*trigger.name);
            trigger.writes = match original(connection, "TRIGGER", name).await? {
                Some(text) => {
                    let code = body(&text, &place.schema, Dialect::MySql);
                    let code = code.after(&["for", "each", "row"]);
                    written_tables::<MySql>(connection, code).await?
                }
                None => None,
            };
        }
        triggers.push(trigger);
    }
    Ok(triggers)
}

/// Those of the code's own schema, and of schemas that it names.
async fn relations(connection: &mut MySqlConnection, code: &Code) -> sqlx::Result<Vec<Named>> {
    const QUERY: &str = "
        SELECT CONVERT(t.table_schema USING utf8mb4), CONVERT(t.table_name USING utf8mb4),
               CONVERT(v.view_definition USING utf8mb4)
        FROM information_schema.tables t
        LEFT JOIN information_schema.views v
          ON v.table_schema = t.table_schema AND v.table_name = t.table_name
        WHERE LOWER(t.table_schema) IN ({names}) AND LOWER(t.table_name) IN ({names})";
    let found: Vec<(String, String, Option<String>)> = by_names(connection, QUERY, code).await?;
    let named = |(schema, name, view): (String, String, Option<String>)| {
        let behind = view.into_iter().collect();
        let what = NamedObject::Relation { behind, along: Vec::new() };
        Named { schema, name, is_visible: false, what }
    };
    Ok(found.into_iter().map(named).collect())
}

/// Their sources, as far as they may be seen.
async fn routines(connection: &mut MySqlConnection, code: &Code) -> sqlx::Result<Vec<Named>> {
    const QUERY: &str = "
        SELECT CONVERT(routine_schema USING utf8mb4), CONVERT(routine_name USING utf8mb4),
               CONVERT(routine_type USING utf8mb4)
        FROM information_schema.routines
        WHERE LOWER(routine_schema) IN ({names}) AND LOWER(routine_name) IN ({names})";
    let found: Vec<(String, String, String)> = by_names(connection, QUERY, code).await?;
    let mut named = Vec::with_capacity(found.len());
    for (schema, name, kind) in found {
        let text = original(connection, &kind, (&schema, &name)).await?;
        let what = NamedObject::Routine { text, is_sql: true, has_own_path: false };
        named.push(Named { schema, name, is_visible: false, what });
    }
    Ok(named)
}

/// The statement that made a trigger or routine, as it was written: in the tables of
/// `information_schema` MySQL shows strings without what escapes their quotes. `None` if
/// this account may not read it (a trigger's without the privilege TRIGGER), or if it is
/// of a mode in which nothing escapes them.
async fn original(
    connection: &mut MySqlConnection,
    kind: &str,
    (schema, name): (&str, &str),
) -> sqlx::Result<Option<String>> {
    let (schema, name) = (MySql::quote(schema), MySql::quote(name));
    let show = AssertSqlSafe(format!("SHOW CREATE {kind} {schema}.{name}"));
    let row = match sqlx::raw_sql(show).fetch_one(connection).await {
        Err(sqlx::Error::Database(_)) => return Ok(None),
        row => row?,
    };
    let (modes, text): (String, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
    Ok(text.filter(|_| !modes.contains("NO_BACKSLASH_ESCAPES")))
}

/// Asks for what has one of the code's names.
async fn by_names<T>(
    connection: &mut MySqlConnection,
    query: &str,
    code: &Code,
) -> sqlx::Result<Vec<T>>
where
    T: for<'r> sqlx::FromRow<'r, MySqlRow> + Send + Unpin,
{
    let names = code.schemas();
    let places = vec!["?"; names.len()].join(", ");
    let query = AssertSqlSafe(query.replace("{names}", &places));
    let mut query = sqlx::query_as(query).persistent(false);
    for name in names.iter().chain(&names) {
        query = query.bind(name);
    }
    query.fetch_all(connection).await
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
