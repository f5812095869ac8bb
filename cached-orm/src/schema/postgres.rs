use super::{
    consequences::{Named, NamedObject, WrittenTable, body, written_tables},
    description::{
        Action, ColumnDescription, Describe, Events, ForeignKey, IndexDescription, RowSecurity,
        RowsShown, TableDescription, TableKind, TableLifetime, Timing, TriggerDescription,
    },
    mentions::{Code, CodeKind},
    words::{Dialect, keeps_nulls, words},
};
use crate::{Backend as _, sql::split_table};
use sqlx::{AssertSqlSafe, PgConnection, Postgres};

impl Describe for Postgres {
    const DIALECT: Dialect = Dialect::Postgres;

    async fn describe(
        connection: &mut PgConnection,
        name: &str,
    ) -> sqlx::Result<Option<TableDescription>> {
        let quoted = quoted(name);
        let Some((oid, mut table)) = table(connection, &quoted).await? else { return Ok(None) };
        table.columns = columns(connection, oid).await?;
        table.indexes = indexes(connection, oid).await?;
        table.triggers = triggers(connection, oid).await?;
        table.defaults_write = defaults_write(connection, oid).await?;
        table.rules = rules(connection, oid).await?;
        table.referenced_by = foreign_keys(connection, oid, Seen::FromReferred).await?;
        table.refers_to = foreign_keys(connection, oid, Seen::FromReferring).await?;
        Ok(Some(table))
    }

    async fn named(connection: &mut PgConnection, code: &Code) -> sqlx::Result<Vec<Named>> {
        let mut named = relations(connection, code).await?;
        named.extend(routines(connection, code).await?);
        Ok(named)
    }

    /// CREATE TRIGGER, foreign keys, rules, partitions and the like change a row of
    /// `pg_class` or `pg_trigger`, and wait for the lock that a write has on the table.
    /// Its lock is older than what RETURNING sees, but where a snapshot is kept.
    fn stamp(name: &str) -> Option<String> {
        let table = quoted(name).replace('\'', "''");
        Some(stamp(&format!("'{table}'::regclass")))
    }
}

fn stamp(oid: &str) -> String {
    format!(
        "concat((SELECT k.xmin FROM pg_catalog.pg_class k WHERE k.oid = {oid}), \
         ARRAY(SELECT t.xmin FROM pg_catalog.pg_trigger t WHERE t.tgrelid = {oid} \
         ORDER BY t.oid), current_setting('transaction_isolation'))"
    )
}

const READ_COMMITTED: &str = "read committed";

fn quoted(name: &str) -> String {
    match split_table(name) {
        (Some(schema), name) => format!("{}.{}", Postgres::quote(schema), Postgres::quote(name)),
        (None, name) => Postgres::quote(name),
    }
}

async fn table(
    connection: &mut PgConnection,
    quoted: &str,
) -> sqlx::Result<Option<(i64, TableDescription)>> {
    const QUERY: &str = "
        SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text, c.relhassubclass,
               c.relpersistence::text, c.relrowsecurity, row_security_active(c.oid),
               pg_table_is_visible(c.oid), current_setting('transaction_isolation'),
               EXISTS (SELECT FROM pg_trigger t
                       WHERE t.tginitdeferred AND NOT t.tgisinternal
                         AND NOT starts_with(t.tgname, 'cached_orm_')),
               {stamp}, {relatives}
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
    type Found = (
        i64,
        String,
        String,
        String,
        bool,
        String,
        bool,
        bool,
        bool,
        String,
        bool,
        String,
        Vec<String>,
    );
    // In one statement, since in another one the facts could be other ones.
    let query =
        AssertSqlSafe(QUERY.replace("{stamp}", &stamp("c.oid")).replace("{relatives}", RELATIVES));
    let query = sqlx::query_as(query).bind(quoted).persistent(false);
    let found: Option<Found> = query.fetch_optional(&mut *connection).await?;
    let Some((oid, schema, name, kind, has_children, lifetime, secured, restricts, ..)) = &found
    else {
        return Ok(None);
    };
    let Some((.., is_visible, isolation, has_deferred_triggers, stamp, relatives)) = &found else {
        return Ok(None);
    };
    let identity = format!("{schema}.{name}");
    let other_name = (*is_visible && quoted != Postgres::quote(name)).then(|| name.clone());
    let table = TableDescription {
        identity,
        kind: match (kind.as_str(), has_children) {
            ("p", _) => TableKind::Partitioned,
            ("r", true) => TableKind::Inherited,
            ("v" | "m", _) => TableKind::View,
            ("f", _) => TableKind::Foreign,
            _ => TableKind::Ordinary,
        },
        lifetime: match lifetime.as_str() {
            "t" => TableLifetime::Temporary,
            "u" => TableLifetime::Unlogged,
            _ => TableLifetime::Permanent,
        },
        row_security: match (secured, restricts) {
            (false, _) => RowSecurity::Off,
            (true, false) => RowSecurity::Bypassed,
            (true, true) => RowSecurity::Active,
        },
        relatives: relatives.clone(),
        rows_shown: RowsShown::BeforeAfterTriggers,
        other_name,
        stamp: (isolation == READ_COMMITTED).then(|| stamp.clone()),
        has_deferred_triggers: *has_deferred_triggers,
        ..TableDescription::default()
    };
    Ok(Some((*oid, table)))
}

async fn columns(connection: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<ColumnDescription>> {
    const QUERY: &str = "
        SELECT a.attname::text, format_type(a.atttypid, a.atttypmod),
               NOT a.attnotnull AND NOT t.typnotnull
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid::bigint = $1 AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum";
    let query = sqlx::query_as(QUERY).bind(oid).persistent(false);
    let found: Vec<(String, String, bool)> = query.fetch_all(connection).await?;
    let column =
        |(name, type_name, is_nullable)| ColumnDescription { name, type_name, is_nullable };
    Ok(found.into_iter().map(column).collect())
}

/// What an index is made of stands in `pg_depend`, expressions included.
async fn indexes(connection: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<IndexDescription>> {
    const QUERY: &str = "
        SELECT c.relname::text, i.indisunique, i.indisprimary, i.indpred IS NOT NULL,
               NOT i.indimmediate, NOT (i.indisvalid AND i.indisready),
               ARRAY(SELECT DISTINCT a.attname::text
                     FROM pg_attribute a
                     WHERE a.attrelid = i.indrelid AND a.attnum > 0
                       AND (a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
                            OR EXISTS (SELECT FROM pg_depend d
                                       WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                         AND d.refclassid = 'pg_class'::regclass
                                         AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum
                                         AND 0 = ANY (i.indkey::int2[])
                                         AND a.attnum <> ALL (i.indkey::int2[])))),
               ARRAY(SELECT COALESCE(a.attname::text, '')
                     FROM generate_series(0, i.indnkeyatts - 1) AS k (at)
                     LEFT JOIN pg_attribute a
                       ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.at] AND a.attnum > 0
                     ORDER BY k.at),
               EXISTS (SELECT FROM generate_series(0, i.indnkeyatts - 1) AS k (at)
                       JOIN pg_attribute a
                         ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.at] AND a.attnum > 0
                       WHERE i.indcollation[k.at] <> a.attcollation),
               ARRAY(SELECT pg_get_indexdef(c.oid, k.at + 1, TRUE)
                     FROM generate_series(0, i.indnkeyatts - 1) AS k (at) WHERE i.indkey[k.at] = 0)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid::bigint = $1
        ORDER BY i.indisprimary DESC, c.relname";
    type Found =
        (String, bool, bool, bool, bool, bool, Vec<String>, Vec<String>, bool, Vec<String>);
    let query = sqlx::query_as(QUERY).bind(oid).persistent(false);
    let found: Vec<Found> = query.fetch_all(connection).await?;
    let index = |found: Found| {
        let (name, is_unique, is_primary, is_partial, is_deferrable, is_invalid, ..) = &found;
        let (.., columns, leading, has_other_collation, expressions) = &found;
        IndexDescription {
            name: name.clone(),
            is_unique: *is_unique,
            is_primary: *is_primary,
            is_partial: *is_partial,
            is_deferrable: *is_deferrable,
            is_invalid: *is_invalid,
            columns: columns.clone(),
            leading: leading.iter().take_while(|name| !name.is_empty()).cloned().collect(),
            has_other_collation: *has_other_collation,
            has_other_nulls: !expressions
                .iter()
                .all(|it| keeps_nulls(&words(it, Dialect::Postgres))),
        }
    };
    Ok(found.into_iter().map(index).collect())
}

/// A function in C changes, by custom, only the row that it is given. Conditions and
/// arguments are code of the trigger too.
async fn triggers(
    connection: &mut PgConnection,
    oid: i64,
) -> sqlx::Result<Vec<TriggerDescription>> {
    const QUERY: &str = "
        SELECT t.tgname::text, t.tgtype::int4, t.tgdeferrable,
               CASE WHEN l.lanname IN ('c', 'internal') THEN ''
                    WHEN p.prosrc = '' THEN pg_get_functiondef(p.oid)
                    ELSE p.prosrc END,
               l.lanname IN ('sql', 'plpgsql'),
               COALESCE(p.proconfig::text LIKE '%search_path=%', FALSE),
               n.nspname::text, pg_get_triggerdef(t.oid), encode(t.tgargs, 'escape')
        FROM pg_trigger t
        JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_language l ON l.oid = p.prolang
        WHERE t.tgrelid::bigint = $1 AND NOT t.tgisinternal AND t.tgenabled <> 'D'
        ORDER BY t.tgname";
    const BEFORE: i32 = 1 << 1;
    const INSERT: i32 = 1 << 2;
    const DELETE: i32 = 1 << 3;
    const UPDATE: i32 = 1 << 4;
    const INSTEAD_OF: i32 = 1 << 6;
    type Found = (String, i32, bool, String, bool, bool, String, String, String);
    let query = sqlx::query_as(QUERY).bind(oid).persistent(false);
    let found: Vec<Found> = query.fetch_all(&mut *connection).await?;
    let mut triggers = Vec::with_capacity(found.len());
    for (name, of, is_deferrable, text, is_sql, has_own_path, schema, definition, arguments) in
        found
    {
        let is = |bit: i32| of & bit != 0;
        let timing = match (is(BEFORE), is(INSTEAD_OF)) {
            (_, true) => Timing::InsteadOf,
            (true, false) => Timing::Before,
            (false, false) => Timing::After,
        };
        let events = Events { insert: is(INSERT), update: is(UPDATE), delete: is(DELETE) };
        let mut trigger =
            TriggerDescription { name, timing, events, is_deferrable, writes: Some(Vec::new()) };
        if !trigger.is_own() {
            let condition = definition.split_once(" WHEN (").and_then(|(_, rest)| {
                rest.rsplit_once(" EXECUTE ").map(|(condition, _)| format!("({condition}"))
            });
            let condition = condition.unwrap_or_default();
            let text = format!("{text};\n{condition};\n'{}'", arguments.replace('\'', "''"));
            let kind = if is_sql { CodeKind::Sql } else { CodeKind::Other };
            let code =
                Code::new(&text, &schema, kind, Dialect::Postgres).with_own_path(has_own_path);
            trigger.writes = written_tables::<Postgres>(connection, code).await?;
        }
        triggers.push(trigger);
    }
    Ok(triggers)
}

/// Functions that are the database's own are in no dependency.
async fn defaults_write(
    connection: &mut PgConnection,
    oid: i64,
) -> sqlx::Result<Vec<WrittenTable>> {
    const QUERY: &str = "
        SELECT n.nspname::text, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attrdef d
        JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE d.adrelid::bigint = $1
          AND EXISTS (SELECT FROM pg_depend p
                      WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                        AND p.refclassid = 'pg_proc'::regclass)";
    let query = sqlx::query_as(QUERY).bind(oid).persistent(false);
    let found: Vec<(String, String)> = query.fetch_all(&mut *connection).await?;
    let mut written = Vec::new();
    for (schema, text) in found {
        let code = body(&text, &schema, Dialect::Postgres);
        written.extend(written_tables::<Postgres>(connection, code).await?.unwrap_or_default());
    }
    Ok(written)
}

/// The tables that `c` inherits from, and those that inherit from it.
const RELATIVES: &str = "
    ARRAY(WITH RECURSIVE below AS (
              SELECT i.inhrelid AS oid FROM pg_inherits i WHERE i.inhparent = c.oid
              UNION SELECT i.inhrelid FROM pg_inherits i JOIN below b ON i.inhparent = b.oid),
          above AS (
              SELECT i.inhparent AS oid FROM pg_inherits i WHERE i.inhrelid = c.oid
              UNION SELECT i.inhparent FROM pg_inherits i JOIN above a ON i.inhrelid = a.oid)
          SELECT m.nspname || '.' || k.relname
          FROM (SELECT oid FROM above UNION SELECT oid FROM below) x
          JOIN pg_class k ON k.oid = x.oid JOIN pg_namespace m ON m.oid = k.relnamespace)";

/// Nothing is asked of other schemas than those that the code can mean: what is dropped
/// there meanwhile would fail the look.
///
/// Which letters beyond ASCII have another case depends on the database's locale: such
/// names are compared here.
///
/// With a view's statement and rules, and with the tables that inherit from it, or from
/// which it inherits: their rows are one another's.
async fn relations(connection: &mut PgConnection, code: &Code) -> sqlx::Result<Vec<Named>> {
    const QUERY: &str = "
        SELECT n.nspname::text, c.relname::text, pg_table_is_visible(c.oid),
               ARRAY(SELECT pg_get_ruledef(r.oid) FROM pg_rewrite r WHERE r.ev_class = c.oid),
               {relatives}
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE (lower(c.relname) = ANY ($1) OR c.relname ~ '[^[:ascii:]]') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
          AND ($2 OR pg_table_is_visible(c.oid) OR lower(n.nspname) = ANY ($3))";
    type Found = (String, String, bool, Vec<String>, Vec<String>);
    let query = AssertSqlSafe(QUERY.replace("{relatives}", RELATIVES));
    let query = sqlx::query_as(query).bind(code.names()).bind(code.has_own_path());
    let query = query.bind(code.schemas()).persistent(false);
    let found: Vec<Found> = query.fetch_all(connection).await?;
    let named = |(schema, name, is_visible, behind, along)| {
        let what = NamedObject::Relation { behind, along };
        Named { schema, name, is_visible, what }
    };
    Ok(found.into_iter().map(named).collect())
}

/// A body that is kept as a statement (`BEGIN ATOMIC`) has no source.
async fn routines(connection: &mut PgConnection, code: &Code) -> sqlx::Result<Vec<Named>> {
    const QUERY: &str = "
        SELECT n.nspname::text, p.proname::text, pg_function_is_visible(p.oid),
               CASE WHEN p.prosrc = '' THEN pg_get_functiondef(p.oid) ELSE p.prosrc END,
               l.lanname IN ('sql', 'plpgsql'),
               COALESCE(p.proconfig::text LIKE '%search_path=%', FALSE)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_language l ON l.oid = p.prolang
        WHERE (lower(p.proname) = ANY ($1) OR p.proname ~ '[^[:ascii:]]') AND p.prokind IN ('f', 'p')
          AND l.lanname NOT IN ('c', 'internal')
          AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND ($2 OR pg_function_is_visible(p.oid) OR lower(n.nspname) = ANY ($3))";
    type Found = (String, String, bool, String, bool, bool);
    let query = sqlx::query_as(QUERY).bind(code.names()).bind(code.has_own_path());
    let query = query.bind(code.schemas()).persistent(false);
    let found: Vec<Found> = query.fetch_all(connection).await?;
    let named = |(schema, name, is_visible, text, is_sql, has_own_path)| {
        let what = NamedObject::Routine { text: Some(text), is_sql, has_own_path };
        Named { schema, name, is_visible, what }
    };
    Ok(found.into_iter().map(named).collect())
}

async fn rules(connection: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<String>> {
    const QUERY: &str = "
        SELECT rulename::text FROM pg_rewrite
        WHERE ev_class::bigint = $1 AND ev_type <> '1' AND ev_enabled <> 'D' ORDER BY rulename";
    sqlx::query_scalar(QUERY).bind(oid).persistent(false).fetch_all(connection).await
}

/// From which of its ends a foreign key is seen.
#[derive(Clone, Copy)]
enum Seen {
    FromReferred,
    FromReferring,
}

async fn foreign_keys(
    connection: &mut PgConnection,
    oid: i64,
    seen: Seen,
) -> sqlx::Result<Vec<ForeignKey>> {
    const FROM_REFERRED: &str = "
        SELECT k.conname::text, n.nspname || '.' || c.relname, k.confdeltype::text,
               k.confupdtype::text,
               ARRAY(SELECT a.attname::text FROM pg_attribute a
                     WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey))
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND k.confrelid::bigint = $1 ORDER BY k.conname";
    const FROM_REFERRING: &str = "
        SELECT k.conname::text, n.nspname || '.' || c.relname, k.confdeltype::text,
               k.confupdtype::text,
               ARRAY(SELECT a.attname::text FROM pg_attribute a
                     WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey))
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND k.conrelid::bigint = $1 ORDER BY k.conname";
    let query = match seen {
        Seen::FromReferred => FROM_REFERRED,
        Seen::FromReferring => FROM_REFERRING,
    };
    let query = sqlx::query_as(query).bind(oid).persistent(false);
    let found: Vec<(String, String, String, String, Vec<String>)> =
        query.fetch_all(connection).await?;
    let key = |(name, other, on_delete, on_update, referred): (_, _, String, String, _)| {
        let (on_delete, on_update) = (Action::of(&on_delete), Action::of(&on_update));
        ForeignKey { name, other, referred, on_delete, on_update }
    };
    Ok(found.into_iter().map(key).collect())
}
