//! What is worth knowing of a table, although nothing is wrong with it.

use super::{
    description::{Action, ForeignKey, RowsShown, TableDescription},
    report::Finding,
    shape::Shape,
    trigger::{Timing, TriggerDescription, WrittenTable},
};

pub(super) fn remarks(shape: &Shape, table: &TableDescription) -> Vec<Finding> {
    let mut remarks: Vec<_> = other_name(shape, table).into_iter().collect();
    for trigger in table.other_triggers() {
        remarks.extend(when_it_runs(trigger, table));
        remarks.extend(rows_it_changes(trigger, table));
    }
    for (key, action, event) in with_actions(&table.referenced_by) {
        // No write of this crate gives the key another value.
        if event == DELETED || !table.are_among(&key.referred, &shape.key) {
            remarks.push(changes_others(key, action, event, table));
        }
    }
    if !is_told(table) {
        let keys = with_actions(&table.refers_to);
        remarks.extend(keys.map(|(key, action, event)| follows(key, action, event, table)));
    }
    remarks
}

fn other_name(shape: &Shape, table: &TableDescription) -> Option<Finding> {
    let other = table.other_name.as_ref()?;
    Some(Finding::warning(
        format!("table {}", shape.table),
        format!("is also found as `{other}`, and a struct that calls it so caches its rows apart"),
        "let every struct call it alike, or give all of them one `cache_name`",
    ))
}

/// Whether the row that a write shows is the one that will be committed.
fn when_it_runs(trigger: &TriggerDescription, table: &TableDescription) -> Option<Finding> {
    // Where the row is read after the statement, all of them have run.
    if table.rows_shown == RowsShown::Afterwards {
        return None;
    }
    let subject = format!("trigger {}", trigger.name);
    match trigger.timing {
        Timing::Before if trigger.events.delete => Some(Finding::warning(
            subject,
            "runs before a DELETE, and may make something else of it",
            "nothing, unless `delete` is to say what became of the row: it says `false` if the \
             statement returned none",
        )),
        Timing::Before => None,
        Timing::After if trigger.is_deferrable => Some(Finding::warning(
            subject,
            "can run at COMMIT, when it is too late to see what it changes: the written row is \
             read from the database again, and values that it gives to indexed columns are not \
             told to the cache",
            "let it change no indexed column",
        )),
        Timing::After | Timing::InsteadOf if may_write_to(trigger, table) => {
            Some(Finding::warning(
                subject,
                "runs after the statement, and may change the row: what is written is not cached \
                 by the write, but by the next read",
                match table.rows_shown {
                    RowsShown::BeforeTriggers => {
                        "nothing: on SQLite no other trigger can change it"
                    }
                    _ => "a BEFORE trigger, if it only changes the row itself",
                },
            ))
        }
        Timing::After | Timing::InsteadOf => None,
    }
}

fn may_write_to(trigger: &TriggerDescription, table: &TableDescription) -> bool {
    let is_it = |written: &WrittenTable| written.name == table.identity;
    trigger.does.as_ref().is_none_or(|deeds| deeds.writes.iter().any(is_it))
}

/// A write is refused only if a struct that was used has these rows in the cache.
fn rows_it_changes(trigger: &TriggerDescription, table: &TableDescription) -> Vec<Finding> {
    let subject = || format!("trigger {}", trigger.name);
    let Some(deeds) = &trigger.does else {
        return vec![Finding::warning(
            subject(),
            "has code that is not plain, or that this account may not read: it may change rows \
             of any table",
            "`install_triggers` for each struct whose rows are read from the cache; or plain code",
        )];
    };
    let is_other =
        |written: &&WrittenTable| written.name != table.identity || written.own_row_by.is_empty();
    let others = deeds.writes.iter().filter(is_other);
    let mut names: Vec<_> = others.map(|written| &written.name).collect();
    names.sort_unstable();
    names.dedup();
    let finding = |name: &String| {
        Finding::warning(subject(), format!("changes rows of {name}"), TELL_THAT_TABLE)
    };
    names.into_iter().map(finding).collect()
}

const TELL_THAT_TABLE: &str = "`install_triggers` for the struct on that table, if there is one";

const DELETED: &str = "deleted";
const CHANGED: &str = "changed";

/// What the foreign keys do to rows, and when.
fn with_actions<'k>(
    keys: &'k [ForeignKey],
) -> impl Iterator<Item = (&'k ForeignKey, Action, &'static str)> {
    let both = |key: &'k ForeignKey| [(key, key.on_delete, DELETED), (key, key.on_update, CHANGED)];
    keys.iter().flat_map(both).filter(|(_, action, _)| *action != Action::Nothing)
}

fn changes_others(
    key: &ForeignKey,
    action: Action,
    event: &str,
    table: &TableDescription,
) -> Finding {
    let action = key.action_name(action);
    Finding::warning(
        format!("foreign key {} of {}", key.name, key.other),
        format!("{action} changes rows of {} when a row is {event}", key.other),
        if fires_triggers(table) { TELL_THAT_TABLE } else { NOBODY_TELLS },
    )
}

fn follows(key: &ForeignKey, action: Action, event: &str, table: &TableDescription) -> Finding {
    let action = key.action_name(action);
    Finding::warning(
        format!("foreign key {}", key.name),
        format!(
            "{action} changes rows of this table when a row of {} is {event}, of which nobody \
             tells the cache",
            key.other
        ),
        if fires_triggers(table) { "`install_triggers`" } else { NOBODY_TELLS },
    )
}

const NOBODY_TELLS: &str = "let the program delete and change these rows by itself, before: MySQL \
                            and MariaDB fire no triggers for a foreign key";

/// Whether foreign keys fire triggers.
fn fires_triggers(table: &TableDescription) -> bool {
    table.rows_shown != RowsShown::Afterwards
}

/// Whether this crate's triggers tell of what foreign keys do to the table.
fn is_told(table: &TableDescription) -> bool {
    fires_triggers(table) && table.has_own_triggers()
}
