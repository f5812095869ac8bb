use super::{Part, Refusal, Triggers, Watched, WatchedIndex, WatchedOutbox};
use crate::{Backend as _, KeyKind, sql::split_table};
use sqlx::{AssertSqlSafe, PgConnection, Postgres};
use std::collections::HashMap;

impl Triggers for Postgres {
    async fn sql(connection: &mut PgConnection, watched: &Watched) -> Result<String, Refusal> {
        let place = place(connection, watched).await?;
        let types = column_types(connection, place.oid).await?;
        let Watched { namespace, name, .. } = watched;
        let Place { outbox_schema, table, .. } = &place;
        let function = format!("{outbox_schema}.{name}");
        let Watched { key_name, parts, .. } = watched;
        let [old, new, every] =
            ["OLD", "NEW", "t"].map(|row| key(key_name, parts, &types, row, &place));
        let (old, new, every) = (old?, new?, every?);
        let values = values(watched, &types, &new, &place)?;
        let date =
            if watched.all_parts().any(has_date) { date(outbox_schema) } else { String::new() };
        // ALWAYS: what logical replication applies is no less a change.
        Ok(format!(
            "\
{date}CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS $cached_orm$
DECLARE
    -- What the library writes by itself, it tells the cache by itself: of this
    -- row, and of the indexes that are named behind its key.
    own text := CASE WHEN pg_trigger_depth() = 1
                     THEN current_setting('cached_orm.own_key', true) END;
    own_key text := substring(own FROM '^.*[)]');
    own_indexes text := substring(own FROM '[^)]*$');
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO {outbox_schema}.cached_orm_outbox (namespace, cache_key)
        SELECT '{namespace}', key FROM (
            SELECT {every} FROM {table} AS t
        ) AS changed (key) WHERE key IS NOT NULL;
    ELSE
        INSERT INTO {outbox_schema}.cached_orm_outbox (namespace, cache_key)
        SELECT '{namespace}', key FROM (
            SELECT {old}
            UNION
            SELECT {new}
        ) AS changed (key) WHERE key IS NOT NULL AND '{namespace}:' || key IS DISTINCT FROM own_key{values};
    END IF;
    IF FOUND THEN
        PERFORM pg_notify('cached_orm_outbox', '{namespace}');
    END IF;
    RETURN NULL;
END $cached_orm$;
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;
CREATE OR REPLACE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {function}();
CREATE OR REPLACE TRIGGER {name}_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}, ENABLE ALWAYS TRIGGER {name}_truncate;
"
        ))
    }

    /// Sent as one, they are one transaction.
    async fn install(connection: &mut PgConnection, sql: String) -> sqlx::Result<()> {
        // Names in it are quoted.
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
    }
}

/// Where the table and the outbox are; names are quoted.
struct Place {
    oid: i64,
    table: String,
    outbox_schema: String,
}

async fn place(connection: &mut PgConnection, watched: &Watched) -> Result<Place, Refusal> {
    const QUERY: &str = "
        SELECT c.oid::bigint, quote_ident(n.nspname) || '.' || quote_ident(c.relname),
               c.relkind::text, c.relhassubclass,
               (SELECT quote_ident(s.nspname)
                FROM pg_class o JOIN pg_namespace s ON s.oid = o.relnamespace
                WHERE o.oid = to_regclass('cached_orm_outbox')),
               quote_ident(current_schema())
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass($1)";
    let (schema, name) = split_table(&watched.table);
    let quoted = match schema {
        Some(schema) => format!("{}.{}", Postgres::quote(schema), Postgres::quote(name)),
        None => Postgres::quote(name),
    };
    type Found = (i64, String, String, bool, Option<String>, Option<String>);
    let found: Option<Found> =
        sqlx::query_as(QUERY).bind(quoted).fetch_optional(connection).await?;
    let Some((oid, table, kind, has_children, outbox_schema, current_schema)) = found else {
        return Err(Refusal::no_table(&watched.table));
    };
    let reason = match (kind.as_str(), has_children) {
        ("p", _) | ("r", false) => None,
        ("r", true) => Some("has child tables, which have triggers of their own"),
        ("v" | "m", _) => Some("is a view; others change the tables behind it"),
        ("f", _) => Some("is a foreign table, which others change elsewhere"),
        _ => Some("is no table"),
    };
    if let Some(reason) = reason {
        return Err(Refusal::Reason(format!("`{}` {reason}", watched.table)));
    }
    let planned = current_schema.filter(|_| watched.outbox == WatchedOutbox::Planned);
    let outbox_schema = outbox_schema.or(planned).ok_or_else(Refusal::no_outbox)?;
    Ok(Place { oid, table, outbox_schema })
}

/// The columns' types: those under a domain, and `enum` for an enum's.
async fn column_types(
    connection: &mut PgConnection,
    oid: i64,
) -> sqlx::Result<HashMap<String, String>> {
    const QUERY: &str = "
        SELECT a.attname::text, CASE WHEN b.typtype = 'e' THEN 'enum' ELSE b.typname::text END
        FROM pg_attribute a
        JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
        WHERE a.attrelid::bigint = $1 AND a.attnum > 0 AND NOT a.attisdropped";
    let types: Vec<(String, String)> =
        sqlx::query_as(QUERY).bind(oid).fetch_all(connection).await?;
    Ok(types.into_iter().collect())
}

/// The rest of the statement that puts keys in: those of the values that a row
/// gets, unless its writer fences them.
fn values(
    watched: &Watched,
    types: &HashMap<String, String>,
    row_key: &str,
    place: &Place,
) -> Result<String, Refusal> {
    let namespace = &watched.namespace;
    let value = |WatchedIndex { name, key_name, parts }: &WatchedIndex| {
        let [old, new] = ["OLD", "NEW"].map(|row| key(key_name, parts, types, row, place));
        Ok(format!("            (' {name} ', {}, {})", old?, new?))
    };
    let values: Vec<String> = watched.indexes.iter().map(value).collect::<Result<_, Refusal>>()?;
    if values.is_empty() {
        return Ok(String::new());
    }
    let values = values.join(",\n");
    Ok(format!(
        "
        UNION ALL
        SELECT '{namespace}', key FROM (VALUES
{values}
        ) AS got (index, was, key)
        WHERE key IS NOT NULL AND key IS DISTINCT FROM was
          AND (own_key IS DISTINCT FROM '{namespace}:' || {row_key}
               OR position(index IN own_indexes) = 0)"
    ))
}

/// The key of a row, or of its value under an index; NULL if there is NULL in it.
fn key(
    name: &str,
    parts: &[Part],
    types: &HashMap<String, String>,
    row: &str,
    place: &Place,
) -> Result<String, Refusal> {
    let date = |at: &str| format!("{}.cached_orm_date({at})", place.outbox_schema);
    let part = |part: &Part| {
        let found = types.get(&part.column).ok_or_else(|| Refusal::no_column(&part.column))?;
        let column = format!("{row}.{}", Postgres::quote(&part.column));
        let text = text(part.kind, found, &column, &date)
            .ok_or_else(|| Refusal::wrong_type(part, found))?;
        Ok(format!("encode(convert_to({text}, 'UTF8'), 'hex')"))
    };
    let parts: Vec<String> = parts.iter().map(part).collect::<Result<_, Refusal>>()?;
    Ok(format!("'{name}(' || {} || ')'", parts.join(" || ')(' || ")))
}

/// The text that Rust writes of this column.
///
/// `date` makes the text of a timestamp's date.
pub(crate) fn text(
    kind: KeyKind,
    found: &str,
    column: &str,
    date: &dyn Fn(&str) -> String,
) -> Option<String> {
    const TIME: &str = r#""T"HH24-MI-SS.US"#;
    Some(match (kind, found) {
        (KeyKind::Integer, "int2" | "int4" | "int8") => format!("{column}::text"),
        (KeyKind::Integer, "char") => format!("{column}::integer::text"),
        (KeyKind::Bool, "bool") => format!("{column}::integer::text"),
        (KeyKind::Text, "text" | "varchar" | "name" | "citext" | "enum") => {
            format!("{column}::text")
        }
        // The cast would take the blanks away that fill it.
        (KeyKind::Text, "bpchar") => {
            format!("CASE WHEN {column} IS NOT NULL THEN concat({column}) END")
        }
        (KeyKind::Bytes, "bytea") => format!("encode({column}, 'hex')"),
        (KeyKind::Uuid, "uuid") => format!("{column}::text"),
        // Later ones would be out of range, here and in Rust.
        (KeyKind::Date, "date") => {
            date(&format!("CASE WHEN {column} < '294276-01-01' THEN {column}::timestamp END"))
        }
        (KeyKind::Time, "time") => format!("to_char({column}, 'HH24-MI-SS.US')"),
        (KeyKind::DateTime, "timestamp") => {
            format!("{} || to_char({column}, '{TIME}')", date(column))
        }
        (KeyKind::Timestamp, "timestamptz") => {
            let utc = format!("({column} AT TIME ZONE 'UTC')");
            format!("{} || to_char({utc}, '{TIME}\"Z\"')", date(&utc))
        }
        _ => return None,
    })
}

fn has_date(part: &Part) -> bool {
    matches!(part.kind, KeyKind::Date | KeyKind::DateTime | KeyKind::Timestamp)
}

fn date(schema: &str) -> String {
    let select = select_date("at");
    format!(
        "\
CREATE OR REPLACE FUNCTION {schema}.cached_orm_date(at timestamp) RETURNS text
LANGUAGE sql STABLE
AS $cached_orm$
    {select}
$cached_orm$;
"
    )
}

/// Years before 0 and after 9999 have a sign; PostgreSQL has no year 0.
pub(crate) fn select_date(at: &str) -> String {
    format!(
        "\
SELECT to_char(year, CASE WHEN year BETWEEN 0 AND 9999 THEN 'FM0000' ELSE 'FMSG999990000' END)
        || to_char({at}, '-MM-DD')
    FROM (SELECT extract(year FROM {at})::integer + CASE WHEN {at} < '0001-01-01' THEN 1 ELSE 0 END
          WHERE isfinite({at})) AS of (year)"
    )
}
