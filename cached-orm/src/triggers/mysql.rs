use super::{Part, Refusal, Triggers, TriggersFound, Watched, WatchedIndex, WatchedOutbox};
use crate::{
    Backend as _, KeyKind,
    sql::{NEXT_ONE_ON_MYSQL as NEXT_ONE, ONE_AT_A_TIME_ON_MYSQL as ONE_AT_A_TIME, split_table},
};
use sqlx::{AssertSqlSafe, MySql, MySqlConnection, mysql::MySqlDatabaseError};
use std::collections::HashMap;

impl Triggers for MySql {
    /// One statement in each trigger, for programs that take a semicolon for the
    /// end. VALUES where it can be: `INSERT … SELECT` locks the outbox's counter
    /// for as long as the writer's statement runs.
    async fn sql(connection: &mut MySqlConnection, watched: &Watched) -> Result<String, Refusal> {
        Ok(Wanted::of(connection, watched).await?.sql())
    }

    async fn install(connection: &mut MySqlConnection, watched: &Watched) -> Result<(), Refusal> {
        let wanted = Wanted::of(connection, watched).await?;
        if wanted.are_installed(connection).await? {
            return Ok(());
        }
        sqlx::query(ONE_AT_A_TIME).execute(&mut *connection).await?;
        let installed = wanted.install_alone(connection).await;
        sqlx::query(NEXT_ONE).execute(connection).await?;
        Ok(installed?)
    }

    async fn uninstall(
        connection: &mut MySqlConnection,
        table: &str,
        name: &str,
    ) -> Result<bool, Refusal> {
        const QUERY: &str = "
            SELECT CONVERT(trigger_schema USING utf8mb4), CONVERT(trigger_name USING utf8mb4)
            FROM information_schema.triggers
            WHERE trigger_schema = COALESCE(?, DATABASE()) AND event_object_table = ?
              AND LEFT(trigger_name, CHAR_LENGTH(?)) = ?";
        let (schema, table) = split_table(table);
        let prefix = format!("{name}_");
        let query = sqlx::query_as(QUERY).bind(schema).bind(table).bind(&prefix).bind(&prefix);
        let found: Vec<(String, String)> = query.fetch_all(&mut *connection).await?;
        for (schema, trigger) in &found {
            let (schema, trigger) = (MySql::quote(schema), MySql::quote(trigger));
            // Another may have dropped it.
            let sql = AssertSqlSafe(format!("DROP TRIGGER IF EXISTS {schema}.{trigger}"));
            sqlx::raw_sql(sql).execute(&mut *connection).await?;
        }
        Ok(!found.is_empty())
    }

    async fn triggers_found(connection: &mut MySqlConnection) -> sqlx::Result<Vec<TriggersFound>> {
        const QUERY: &str = "
            SELECT CONVERT(event_object_table USING utf8mb4),
                   CONVERT(trigger_name USING utf8mb4),
                   CONVERT(action_statement USING utf8mb4)
            FROM information_schema.triggers
            WHERE trigger_schema = DATABASE() AND LEFT(trigger_name, 11) = 'cached_orm_'
              AND RIGHT(trigger_name, 7) = '_delete'
            ORDER BY 1, 2";
        let found: Vec<(String, String, String)> =
            sqlx::query_as(QUERY).fetch_all(connection).await?;
        let name = |name: &str| name.strip_suffix("_delete").unwrap_or(name).to_owned();
        let found = found.into_iter().map(|(table, trigger, sql)| (table, name(&trigger), sql));
        Ok(found.filter_map(TriggersFound::of).collect())
    }

    fn was_beside_another(error: &sqlx::Error) -> bool {
        // A trigger is there already, or is not; a deadlock.
        const NUMBERS: [u16; 3] = [1359, 1360, 1213];
        let error = error.as_database_error();
        let error = error.and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
        error.is_some_and(|error| NUMBERS.contains(&error.number()))
    }
}

/// The triggers as they are to be.
struct Wanted {
    place: Place,
    triggers: Vec<Trigger>,
}

struct Trigger {
    name: String,
    event: &'static str,
    body: String,
}

impl Wanted {
    async fn of(connection: &mut MySqlConnection, watched: &Watched) -> Result<Self, Refusal> {
        let place = place(connection, watched).await?;
        let types = column_types(connection, &place).await?;
        let Watched { key_name, parts, .. } = watched;
        let [old, new] = ["OLD", "NEW"].map(|row| key(key_name, parts, &types, row));
        let (old, new) = (old?, new?);
        if let Some(column) = nullable(parts, &types) {
            return Err(Refusal::Reason(format!("the key column `{column}` can be NULL")));
        }
        let Watched { namespace, name, .. } = watched;
        let Place { outbox, .. } = &place;
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
        let trigger =
            |(suffix, event, body)| Trigger { name: format!("{name}_{suffix}"), event, body };
        let triggers = triggers.into_iter().map(trigger).collect();
        Ok(Self { place, triggers })
    }

    fn sql(&self) -> String {
        let Self { place: Place { schema, table, .. }, triggers } = self;
        // No write falls between an old trigger and its successor.
        let mut sql = format!("LOCK TABLES {table} WRITE;\n");
        for Trigger { name, event, body } in triggers {
            sql.push_str(&format!(
                "DROP TRIGGER IF EXISTS {schema}.{name};\n\
                 CREATE TRIGGER {schema}.{name} AFTER {event} ON {table} FOR EACH ROW\n{body};\n"
            ));
        }
        sql.push_str("UNLOCK TABLES;\n");
        sql
    }

    async fn install_alone(&self, connection: &mut MySqlConnection) -> sqlx::Result<()> {
        if self.are_installed(connection).await? {
            return Ok(());
        }
        // Names in it are quoted.
        let sql = AssertSqlSafe(self.sql());
        let installed = sqlx::raw_sql(sql).execute(&mut *connection).await;
        if installed.is_err() {
            sqlx::raw_sql("UNLOCK TABLES").execute(connection).await?;
        }
        installed.map(drop)
    }

    /// Whether these very triggers are there: to lock the table would wait for all
    /// who use it.
    async fn are_installed(&self, connection: &mut MySqlConnection) -> sqlx::Result<bool> {
        const QUERY: &str = "
            SELECT CONVERT(trigger_name USING utf8mb4), CONVERT(event_manipulation USING utf8mb4),
                   CONVERT(action_statement USING utf8mb4)
            FROM information_schema.triggers
            WHERE trigger_schema = ? AND event_object_table = ? AND action_timing = 'AFTER'";
        let (schema, table) = &self.place.found;
        let query = sqlx::query_as(QUERY).bind(schema).bind(table);
        let found: Vec<(String, String, String)> = query.fetch_all(connection).await?;
        Ok(self.triggers.iter().all(|wanted| {
            let is_wanted = |(name, event, body): &(String, String, String)| {
                (name, event.as_str()) == (&wanted.name, wanted.event)
                    && bare(body) == bare(&wanted.body)
            };
            found.iter().any(is_wanted)
        }))
    }
}

/// A trigger's text without what servers and clients make of it: MySQL keeps the
/// semicolon behind it, and may tell the character set of every string (`_utf8mb4'…'`);
/// a shell may take line breaks away.
fn bare(body: &str) -> String {
    let mut bare = String::with_capacity(body.len());
    let body = body.trim_end().trim_end_matches(';');
    for (number, piece) in body.split('\'').enumerate() {
        if number > 0 {
            bare.push('\'');
        }
        // Every other piece is the inside of a string, in which there is no quote.
        let is_inside = number % 2 == 1;
        let piece = if is_inside { piece } else { without_introducer(piece) };
        bare.extend(piece.chars().filter(|char| is_inside || !char.is_whitespace()));
    }
    bare
}

/// What stands before a string, without its character set.
fn without_introducer(before: &str) -> &str {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let before = before.trim_end();
    let rest = before.trim_end_matches(is_part);
    let last = &before[rest.len()..];
    match last.find("_utf8").or_else(|| last.find("_latin1")).or_else(|| last.find("_ascii")) {
        Some(at) => &before[..rest.len() + at],
        None => before,
    }
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
            format!("LOWER({})", hyphenated(&format!("HEX({column})")))
        }
        (
            KeyKind::UuidText,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "uuid",
        ) => uuid_text(column),
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

/// A UUID's digits with its hyphens.
fn hyphenated(digits: &str) -> String {
    let hyphen = |text: String, at: u8| format!("INSERT({text}, {at}, 0, '-')");
    [9, 14, 19, 24].into_iter().fold(digits.to_owned(), hyphen)
}

/// A UUID in whatever form the driver reads, in that of keys.
fn uuid_text(column: &str) -> String {
    let digits = ["urn:uuid:", "{", "}", "-"]
        .into_iter()
        .fold(format!("LOWER(CONVERT({column} USING utf8mb4))"), |text, other| {
            format!("REPLACE({text}, '{other}', '')")
        });
    hyphenated(&digits)
}

/// A TIMESTAMP whatever the session's time zone is, also in the hour that comes
/// twice in autumn.
fn in_utc(column: &str) -> String {
    format!("TIMESTAMP'1970-01-01 00:00:00' + INTERVAL UNIX_TIMESTAMP({column}) SECOND")
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn what_a_server_or_a_shell_makes_of_a_text_is_the_same_text() {
        let wanted = "INSERT INTO `shop`.o (namespace, cache_key)\nVALUES ('a_utf8 b', \
                      CONCAT('hex t:(', TIMESTAMP'1970-01-01 00:00:00'))";
        for found in [
            "INSERT INTO `shop`.o (namespace, cache_key) VALUES ('a_utf8 b', \
             CONCAT('hex t:(', TIMESTAMP'1970-01-01 00:00:00'));",
            "INSERT INTO `shop`.o (namespace, cache_key)\nVALUES (_utf8mb4'a_utf8 b', \
             CONCAT(_utf8mb4'hex t:(', TIMESTAMP_utf8mb4'1970-01-01 00:00:00')) ;\n",
            "INSERT INTO `shop`.o (namespace, cache_key)\nVALUES (_latin1'a_utf8 b', \
             CONCAT(_latin1 'hex t:(', TIMESTAMP'1970-01-01 00:00:00'))",
        ] {
            assert_eq!(bare(found), bare(wanted));
        }
        for other in ["'a_utf8  b'", "'a b'"] {
            assert_ne!(bare(&wanted.replace("'a_utf8 b'", other)), bare(wanted));
        }
    }
}
