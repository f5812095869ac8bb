use super::{Part, Refusal, Triggers, TriggersFound, Watched, WatchedIndex, WatchedOutbox};
use crate::{
    Backend as _, KeyKind,
    sql::{ONE_AT_A_TIME_ON_POSTGRES as ONE_AT_A_TIME, begin_alone, split_table},
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Postgres};
use std::collections::HashMap;

impl Triggers for Postgres {
    async fn sql(connection: &mut PgConnection, watched: &Watched) -> Result<String, Refusal> {
        Ok(Wanted::of(connection, watched).await?.sql(&Missing::EVERYTHING))
    }

    /// Only to create a trigger waits for those who use the table: what is there
    /// already is left alone.
    async fn install(connection: &mut PgConnection, watched: &Watched) -> Result<(), Refusal> {
        let wanted = Wanted::of(connection, watched).await?;
        if wanted.missing(connection).await? == Missing::NOTHING {
            return Ok(());
        }
        let mut transaction = connection.begin_with(begin_alone()).await?;
        transaction.execute(ONE_AT_A_TIME).await?;
        let missing = wanted.missing(&mut transaction).await?;
        if missing != Missing::NOTHING {
            // Names in it are quoted.
            let sql = AssertSqlSafe(wanted.sql(&missing));
            sqlx::raw_sql(sql).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn uninstall(
        connection: &mut PgConnection,
        table: &str,
        name: &str,
    ) -> Result<bool, Refusal> {
        const QUERY: &str = "
            SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), quote_ident(t.tgname),
                   t.tgfoid::regprocedure::text,
                   NOT EXISTS (SELECT FROM pg_trigger o
                               WHERE o.tgfoid = t.tgfoid AND o.tgrelid <> t.tgrelid
                                 AND o.tgparentid = 0)
            FROM pg_trigger t
            JOIN pg_class c ON c.oid = t.tgrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE t.tgrelid = to_regclass($1) AND t.tgname IN ($2, $2 || '_truncate')
            ORDER BY t.tgname";
        type Found = (String, String, String, bool);
        let find = || sqlx::query_as(QUERY).bind(quoted(table)).bind(name);
        let found: Vec<Found> = find().fetch_all(&mut *connection).await?;
        if found.is_empty() {
            return Ok(false);
        }
        let mut transaction = connection.begin_with(begin_alone()).await?;
        transaction.execute(ONE_AT_A_TIME).await?;
        let found: Vec<Found> = find().fetch_all(&mut *transaction).await?;
        let mut sql = String::new();
        for (table, trigger, _, _) in &found {
            sql.push_str(&format!("DROP TRIGGER {trigger} ON {table};\n"));
        }
        if let Some((_, _, function, true)) = found.first() {
            sql.push_str(&format!("DROP FUNCTION {function};\n"));
        }
        // Names in it are quoted.
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(!found.is_empty())
    }

    async fn triggers_found(connection: &mut PgConnection) -> sqlx::Result<Vec<TriggersFound>> {
        const QUERY: &str = "
            SELECT n.nspname || '.' || c.relname, t.tgname::text, p.prosrc
            FROM pg_trigger t
            JOIN pg_class c ON c.oid = t.tgrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_proc p ON p.oid = t.tgfoid
            JOIN pg_class o ON o.oid = to_regclass('cached_orm_outbox')
                 AND o.relnamespace = p.pronamespace
            WHERE starts_with(t.tgname, 'cached_orm_') AND t.tgtype & 32 = 0 AND t.tgparentid = 0
            ORDER BY 1, 2";
        let found: Vec<(String, String, String)> =
            sqlx::query_as(QUERY).fetch_all(connection).await?;
        Ok(found.into_iter().filter_map(TriggersFound::of).collect())
    }

    fn was_beside_another(error: &sqlx::Error) -> bool {
        // "tuple concurrently updated", and names that are there all at once.
        const CODES: [&str; 7] = ["XX000", "23505", "42P07", "42710", "42723", "40001", "40P01"];
        let code = error.as_database_error().and_then(|error| error.code());
        code.is_some_and(|code| CODES.contains(&&*code))
    }
}

/// The triggers as they are to be.
struct Wanted {
    place: Place,
    /// Of the triggers, and of their function.
    name: String,
    /// The function that writes dates, where one is needed.
    date: Option<String>,
    body: String,
}

/// What of them there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Missing {
    functions: bool,
    triggers: bool,
}

impl Missing {
    const NOTHING: Self = Self { functions: false, triggers: false };
    const EVERYTHING: Self = Self { functions: true, triggers: true };
}

impl Wanted {
    async fn of(connection: &mut PgConnection, watched: &Watched) -> Result<Self, Refusal> {
        let place = place(connection, watched).await?;
        let types = column_types(connection, place.oid).await?;
        let Watched { namespace, name, .. } = watched;
        let Place { outbox_schema, table, .. } = &place;
        let Watched { key_name, parts, .. } = watched;
        let [old, new, every] =
            ["OLD", "NEW", "t"].map(|row| key(key_name, parts, &types, row, &place));
        let (old, new, every) = (old?, new?, every?);
        let values = values(watched, &types, &new, &place)?;
        let date = watched.all_parts().any(has_date).then(date);
        let body = format!(
            "
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
END "
        );
        Ok(Self { name: name.clone(), date, body, place })
    }

    /// The statements that create what is missing.
    fn sql(&self, missing: &Missing) -> String {
        let Self { name, date, body, place: Place { outbox_schema, table, .. } } = self;
        let function = format!("{outbox_schema}.{name}");
        let mut sql = String::new();
        if missing.functions {
            if let Some(date) = date {
                sql.push_str(&format!(
                    "\
CREATE OR REPLACE FUNCTION {outbox_schema}.cached_orm_date(at timestamp) RETURNS text
LANGUAGE sql STABLE
AS $cached_orm${date}$cached_orm$;
"
                ));
            }
            sql.push_str(&format!(
                "\
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET row_security = off
AS $cached_orm${body}$cached_orm$;
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;
"
            ));
        }
        if missing.triggers {
            // ALWAYS: what logical replication applies is no less a change.
            sql.push_str(&format!(
                "\
CREATE OR REPLACE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {function}();
CREATE OR REPLACE TRIGGER {name}_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}, ENABLE ALWAYS TRIGGER {name}_truncate;
"
            ));
        }
        sql
    }

    /// The text of a function is kept as it was given.
    async fn missing(&self, connection: &mut PgConnection) -> sqlx::Result<Missing> {
        const QUERY: &str = "
            WITH functions AS (
                SELECT p.* FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                WHERE quote_ident(n.nspname) = $1
            ), triggers AS (
                SELECT t.tgname, t.tgtype FROM pg_trigger t JOIN functions p ON p.oid = t.tgfoid
                WHERE t.tgrelid::bigint = $4 AND p.proname = $2 AND p.pronargs = 0
                  AND t.tgenabled = 'A' AND t.tgqual IS NULL AND t.tgattr = ''
            )
            SELECT EXISTS (SELECT FROM functions
                           WHERE proname = $2 AND pronargs = 0 AND prosrc = $3 AND prosecdef
                             AND proconfig = ARRAY['search_path=pg_catalog, pg_temp',
                                                   'row_security=off'])
               AND ($5::text IS NULL
                    OR EXISTS (SELECT FROM functions
                               WHERE proname = 'cached_orm_date' AND prosrc = $5)),
                   EXISTS (SELECT FROM triggers WHERE tgname = $2 AND tgtype = 29)
               AND EXISTS (SELECT FROM triggers WHERE tgname = $2 || '_truncate' AND tgtype = 34)";
        let Self { name, date, body, place } = self;
        let query = sqlx::query_as(QUERY).bind(&place.outbox_schema).bind(name).bind(body);
        let (functions, triggers): (bool, bool) =
            query.bind(place.oid).bind(date).fetch_one(connection).await?;
        Ok(Missing { functions: !functions, triggers: !triggers })
    }
}

/// The table as a text for `to_regclass`.
fn quoted(table: &str) -> String {
    let (schema, name) = split_table(table);
    match schema {
        Some(schema) => format!("{}.{}", Postgres::quote(schema), Postgres::quote(name)),
        None => Postgres::quote(name),
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
    let quoted = quoted(&watched.table);
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

/// The text of the function that writes dates.
fn date() -> String {
    format!("\n    {}\n", select_date("at"))
}

/// Years before 0 and after 9999 have a sign; PostgreSQL has no year 0. Infinity, which
/// Rust cannot read, has no text; nothing of it is computed, which fails.
pub(crate) fn select_date(at: &str) -> String {
    format!(
        "\
SELECT to_char(year, CASE WHEN year BETWEEN 0 AND 9999 THEN 'FM0000' ELSE 'FMSG999990000' END)
        || to_char({at}, '-MM-DD')
    FROM (SELECT CASE WHEN isfinite({at})
                      THEN extract(year FROM {at})::integer
                           + CASE WHEN {at} < '0001-01-01' THEN 1 ELSE 0 END
                 END) AS of (year)"
    )
}
