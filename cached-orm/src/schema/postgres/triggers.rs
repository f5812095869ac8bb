//! What other code a write to a table runs.

use super::super::{
    plain_code::{PlainCode, PlainWrite, own_functions},
    trigger::{Deeds, Events, OWN_PREFIX, Timing, TriggerDescription, WrittenTable},
    words::{Dialect, words},
};
use sqlx::PgConnection;

/// Those of its partitions and of the tables that inherit from it too: a write to it
/// fires them.
pub(super) async fn triggers(
    connection: &mut PgConnection,
    oid: i64,
    with_below: &[i64],
) -> sqlx::Result<Vec<TriggerDescription>> {
    // This crate's own are known by their function, and not by a name that anybody can give.
    const QUERY: &str = "
        SELECT t.tgname::text, t.tgtype::int4, t.tgdeferrable,
               l.lanname = 'plpgsql' AND NOT EXISTS (
                   SELECT FROM pg_depend d
                   WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
                     AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
                     AND d.refobjid <> t.tgfoid),
               p.pronamespace = 'pg_catalog'::regnamespace
                   OR p.proname = ANY ($3) AND l.lanname = 'c',
               starts_with(t.tgname::text, $4) AND l.lanname = 'plpgsql' AND p.prosecdef
                   AND t.tgname::text IN (p.proname::text, p.proname::text || '_truncate')
                   AND p.proconfig = ARRAY['search_path=pg_catalog, pg_temp', 'row_security=off']
                   AND strpos(p.prosrc, '.cached_orm_outbox (namespace, cache_key)') > 0,
               p.prosrc, p.proconfig IS NOT NULL OR p.prosecdef
        FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang
        WHERE t.tgrelid::bigint = ANY ($1) AND NOT t.tgisinternal AND t.tgenabled <> 'D'
          AND (t.tgparentid = 0 OR t.tgrelid::bigint = $2)
        ORDER BY t.tgname";
    /// Of a module that comes with PostgreSQL: it puts the time into the row that is about
    /// to be written.
    const HARMLESS: [&str; 1] = ["moddatetime"];
    const BEFORE: i32 = 1 << 1;
    const INSERT: i32 = 1 << 2;
    const DELETE: i32 = 1 << 3;
    const UPDATE: i32 = 1 << 4;
    const INSTEAD_OF: i32 = 1 << 6;
    type Found = (String, i32, bool, bool, bool, bool, String, bool);
    let query = sqlx::query_as(QUERY).bind(with_below).bind(oid).bind(&HARMLESS[..]);
    let query = query.bind(OWN_PREFIX).persistent(false);
    let found: Vec<Found> = query.fetch_all(&mut *connection).await?;
    let read = |(.., is_readable, is_harmless, is_own, code, _): &Found| {
        let is_read = *is_readable && !is_harmless && !is_own;
        let code = || PlainCode::read(&words(code, Dialect::Postgres), Dialect::Postgres);
        is_read.then(code).flatten()
    };
    let codes: Vec<Option<PlainCode>> = found.iter().map(read).collect();
    let others = match codes.iter().any(Option::is_some) {
        true => others(connection, codes.iter().flatten()).await?,
        false => Others { here: false, anywhere: false },
    };
    let mut triggers = Vec::with_capacity(found.len());
    for (found, code) in found.into_iter().zip(codes) {
        let (name, of, is_deferrable, _, is_harmless, is_own, _, has_settings) = found;
        let is = |bit: i32| of & bit != 0;
        let timing = match (is(BEFORE), is(INSTEAD_OF)) {
            (_, true) => Timing::InsteadOf,
            (true, false) => Timing::Before,
            (false, false) => Timing::After,
        };
        let events = Events { insert: is(INSERT), update: is(UPDATE), delete: is(DELETE) };
        let trigger = TriggerDescription::new(name, timing, events);
        let mut trigger = TriggerDescription { is_own, is_deferrable, ..trigger };
        if !is_own && !is_harmless {
            trigger = trigger.doing(None);
            if let Some(code) = code {
                let (here, elsewhere) = deeds(connection, code, others).await?;
                trigger.does = if has_settings { elsewhere.clone() } else { here };
                trigger.does_elsewhere = elsewhere;
                trigger.leads_elsewhere = has_settings;
            }
        }
        triggers.push(trigger);
    }
    Ok(triggers)
}

/// Where there are functions, operators, casts or types of somebody's own that plain code
/// could mean.
#[derive(Debug, Clone, Copy)]
struct Others {
    /// In the schemas in which this connection looks for names.
    here: bool,
    /// In any.
    anywhere: bool,
}

async fn others(
    connection: &mut PgConnection,
    codes: impl Iterator<Item = &PlainCode>,
) -> sqlx::Result<Others> {
    const QUERY: &str = "
        WITH own AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
        others AS (
            SELECT pg_function_is_visible(f.oid) AS is_here FROM pg_proc f
            WHERE f.proname = ANY ($1) AND f.oid >= 16384
              AND f.prorettype <> 'trigger'::regtype
              AND ('pg_proc'::regclass, f.oid) NOT IN (SELECT * FROM own)
            UNION SELECT pg_operator_is_visible(o.oid) FROM pg_operator o WHERE o.oid >= 16384
              AND ('pg_operator'::regclass, o.oid) NOT IN (SELECT * FROM own)
            UNION SELECT TRUE FROM pg_opclass o WHERE o.oid >= 16384
              AND ('pg_opclass'::regclass, o.oid) NOT IN (SELECT * FROM own)
            UNION SELECT TRUE FROM pg_cast c WHERE c.oid >= 16384 AND c.castfunc <> 0
              AND ('pg_cast'::regclass, c.oid) NOT IN (SELECT * FROM own)
            UNION SELECT pg_type_is_visible(y.oid) FROM pg_type y
            WHERE y.typname = ANY ($2) AND y.oid >= 16384
              AND ('pg_type'::regclass, y.oid) NOT IN (SELECT * FROM own))
        SELECT COALESCE(bool_or(is_here), FALSE), COUNT(*) > 0 FROM others";
    /// The types of casts in plain code that are looked for like any name. The rest are
    /// words of the grammar.
    const TYPES: [&str; 15] = [
        "text",
        "bpchar",
        "name",
        "int2",
        "int4",
        "int8",
        "float4",
        "float8",
        "bool",
        "date",
        "timestamptz",
        "uuid",
        "json",
        "jsonb",
        "varchar",
    ];
    let mut functions: Vec<_> = own_functions(Dialect::Postgres).collect();
    functions.extend(codes.flat_map(|code| &code.columns).map(String::as_str));
    let query = sqlx::query_as(QUERY).bind(functions).bind(&TYPES[..]).persistent(false);
    let (here, anywhere) = query.fetch_one(connection).await?;
    Ok(Others { here, anywhere })
}

/// What plain code does where names are looked for as this connection does, and what it can
/// do where they are looked for elsewhere: then any table of a name can be meant.
async fn deeds(
    connection: &mut PgConnection,
    code: PlainCode,
    others: Others,
) -> sqlx::Result<(Option<Deeds>, Option<Deeds>)> {
    const TABLES: &str = "
        SELECT n.nspname || '.' || c.relname, $2::text IS NOT NULL OR pg_table_is_visible(c.oid)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
          AND n.nspname = COALESCE($2, n.nspname)";
    let plain = |is_other: bool| {
        (!is_other).then(|| Deeds { writes: Vec::new(), assigns: code.assigns.clone() })
    };
    let (mut here, mut elsewhere) = (plain(others.here), plain(others.anywhere));
    for PlainWrite { schema, table, change, sets, own_row_by } in code.writes {
        let query = sqlx::query_as(TABLES).bind(table).bind(schema).persistent(false);
        let found: Vec<(String, bool)> = query.fetch_all(&mut *connection).await?;
        let written = |(name, _): &(String, bool)| WrittenTable {
            name: name.clone(),
            change,
            sets: sets.clone(),
            own_row_by: own_row_by.clone(),
        };
        let is_here = |(_, is_here): &&(String, bool)| *is_here;
        // A table that is not there is one of which nothing is known.
        here = here.filter(|_| found.iter().any(|table| is_here(&table)));
        elsewhere = elsewhere.filter(|_| !found.is_empty());
        if let Some(here) = &mut here {
            here.writes.extend(found.iter().filter(is_here).map(written));
        }
        if let Some(elsewhere) = &mut elsewhere {
            elsewhere.writes.extend(found.iter().map(written));
        }
    }
    Ok((here, elsewhere))
}

/// Of the functions that a default calls by itself; those of the database, and of modules
/// in C, write nothing.
pub(super) async fn defaults_write(connection: &mut PgConnection, oid: i64) -> sqlx::Result<bool> {
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
