//! What other code a write to a table runs.

use super::super::{
    plain_code::{PlainCode, is_plain},
    trigger::{Deeds, Events, Timing, TriggerDescription, has_own_name, notes_keys},
    words::{Dialect, Word, words},
};
use crate::Backend as _;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

pub(super) async fn triggers(
    connection: &mut SqliteConnection,
    schema: &str,
    name: &str,
) -> sqlx::Result<Vec<TriggerDescription>> {
    let query = format!(
        "SELECT name, sql, FALSE FROM {}.sqlite_schema
         WHERE type = 'trigger' AND lower(tbl_name) = lower($1)
         UNION ALL
         SELECT name, sql, TRUE FROM sqlite_temp_schema
         WHERE type = 'trigger' AND lower(tbl_name) = lower($1)",
        Sqlite::quote(schema)
    );
    let query = sqlx::query_as(AssertSqlSafe(query)).bind(name).persistent(false);
    let found: Vec<(String, String, bool)> = query.fetch_all(&mut *connection).await?;
    let mut triggers = Vec::with_capacity(found.len());
    for (name, sql, is_temporary) in found {
        let words = words(&sql, Dialect::Sqlite);
        let (head, code) = head_and_code(&words);
        let (timing, event) = match head {
            [instead, of, event, ..] if instead.is("instead") && of.is("of") => {
                (Timing::InsteadOf, Some(event))
            }
            [before, event, ..] if before.is("before") => (Timing::Before, Some(event)),
            [after, event, ..] if after.is("after") => (Timing::After, Some(event)),
            head => (Timing::Before, head.first()),
        };
        let is = |name: &str| event.is_some_and(|event| event.is(name));
        let events = Events { insert: is("insert"), update: is("update"), delete: is("delete") };
        let mut trigger = TriggerDescription::new(name, timing, events);
        trigger.is_own = has_own_name(&trigger.name) && !is_temporary && only_notes_keys(code);
        if !trigger.is_own {
            // Names are looked for elsewhere by those that only a connection has.
            let mut deeds = deeds(code, schema).filter(|_| !is_temporary);
            if timing == Timing::Before && events.insert {
                // The row's number is not known yet, and another row may have what stands for it.
                let writes = deeds.iter_mut().flat_map(|deeds| &mut deeds.writes);
                writes.for_each(|write| write.own_row_by.clear());
            }
            trigger = trigger.doing(deeds);
        }
        triggers.push(trigger);
    }
    Ok(triggers)
}

/// `[BEFORE | AFTER | INSTEAD OF] event` of CREATE [TEMP] TRIGGER [IF NOT EXISTS] name …
/// ON table [FOR EACH ROW], and what follows.
fn head_and_code(words: &[Word]) -> (&[Word], &[Word]) {
    let named = words.iter().position(|word| word.is("trigger"));
    let mut head = named.and_then(|named| words.get(named + 1..)).unwrap_or_default();
    if let [a, b, c, rest @ ..] = head
        && [(a, "if"), (b, "not"), (c, "exists")].iter().all(|(word, it)| word.is(it))
    {
        head = rest;
    }
    head = match head {
        [_, dot, _, rest @ ..] if dot.is(".") => rest,
        [_, rest @ ..] => rest,
        [] => head,
    };
    let end = head.iter().position(|word| word.is("on")).unwrap_or(head.len());
    let (head, rest) = head.split_at_checked(end).unwrap_or_default();
    let code = match rest {
        [_, _, dot, _, code @ ..] if dot.is(".") => code,
        [_, _, code @ ..] => code,
        _ => &[],
    };
    let code = match code {
        [a, b, c, code @ ..] if a.is("for") && b.is("each") && c.is("row") => code,
        code => code,
    };
    (head, code)
}

/// Whether it is `BEGIN …; END` with statements of this crate's triggers and no others.
fn only_notes_keys(code: &[Word]) -> bool {
    let [begin, body @ .., end] = code else { return false };
    let mut statements = body.split(|word| word.is(";")).filter(|it| !it.is_empty());
    begin.is("begin") && end.is("end") && statements.all(notes_keys)
}

/// What a trigger does, if its condition and its body are plain: what follows
/// `ON table [FOR EACH ROW]`.
fn deeds(code: &[Word], schema: &str) -> Option<Deeds> {
    let body = code.iter().position(|word| word.is("begin"))?;
    let (condition, body) = code.split_at_checked(body)?;
    let is_plain = match condition {
        [] => true,
        [when, condition @ ..] => when.is("when") && is_plain(condition, Dialect::Sqlite),
    };
    let code = PlainCode::read(body, Dialect::Sqlite).filter(|_| is_plain)?;
    Some(code.in_schema(schema))
}
