mod triggers;

use super::{
    description::{
        Action, ColumnDescription, Describe, Filled, ForeignKey, IndexDescription, RowSecurity,
        RowsShown, TableDescription, TableKind, TableLifetime,
    },
    words::{Dialect, keeps_nulls, leaves_out_nulls, words},
};
use crate::{Backend as _, sql::split_table};
use sqlx::{AssertSqlSafe, PgConnection, Postgres};
use triggers::{defaults_write, triggers};

impl Describe for Postgres {
    async fn describe(
        connection: &mut PgConnection,
        name: &str,
    ) -> sqlx::Result<Option<TableDescription>> {
        let quoted = quoted(name);
        let Some((oid, mut table)) = table(connection, &quoted).await? else { return Ok(None) };
        table.columns = columns(connection, oid).await?;
        table.indexes = indexes(connection, oid).await?;
        let with_below = with_below(connection, oid).await?;
        table.triggers = triggers(connection, oid, &with_below).await?;
        table.defaults_write = defaults_write(connection, oid).await?;
        table.rules = rules(connection, oid).await?;
        table.referenced_by = foreign_keys(connection, Seen::FromReferred(&with_below)).await?;
        table.refers_to = foreign_keys(connection, Seen::FromReferring(oid)).await?;
        Ok(Some(table))
    }

    /// CREATE TRIGGER, foreign keys, rules, partitions and the like change a row of
    /// `pg_class` or `pg_trigger`, and wait for the lock that a write has on the table.
    /// Its lock is older than what RETURNING sees, but where a snapshot is kept. A trigger's
    /// function is replaced without a lock: that shows from the next statement on.
    fn stamp(name: &str) -> Option<String> {
        let table = quoted(name).replace('\'', "''");
        Some(stamp(&format!("'{table}'::regclass")))
    }
}

fn stamp(oid: &str) -> String {
    format!(
        "concat((SELECT k.xmin FROM pg_catalog.pg_class k WHERE k.oid = {oid}), \
         ARRAY(SELECT concat(t.xmin, ' ', p.xmin) FROM pg_catalog.pg_trigger t \
         JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = {oid} ORDER BY t.oid), \
         current_setting('transaction_isolation'))"
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
               {stamp}, {relatives}
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
    type Found =
        (i64, String, String, String, bool, String, bool, bool, bool, String, String, Vec<String>);
    // In one statement, since in another one the facts could be other ones.
    let query =
        AssertSqlSafe(QUERY.replace("{stamp}", &stamp("c.oid")).replace("{relatives}", RELATIVES));
    let query = sqlx::query_as(query).bind(quoted).persistent(false);
    let found: Option<Found> = query.fetch_optional(&mut *connection).await?;
    let Some((oid, schema, name, kind, has_children, lifetime, secured, restricts, ..)) = &found
    else {
        return Ok(None);
    };
    let Some((.., is_visible, isolation, stamp, relatives)) = &found else {
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
        has_exact_names: true,
        other_name,
        stamp: (isolation == READ_COMMITTED).then(|| stamp.clone()),
        ..TableDescription::default()
    };
    Ok(Some((*oid, table)))
}

async fn columns(connection: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<ColumnDescription>> {
    // It has no operator for a domain over an enum.
    const QUERY: &str = "
        SELECT a.attname::text, format_type(a.atttypid, a.atttypmod),
               NOT a.attnotnull AND NOT t.typnotnull, a.attgenerated <> '', a.attidentity = 'a',
               t.typtype = 'd' AND EXISTS (
                   WITH RECURSIVE under AS (
                       SELECT t.typbasetype AS oid
                       UNION SELECT b.typbasetype FROM pg_type b JOIN under u ON u.oid = b.oid
                       WHERE b.typtype = 'd')
                   SELECT FROM under JOIN pg_type e ON e.oid = under.oid AND e.typtype = 'e')
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid::bigint = $1 AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum";
    let query = sqlx::query_as(QUERY).bind(oid).persistent(false);
    let found: Vec<(String, String, bool, bool, bool, bool)> = query.fetch_all(connection).await?;
    let column = |(name, type_name, is_nullable, is_generated, is_numbered, is_incomparable)| {
        let filled = match (is_generated, is_numbered) {
            (true, _) => Filled::Generated,
            (false, true) => Filled::Numbered,
            (false, false) => Filled::ByStatements,
        };
        ColumnDescription { name, type_name, is_nullable, filled, is_incomparable }
    };
    Ok(found.into_iter().map(column).collect())
}

/// What an index is made of stands in `pg_depend`, expressions included.
async fn indexes(connection: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<IndexDescription>> {
    const QUERY: &str = "
        SELECT c.relname::text, i.indisunique, i.indisprimary,
               COALESCE(pg_get_expr(i.indpred, i.indrelid), ''),
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
        (String, bool, bool, String, bool, bool, Vec<String>, Vec<String>, bool, Vec<String>);
    let query = sqlx::query_as(QUERY).bind(oid).persistent(false);
    let found: Vec<Found> = query.fetch_all(connection).await?;
    let index = |found: Found| {
        let (name, is_unique, is_primary, condition, is_deferrable, is_invalid, ..) = &found;
        let (.., columns, leading, has_other_collation, expressions) = &found;
        IndexDescription {
            name: name.clone(),
            is_unique: *is_unique,
            is_primary: *is_primary,
            is_partial: !leaves_out_nulls(&words(condition, Dialect::Postgres), columns),
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

/// The table, which comes first, and those whose rows it shows.
async fn with_below(connection: &mut PgConnection, oid: i64) -> sqlx::Result<Vec<i64>> {
    const QUERY: &str = "
        WITH RECURSIVE below AS (
            SELECT $1 AS oid
            UNION SELECT i.inhrelid::bigint FROM pg_inherits i JOIN below b
            ON i.inhparent::bigint = b.oid)
        SELECT oid FROM below ORDER BY oid <> $1";
    sqlx::query_scalar(QUERY).bind(oid).persistent(false).fetch_all(connection).await
}

/// From which of its ends a foreign key is seen.
#[derive(Clone, Copy)]
enum Seen<'t> {
    /// From these tables: one can refer to a partition by itself.
    FromReferred(&'t [i64]),
    FromReferring(i64),
}

/// Whether the owner of the referring table, as whom its foreign key acts, looks for names
/// in other schemas than this role: there is one called like either of them, or one that
/// only one of them may use.
const ACTS_ELSEWHERE: &str = r#"
    EXISTS (SELECT FROM pg_class r
            CROSS JOIN current_setting('search_path') AS path (names)
            WHERE r.oid = k.conrelid AND pg_get_userbyid(r.relowner) <> current_user
              AND (path.names ~ '[^a-z0-9_$", ]' OR EXISTS (
                  SELECT FROM pg_namespace s
                  WHERE strpos(path.names, '$user') > 0
                    AND s.nspname IN (current_user, pg_get_userbyid(r.relowner))
                     OR s.nspname = ANY (regexp_split_to_array(path.names, '[", ]+'))
                    AND has_schema_privilege(r.relowner, s.oid, 'USAGE')
                        <> has_schema_privilege(s.oid, 'USAGE'))))"#;

async fn foreign_keys(
    connection: &mut PgConnection,
    seen: Seen<'_>,
) -> sqlx::Result<Vec<ForeignKey>> {
    // The table of which they were asked comes first.
    const QUERY: &str = "
        SELECT k.conname::text, n.nspname || '.' || c.relname, k.confdeltype::text,
               k.confupdtype::text,
               ARRAY(SELECT a.attname::text FROM pg_attribute a
                     WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)),
               ARRAY(SELECT a.attname::text FROM pg_attribute a
                     WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)), {elsewhere}
        FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.{other} JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND k.{own}::bigint = ANY ($1)
          AND (k.conparentid = 0 OR k.{own}::bigint = ($1)[1])
        ORDER BY k.conname";
    let (own, other, tables) = match seen {
        Seen::FromReferred(tables) => ("confrelid", "conrelid", tables),
        Seen::FromReferring(ref table) => ("conrelid", "confrelid", std::slice::from_ref(table)),
    };
    let query = QUERY.replace("{own}", own).replace("{other}", other);
    let query = AssertSqlSafe(query.replace("{elsewhere}", ACTS_ELSEWHERE));
    let query = sqlx::query_as(query).bind(tables).persistent(false);
    type Found = (String, String, String, String, Vec<String>, Vec<String>, bool);
    let found: Vec<Found> = query.fetch_all(connection).await?;
    let key = |(name, other, on_delete, on_update, referred, referring, acts_elsewhere): Found| {
        ForeignKey {
            name,
            other,
            referred,
            referring,
            on_delete: Action::of(&on_delete),
            on_update: Action::of(&on_update),
            shows_actions: true,
            acts_elsewhere,
        }
    };
    Ok(found.into_iter().map(key).collect())
}
