//! What other code a write to a table runs.

use super::super::{
    description::{Deeds, Events, Timing, TriggerDescription, WrittenTable},
    plain_code::{PlainCode, PlainWrite, own_functions},
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
    const QUERY: &str = "
        SELECT t.tgname::text, t.tgtype::int4, t.tgdeferrable,
               l.lanname = 'plpgsql' AND NOT EXISTS (
                   SELECT FROM pg_depend d
                   WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
                     AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
                     AND d.refobjid <> t.tgfoid),
               p.pronamespace = 'pg_catalog'::regnamespace
                   OR p.proname = ANY ($3) AND l.lanname = 'c',
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
            OR EXISTS (SELECT FROM pg_opclass o WHERE o.oid >= 16384
                         AND ('pg_opclass'::regclass, o.oid) NOT IN (SELECT * FROM own))
            OR EXISTS (SELECT FROM pg_cast c WHERE c.oid >= 16384 AND c.castfunc <> 0
                         AND ('pg_cast'::regclass, c.oid) NOT IN (SELECT * FROM own))";
    // Which of them a setting of the function leads to is not known.
    const TABLES: &str = "
        SELECT n.nspname || '.' || c.relname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
          AND CASE WHEN $2::text IS NULL THEN $3 OR pg_table_is_visible(c.oid)
                   ELSE n.nspname = $2 END";
    let mut functions: Vec<_> = own_functions(Dialect::Postgres).map(str::to_owned).collect();
    functions.extend(code.columns);
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
