use super::{
    description::{
        Action, ColumnDescription, Deeds, Describe, Events, ForeignKey, IndexDescription,
        RowSecurity, RowsShown, TableDescription, TableKind, TableLifetime, Timing,
        TriggerDescription, WrittenTable,
    },
    plain_code::{PlainCode, PlainWrite, own_functions},
    words::{Dialect, keeps_nulls, words},
};
use crate::{Backend as _, sql::split_table};
use sqlx::{AssertSqlSafe, PgConnection, Postgres};

impl Describe for Postgres {
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

/// Those of its partitions and of the tables that inherit from it too: a write to it
/// fires them.
async fn triggers(
    connection: &mut PgConnection,
    oid: i64,
) -> sqlx::Result<Vec<TriggerDescription>> {
    const QUERY: &str = "
        SELECT t.tgname::text, t.tgtype::int4, t.tgdeferrable,
               l.lanname = 'plpgsql' AND NOT EXISTS (
                   SELECT FROM pg_depend d
                   WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
                     AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
                     AND d.refobjid <> t.tgfoid),
               p.pronamespace = 'pg_catalog'::regnamespace
                   OR p.proname = ANY ($3) AND l.lanname = 'c',
               p.prosrc, p.proconfig IS NOT NULL
        FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang
        WHERE t.tgrelid::bigint = ANY ($1) AND NOT t.tgisinternal AND t.tgenabled <> 'D'
          AND (t.tgparentid = 0 OR t.tgrelid::bigint = $2)
        ORDER BY t.tgname";
    /// Of modules that come with PostgreSQL: they change the row that is about to be
    /// written.
    const HARMLESS: [&str; 3] = ["moddatetime", "insert_username", "autoinc"];
    const BEFORE: i32 = 1 << 1;
    const INSERT: i32 = 1 << 2;
    const DELETE: i32 = 1 << 3;
    const UPDATE: i32 = 1 << 4;
    const INSTEAD_OF: i32 = 1 << 6;
    let with_below = with_below(connection, oid).await?;
    let query = sqlx::query_as(QUERY).bind(with_below).bind(oid).bind(&HARMLESS[..]);
    let found: Vec<(String, i32, bool, bool, bool, String, bool)> =
        query.persistent(false).fetch_all(&mut *connection).await?;
    let mut triggers = Vec::with_capacity(found.len());
    for (name, of, is_deferrable, is_readable, is_harmless, code, has_settings) in found {
        let is = |bit: i32| of & bit != 0;
        let timing = match (is(BEFORE), is(INSTEAD_OF)) {
            (_, true) => Timing::InsteadOf,
            (true, false) => Timing::Before,
            (false, false) => Timing::After,
        };
        let events = Events { insert: is(INSERT), update: is(UPDATE), delete: is(DELETE) };
        let does = Some(Deeds::default());
        let mut trigger = TriggerDescription { name, timing, events, is_deferrable, does };
        if !trigger.is_own() && !is_harmless {
            let code = PlainCode::read(&words(&code, Dialect::Postgres), Dialect::Postgres)
                .filter(|_| is_readable);
            trigger.does = match code {
                Some(code) => deeds(connection, code, has_settings).await?,
                None => None,
            };
        }
        triggers.push(trigger);
    }
    Ok(triggers)
}

/// The table, and those whose rows it shows.
async fn with_below(connection: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<i64>> {
    const QUERY: &str = "
        WITH RECURSIVE below AS (
            SELECT $1 AS oid
            UNION SELECT i.inhrelid::bigint FROM pg_inherits i JOIN below b
            ON i.inhparent::bigint = b.oid)
        SELECT oid FROM below";
    sqlx::query_scalar(QUERY).bind(oid).persistent(false).fetch_all(connection).await
}

/// What plain code does, with the tables that it names. `None` if the schema has functions,
/// operators or casts of its own that could be meant.
async fn deeds(
    connection: &mut PgConnection,
    code: PlainCode,
    has_settings: bool,
) -> sqlx::Result<Option<Deeds>> {
    const OTHERS: &str = "
        WITH own AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
        SELECT EXISTS (SELECT FROM pg_proc f
                       WHERE f.proname = ANY ($1) AND f.oid >= 16384
                         AND ($2 OR pg_function_is_visible(f.oid))
                         AND ('pg_proc'::regclass, f.oid) NOT IN (SELECT * FROM own))
            OR EXISTS (SELECT FROM pg_operator o WHERE o.oid >= 16384
                         AND ($2 OR pg_operator_is_visible(o.oid))
                         AND ('pg_operator'::regclass, o.oid) NOT IN (SELECT * FROM own))
            OR EXISTS (SELECT FROM pg_cast c WHERE c.oid >= 16384 AND c.castfunc <> 0
                         AND ('pg_cast'::regclass, c.oid) NOT IN (SELECT * FROM own))";
    // Which of them a setting of the function leads to is not known.
    const TABLES: &str = "
        SELECT n.nspname || '.' || c.relname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
          AND CASE WHEN $2::text IS NULL THEN $3 OR pg_table_is_visible(c.oid)
                   ELSE n.nspname = $2 END";
    let functions: Vec<_> = own_functions(Dialect::Postgres).collect();
    let query = sqlx::query_scalar(OTHERS).bind(functions).bind(has_settings).persistent(false);
    if query.fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    let mut writes = Vec::new();
    for PlainWrite { schema, table, change, sets, own_row_by } in code.writes {
        let query = sqlx::query_scalar(TABLES).bind(table).bind(schema).bind(has_settings);
        let names: Vec<String> = query.persistent(false).fetch_all(&mut *connection).await?;
        if names.is_empty() {
            return Ok(None);
        }
        writes.extend(names.into_iter().map(|name| WrittenTable {
            name,
            change,
            sets: sets.clone(),
            own_row_by: own_row_by.clone(),
        }));
    }
    Ok(Some(Deeds { writes, assigns: code.assigns }))
}

/// Of the functions that a default calls by itself; those of the database, and of modules
/// in C, write nothing.
async fn defaults_write(connection: &mut PgConnection, oid: i64) -> sqlx::Result<bool> {
    const QUERY: &str = "
        SELECT EXISTS (
            SELECT FROM pg_attrdef d
            JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
             AND p.refclassid = 'pg_proc'::regclass
            JOIN pg_proc f ON f.oid = p.refobjid JOIN pg_language l ON l.oid = f.prolang
            WHERE d.adrelid::bigint = $1 AND f.provolatile = 'v'
              AND l.lanname NOT IN ('c', 'internal')
              AND (f.prosrc = '' OR f.prosrc ~*
                   '\\m(insert|update|delete|merge|truncate|copy|execute|call|perform)\\M'))";
    sqlx::query_scalar(QUERY).bind(oid).persistent(false).fetch_one(connection).await
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
                     WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)),
               ARRAY(SELECT a.attname::text FROM pg_attribute a
                     WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey))
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND k.confrelid::bigint = ANY ($1) AND (k.conparentid = 0 OR k.confrelid::bigint = ($1)[1])
        ORDER BY k.conname";
    const FROM_REFERRING: &str = "
        SELECT k.conname::text, n.nspname || '.' || c.relname, k.confdeltype::text,
               k.confupdtype::text,
               ARRAY(SELECT a.attname::text FROM pg_attribute a
                     WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)),
               ARRAY(SELECT a.attname::text FROM pg_attribute a
                     WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey))
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND k.conrelid::bigint = ANY ($1) ORDER BY k.conname";
    let query = match seen {
        Seen::FromReferred => FROM_REFERRED,
        Seen::FromReferring => FROM_REFERRING,
    };
    // A foreign key can refer to a partition by itself.
    let tables = match seen {
        Seen::FromReferred => with_below(connection, oid).await?,
        Seen::FromReferring => vec![oid],
    };
    let query = sqlx::query_as(query).bind(tables).persistent(false);
    type Found = (String, String, String, String, Vec<String>, Vec<String>);
    let found: Vec<Found> = query.fetch_all(connection).await?;
    let key = |(name, other, on_delete, on_update, referred, referring): Found| {
        let (on_delete, on_update) = (Action::of(&on_delete), Action::of(&on_update));
        ForeignKey { name, other, referred, referring, on_delete, on_update }
    };
    Ok(found.into_iter().map(key).collect())
}
