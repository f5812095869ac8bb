use super::{Part, Refusal, Triggers, Watched, WatchedIndex, WatchedOutbox};
use crate::{Backend as _, KeyKind, sql::split_table};
use sqlx::{AssertSqlSafe, MySql, MySqlConnection};
use std::collections::HashMap;

impl Triggers for MySql {
    /// One statement in each trigger, for programs that take a semicolon for the
    /// end. VALUES where it can be: `INSERT … SELECT` locks the outbox's counter
    /// for as long as the writer's statement runs.
    async fn sql(connection: &mut MySqlConnection, watched: &Watched) -> Result<String, Refusal> {
        let place = place(connection, watched).await?;
        let types = column_types(connection, &place).await?;
        let Watched { key_name, parts, .. } = watched;
        let [old, new] = ["OLD", "NEW"].map(|row| key(key_name, parts, &types, row));
        let (old, new) = (old?, new?);
        if let Some(column) = nullable(parts, &types) {
            return Err(Refusal::Reason(format!("the key column `{column}` can be NULL")));
        }
        let Watched { namespace, name, .. } = watched;
        let Place { schema, table, outbox, .. } = &place;
        let put = format!("INSERT INTO {outbox} (namespace, cache_key)");
        let values = |key: &str| format!("{put}\nVALUES ('{namespace}', {key})");
        let select = |key: &str, condition: &str| {
            format!("{put}\nSELECT '{namespace}', {key} FROM DUAL\nWHERE {condition}")
        };
        let mut triggers = vec![
            ("insert".to_owned(), "INSERT", values(&new)),
            ("update".to_owned(), "UPDATE", values(&new)),
            ("moved".to_owned(), "UPDATE", select(&old, &format!("{old} <> {new}"))),
            ("delete".to_owned(), "DELETE", values(&old)),
        ];
        for (number, WatchedIndex { key_name, parts, .. }) in watched.indexes.iter().enumerate() {
            let [old, new] = ["OLD", "NEW"].map(|row| key(key_name, parts, &types, row));
            let (old, new) = (old?, new?);
            let got = match nullable(parts, &types) {
                Some(_) => select(&new, &format!("{new} IS NOT NULL")),
                None => values(&new),
            };
            triggers.push((format!("x{number}_insert"), "INSERT", got));
            let is_other = format!("{new} IS NOT NULL AND NOT ({old} <=> {new})");
            triggers.push((format!("x{number}_update"), "UPDATE", select(&new, &is_other)));
        }
        // No write falls between an old trigger and its successor.
        let mut sql = format!("LOCK TABLES {table} WRITE;\n");
        for (suffix, event, body) in triggers {
            let drop = format!("DROP TRIGGER IF EXISTS {schema}.{name}_{suffix};\n");
            sql.push_str(&drop);
            sql.push_str(&create(schema, &format!("{name}_{suffix}"), event, table, &body));
        }
        sql.push_str("UNLOCK TABLES;\n");
        Ok(sql)
    }

    async fn install(connection: &mut MySqlConnection, sql: String) -> sqlx::Result<()> {
        if are_installed(connection, &sql).await? {
            return Ok(());
        }
        // Names in it are quoted.
        let installed = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await;
        if installed.is_err() {
            sqlx::raw_sql("UNLOCK TABLES").execute(connection).await?;
        }
        installed.map(drop)
    }
}

fn create(schema: &str, name: &str, event: &str, table: &str, body: &str) -> String {
    format!("CREATE TRIGGER {schema}.{name} AFTER {event} ON {table} FOR EACH ROW\n{body};\n")
}

/// Whether these very triggers are there: to lock the table would wait for all
/// who use it.
async fn are_installed(connection: &mut MySqlConnection, sql: &str) -> sqlx::Result<bool> {
    const QUERY: &str = "
        SELECT CONVERT(trigger_schema USING utf8mb4), CONVERT(trigger_name USING utf8mb4),
               CONVERT(event_manipulation USING utf8mb4),
               CONVERT(event_object_table USING utf8mb4),
               CONVERT(action_statement USING utf8mb4)
        FROM information_schema.triggers
        WHERE LEFT(trigger_name, 11) = 'cached_orm_' AND action_timing = 'AFTER'";
    type Found = (String, String, String, String, String);
    let found: Vec<Found> = sqlx::query_as(QUERY).fetch_all(connection).await?;
    let is_wanted = |(schema, name, event, table, body): &&Found| {
        let schema = MySql::quote(schema);
        let table = format!("{schema}.{}", MySql::quote(table));
        sql.contains(&create(&schema, name, event, &table, body))
    };
    let wanted = sql.matches("CREATE TRIGGER").count();
    Ok(found.iter().filter(is_wanted).count() == wanted)
}

/// Where the table and the outbox are; names are quoted.
struct Place {
    schema: String,
    table: String,
    outbox: String,
    /// As they are in the catalog.
    found: (String, String),
}

async fn place(connection: &mut MySqlConnection, watched: &Watched) -> Result<Place, Refusal> {
    const TABLE: &str = "
        SELECT CONVERT(t.table_schema USING utf8mb4), CONVERT(t.table_name USING utf8mb4),
               CONVERT(t.table_type USING utf8mb4), CONVERT(t.engine USING utf8mb4)
        FROM information_schema.tables t
        WHERE t.table_schema = COALESCE(?, DATABASE()) AND t.table_name = ?";
    const OUTBOX: &str = "
        SELECT CONVERT(table_schema USING utf8mb4) FROM information_schema.tables
        WHERE table_schema = DATABASE() AND table_name = 'cached_orm_outbox'";
    const PLANNED: &str = "SELECT CONVERT(DATABASE() USING utf8mb4)";
    const CASCADES: &str = "
        SELECT CONVERT(constraint_name USING utf8mb4)
        FROM information_schema.referential_constraints
        WHERE constraint_schema = ? AND table_name = ?
          AND (update_rule NOT IN ('RESTRICT', 'NO ACTION')
               OR delete_rule NOT IN ('RESTRICT', 'NO ACTION'))
        ORDER BY constraint_name";
    let refused = |reason: String| Err(Refusal::Reason(reason));
    let (schema, name) = split_table(&watched.table);
    type Found = (String, String, String, Option<String>);
    let found: Option<Found> =
        sqlx::query_as(TABLE).bind(schema).bind(name).fetch_optional(&mut *connection).await?;
    let Some((schema, name, kind, engine)) = found else {
        return Err(Refusal::no_table(&watched.table));
    };
    if kind.contains("VIEW") {
        return refused(format!(
            "`{}` is a view; others change the tables behind it",
            watched.table
        ));
    }
    if engine.as_deref() != Some("InnoDB") {
        return refused(format!(
            "the engine of `{}` is not InnoDB, so its changes and the outbox's are not one transaction",
            watched.table
        ));
    }
    let mut outbox: Option<String> =
        sqlx::query_scalar(OUTBOX).fetch_optional(&mut *connection).await?;
    if outbox.is_none() && watched.outbox == WatchedOutbox::Planned {
        outbox = sqlx::query_scalar(PLANNED).fetch_one(&mut *connection).await?;
    }
    let outbox = outbox.ok_or_else(Refusal::no_outbox)?;
    let cascades: Vec<String> =
        sqlx::query_scalar(CASCADES).bind(&schema).bind(&name).fetch_all(connection).await?;
    if !cascades.is_empty() {
        return refused(format!(
            "InnoDB fires no triggers for rows that foreign keys change, and these of `{}` do: {}",
            watched.table,
            cascades.join(", ")
        ));
    }
    let (quoted_schema, quoted_name) = (MySql::quote(&schema), MySql::quote(&name));
    Ok(Place {
        table: format!("{quoted_schema}.{quoted_name}"),
        schema: quoted_schema,
        outbox: format!("{}.cached_orm_outbox", MySql::quote(&outbox)),
        found: (schema, name),
    })
}

/// What the catalog says of a column.
struct Column {
    data_type: String,
    is_nullable: bool,
    /// Whether the driver reads the column in the zone that triggers assume.
    is_read_in_utc: bool,
}

async fn column_types(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<HashMap<String, Column>> {
    const QUERY: &str = "
        SELECT CONVERT(column_name USING utf8mb4), LOWER(CONVERT(data_type USING utf8mb4)),
               is_nullable = 'YES', @@session.time_zone = '+00:00'
        FROM information_schema.columns WHERE table_schema = ? AND table_name = ?";
    let (schema, name) = &place.found;
    let columns: Vec<(String, String, bool, bool)> =
        sqlx::query_as(QUERY).bind(schema).bind(name).fetch_all(connection).await?;
    let column = |(name, data_type, is_nullable, is_read_in_utc): (String, _, _, _)| {
        (name.to_lowercase(), Column { data_type, is_nullable, is_read_in_utc })
    };
    Ok(columns.into_iter().map(column).collect())
}

/// The first column among these that can be NULL.
fn nullable<'p>(parts: &'p [Part], types: &HashMap<String, Column>) -> Option<&'p str> {
    let is_nullable = |part: &&Part| {
        types.get(&part.column.to_lowercase()).is_some_and(|column| column.is_nullable)
    };
    parts.iter().find(is_nullable).map(|part| part.column.as_str())
}

/// The key of a row, or of its value under an index; NULL if there is NULL in it.
fn key(
    name: &str,
    parts: &[Part],
    types: &HashMap<String, Column>,
    row: &str,
) -> Result<String, Refusal> {
    let part = |part: &Part| {
        let Part { column, kind } = part;
        let found = types.get(&column.to_lowercase()).ok_or_else(|| Refusal::no_column(column))?;
        if found.data_type == "timestamp" && !found.is_read_in_utc {
            return Err(Refusal::Reason(format!(
                "the pool's connections do not read the TIMESTAMP column `{column}` in UTC"
            )));
        }
        let column = format!("{row}.{}", MySql::quote(column));
        let text = text(*kind, &found.data_type, &column)
            .ok_or_else(|| Refusal::wrong_type(part, &found.data_type))?;
        Ok(format!("HEX(CONVERT({text} USING utf8mb4))"))
    };
    let parts: Vec<String> = parts.iter().map(part).collect::<Result<_, Refusal>>()?;
    Ok(format!("CONCAT('{name}(', {}, ')')", parts.join(", ')(', ")))
}

/// The text that Rust writes of this column.
pub(crate) fn text(kind: KeyKind, found: &str, column: &str) -> Option<String> {
    const DATE_TIME: &str = "%Y-%m-%dT%H-%i-%s.%f";
    Some(match (kind, found) {
        // ZEROFILL is a matter of printing; a sum has none.
        (KeyKind::Integer, "tinyint" | "smallint" | "mediumint" | "int" | "bigint") => {
            format!("({column} + 0)")
        }
        (KeyKind::Bool, "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "bit") => {
            format!("({column} <> 0)")
        }
        (
            KeyKind::Text,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum",
        ) => column.to_owned(),
        (
            KeyKind::Bytes,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob",
        ) => format!("LOWER(HEX({column}))"),
        (KeyKind::Uuid, "binary" | "varbinary") => {
            let hyphen = |text: String, at: u8| format!("INSERT({text}, {at}, 0, '-')");
            let text = [9, 14, 19, 24].into_iter().fold(format!("HEX({column})"), hyphen);
            format!("LOWER({text})")
        }
        (KeyKind::Date, "date") => format!("DATE_FORMAT({column}, '%Y-%m-%d')"),
        (KeyKind::Time, "time") => format!("TIME_FORMAT({column}, '%H-%i-%s.%f')"),
        (KeyKind::DateTime, "datetime") => format!("DATE_FORMAT({column}, '{DATE_TIME}')"),
        (KeyKind::DateTime, "timestamp") => {
            format!("DATE_FORMAT({}, '{DATE_TIME}')", in_utc(column))
        }
        (KeyKind::Timestamp, "datetime") => format!("DATE_FORMAT({column}, '{DATE_TIME}Z')"),
        (KeyKind::Timestamp, "timestamp") => {
            format!("DATE_FORMAT({}, '{DATE_TIME}Z')", in_utc(column))
        }
        _ => return None,
    })
}

/// A TIMESTAMP whatever the session's time zone is, also in the hour that comes
/// twice in autumn.
fn in_utc(column: &str) -> String {
    format!("TIMESTAMP'1970-01-01 00:00:00' + INTERVAL UNIX_TIMESTAMP({column}) SECOND")
}
