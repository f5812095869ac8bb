//! What other code a write to a table runs.

use super::{
    super::{
        plain_code::PlainCode,
        trigger::{Deeds, Events, Timing, TriggerDescription, has_own_name, notes_keys},
        words::{Dialect, Word, words},
    },
    Place,
};
use crate::Backend as _;
use sqlx::{AssertSqlSafe, MySql, MySqlConnection, Row as _};

pub(super) async fn triggers(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<Vec<TriggerDescription>> {
    const QUERY: &str = "
        SELECT CONVERT(trigger_name USING utf8mb4), action_timing = 'BEFORE',
               CONVERT(event_manipulation USING utf8mb4),
               CONVERT(action_statement USING utf8mb4)
        FROM information_schema.triggers
        WHERE event_object_schema = ? AND event_object_table = ? ORDER BY trigger_name";
    let query = sqlx::query_as(QUERY).bind(&place.schema).bind(&place.name).persistent(false);
    let found: Vec<(String, bool, String, Option<String>)> =
        query.fetch_all(&mut *connection).await?;
    let mut triggers = Vec::with_capacity(found.len());
    for (name, is_before, event, code) in found {
        let timing = if is_before { Timing::Before } else { Timing::After };
        let is = |name: &str| event.eq_ignore_ascii_case(name);
        let events = Events { insert: is("INSERT"), update: is("UPDATE"), delete: is("DELETE") };
        let mut trigger = TriggerDescription::new(name, timing, events);
        trigger.is_own = is_own(&trigger.name, code.as_deref());
        if !trigger.is_own {
            let text = original(connection, &place.schema, &trigger.name).await?;
            trigger = trigger.doing(text.and_then(|text| deeds(&text, &place.schema)));
        }
        triggers.push(trigger);
    }
    Ok(triggers)
}

/// Whether it is one of this crate's, whose code is a single statement. Of one that this
/// account may not read, the name has to do.
fn is_own(name: &str, code: Option<&str>) -> bool {
    has_own_name(name) && code.is_none_or(|code| notes_keys(&words(code, Dialect::MySql)))
}

/// Whether this account would not be shown the table's triggers: MySQL shows them to the
/// privilege TRIGGER, and MariaDB also to those that write rows. What a role grants shows in
/// the privileges of columns.
pub(super) async fn hides_triggers(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<bool> {
    const QUERY: &str = "
        SELECT NOT (
            EXISTS (SELECT 1 FROM information_schema.user_privileges p
                    WHERE p.privilege_type IN ('TRIGGER', me.deletes) AND p.grantee = me.name)
            OR EXISTS (SELECT 1 FROM information_schema.schema_privileges p
                       WHERE p.privilege_type IN ('TRIGGER', me.deletes) AND p.grantee = me.name
                         AND ? LIKE p.table_schema)
            OR EXISTS (SELECT 1 FROM information_schema.table_privileges p
                       WHERE p.privilege_type IN ('TRIGGER', me.deletes) AND p.grantee = me.name
                         AND p.table_schema = ? AND p.table_name = ?)
            OR me.deletes <> ''
               AND EXISTS (SELECT 1 FROM information_schema.columns c
                           WHERE c.table_schema = ? AND c.table_name = ?
                             AND (c.privileges LIKE '%insert%' OR c.privileges LIKE '%update%')))
        FROM (SELECT CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''',
                            SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''') AS name,
                     IF(VERSION() LIKE '%MariaDB%', 'DELETE', '') AS deletes) me";
    let Place { schema, name } = place;
    let query = sqlx::query_scalar(QUERY).bind(schema).bind(schema).bind(name);
    query.bind(schema).bind(name).persistent(false).fetch_one(connection).await
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
