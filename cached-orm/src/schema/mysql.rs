use super::{
    description::{
        Action, ColumnDescription, Deeds, Describe, Events, ForeignKey, IndexDescription,
        TableDescription, TableKind, Timing, TriggerDescription,
    },
    plain_code::PlainCode,
    words::{Dialect, Word, words},
};
use crate::{Backend as _, sql::split_table};
use sqlx::{AssertSqlSafe, MySql, MySqlConnection, Row as _};

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
        table.referenced_by = referenced_by(connection, &place).await?;
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
               is_nullable = 'YES', extra LIKE '%auto_increment%'
        FROM information_schema.columns
        WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position";
    let query = sqlx::query_as(QUERY).bind(&place.schema).bind(&place.name).persistent(false);
    let found: Vec<(String, String, bool, bool)> = query.fetch_all(connection).await?;
    let numbered = found.iter().find(|(.., is_numbered)| *is_numbered);
    let numbered = numbered.map(|(name, ..)| name.clone());
    let column =
        |(name, type_name, is_nullable, _)| ColumnDescription { name, type_name, is_nullable };
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
            does: Some(Deeds::default()),
        };
        if !trigger.is_own() {
            let text = original(connection, &place.schema, &trigger.name).await?;
            trigger.does = text.and_then(|text| deeds(&text, &place.schema));
        }
        triggers.push(trigger);
    }
    Ok(triggers)
}

/// What the trigger does, if its code is plain.
fn deeds(text: &str, schema: &str) -> Option<Deeds> {
    let words = words(text, Dialect::MySql);
    let is_head = |words: &[Word]| words.iter().zip(HEAD).all(|(word, head)| word.is(head));
    let start = words.windows(HEAD.len()).position(is_head)? + HEAD.len();
    Some(PlainCode::read(words.get(start..)?, Dialect::MySql)?.in_schema(schema))
}

/// What stands before a trigger's body.
const HEAD: [&str; 3] = ["for", "each", "row"];

/// The statement that made a trigger, as it was written: in `information_schema` MySQL
/// shows strings without what escapes their quotes. `None` if this account may not read it
/// (without the privilege TRIGGER), or if a mode gives quotes another meaning.
async fn original(
    connection: &mut MySqlConnection,
    schema: &str,
    name: &str,
) -> sqlx::Result<Option<String>> {
    const MODES: [&str; 3] = ["NO_BACKSLASH_ESCAPES", "ANSI", "ORACLE"];
    let (schema, name) = (MySql::quote(schema), MySql::quote(name));
    let show = AssertSqlSafe(format!("SHOW CREATE TRIGGER {schema}.{name}"));
    let row = match sqlx::raw_sql(show).fetch_one(connection).await {
        Err(sqlx::Error::Database(_)) => return Ok(None),
        row => row?,
    };
    let (modes, text): (String, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
    Ok(text.filter(|_| !MODES.iter().any(|mode| modes.contains(mode))))
}

/// Of the tables of its own schema: to look into all of them can take seconds.
async fn referenced_by(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<Vec<ForeignKey>> {
    foreign_keys(connection, "referenced_table_name", "table_name", place).await
}

async fn refers_to(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<Vec<ForeignKey>> {
    foreign_keys(connection, "table_name", "referenced_table_name", place).await
}

/// Those that have the table in the column `own` of `key_column_usage`, where the account
/// sees them, joined with their actions. An account with rights on single tables is not
/// told these: they may be anything.
async fn foreign_keys(
    connection: &mut MySqlConnection,
    own: &str,
    other: &str,
    place: &Place,
) -> sqlx::Result<Vec<ForeignKey>> {
    const QUERY: &str = "
        SELECT CONVERT(k.constraint_name USING utf8mb4), CONVERT(k.{other} USING utf8mb4),
               CONVERT(k.referenced_column_name USING utf8mb4),
               CONVERT(k.column_name USING utf8mb4),
               COALESCE(CONVERT(r.delete_rule USING utf8mb4), 'CASCADE'),
               COALESCE(CONVERT(r.update_rule USING utf8mb4), 'CASCADE')
        FROM information_schema.key_column_usage k
        LEFT JOIN information_schema.referential_constraints r
          ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
         AND r.table_name = k.table_name
        WHERE k.table_schema = ? AND k.{own} = ? AND k.referenced_table_schema = k.table_schema
          AND k.referenced_column_name IS NOT NULL
        ORDER BY k.table_name, k.constraint_name, k.ordinal_position";
    let query = AssertSqlSafe(QUERY.replace("{own}", own).replace("{other}", other));
    let query = sqlx::query_as(query).bind(&place.schema).bind(&place.name).persistent(false);
    type Found = (String, String, String, String, String, String);
    let found: Vec<Found> = query.fetch_all(connection).await?;
    let mut keys: Vec<ForeignKey> = Vec::new();
    for (name, other, column, referring, on_delete, on_update) in found {
        let other = format!("{}.{other}", place.schema);
        match keys.last_mut() {
            Some(key) if key.name == name && key.other == other => {
                key.referred.push(column);
                key.referring.push(referring);
            }
            _ => keys.push(ForeignKey {
                name,
                other,
                referred: vec![column],
                referring: vec![referring],
                on_delete: Action::of(&on_delete),
                on_update: Action::of(&on_update),
            }),
        }
    }
    Ok(keys)
}
