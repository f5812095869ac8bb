//! What is worth knowing of a table, although nothing is wrong with it.

use super::{
    description::{Action, RowsShown, TableDescription, Timing},
    report::Finding,
    shape::Shape,
};

pub(super) fn remarks(shape: &Shape, table: &TableDescription) -> Vec<Finding> {
    let mut remarks = Vec::new();
    if let Some(other) = &table.other_name {
        remarks.push(Finding::warning(
            format!("table {}", shape.table),
            format!(
                "is also found as `{other}`, and a struct that calls it so caches its rows apart"
            ),
            "let every struct call it alike, or give all of them one `cache_name`",
        ));
    }
    // Where the row is read after the statement, all of them have run.
    let others = table.other_triggers();
    for trigger in others.filter(|_| table.rows_shown != RowsShown::Afterwards) {
        let subject = format!("trigger {}", trigger.name);
        match trigger.timing {
            Timing::Before if trigger.events.delete => remarks.push(Finding::warning(
                subject,
                "runs before a DELETE, and may make something else of it",
                "nothing, unless `delete` is to say what became of the row: it says `false` if \
                 the statement returned none",
            )),
            Timing::Before => {}
            Timing::After if trigger.is_deferrable => remarks.push(Finding::warning(
                subject,
                "can run at COMMIT, when it is too late to see what it changes: the written row \
                 is read from the database again, and values that it gives to indexed columns \
                 are not told to the cache",
                "let it change no indexed column",
            )),
            Timing::After | Timing::InsteadOf => remarks.push(Finding::warning(
                subject,
                "runs after the statement, and may change the row: what is written is not \
                 cached by the write, but by the next read",
                match table.rows_shown {
                    RowsShown::BeforeTriggers => {
                        "nothing: on SQLite no other trigger can change it"
                    }
                    _ => "a BEFORE trigger, if it only changes the row itself",
                },
            )),
        }
    }
    for key in &table.referenced_by {
        for (action, event) in [(key.on_delete, "deleted"), (key.on_update, "changed")] {
            if action == Action::Nothing
                || (event == "changed" && table.are_among(&key.referred, &shape.key))
            {
                continue;
            }
            remarks.push(Finding::warning(
                format!("foreign key {} of {}", key.name, key.other),
                format!(
                    "{} changes rows of {} when a row is {event}",
                    key.action_name(action),
                    key.other
                ),
                "`install_triggers` for the struct on that table, if there is one",
            ));
        }
    }
    for key in &table.refers_to {
        for (action, event) in [(key.on_delete, "deleted"), (key.on_update, "changed")] {
            if action != Action::Nothing {
                remarks.push(Finding::warning(
                    format!("foreign key {}", key.name),
                    format!(
                        "{} changes rows of this table when a row of {} is {event}, of which the \
                         cache is told by triggers only",
                        key.action_name(action),
                        key.other
                    ),
                    "`install_triggers`; MySQL and MariaDB fire none for it: let the program \
                     delete and change these rows by itself",
                ));
            }
        }
    }
    remarks
}
