//! Which other rows a write can change, by triggers and foreign keys.

use super::{
    deeds::{Change, deeds},
    description::{Action, Events, RowsShown, TableDescription, Timing, are_among},
};

/// What a change of a table's row leads to in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The table whose rows are changed, as it is written where it was found.
    pub(crate) table: String,
    pub(crate) change: Change,
    /// By what: for errors.
    pub(crate) cause: String,
    pub(crate) by_foreign_key: bool,
    /// Columns by which it is the trigger's own row that is changed.
    own_row_by: Vec<String>,
}

impl Step {
    /// Whether it changes only the row that was changed before, of this table.
    pub(crate) fn is_own_row(&self, from: &TableDescription, to: &TableDescription) -> bool {
        let keys = from.indexes.iter().filter(|index| index.is_unique && !index.is_partial);
        from.identity == to.identity
            && !self.own_row_by.is_empty()
            && (keys.into_iter().any(|key| are_among(&key.columns, &self.own_row_by))
                || self.own_row_by.iter().any(|column| column == "rowid"))
    }
}

/// Where a change comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From<'k> {
    /// A statement of this crate's, which gives no other values to these columns.
    Write(&'k [String]),
    /// A trigger.
    Trigger,
    /// A foreign key.
    ForeignKey,
}

/// What a change of a row of `table` leads to at once.
pub(crate) fn steps(table: &TableDescription, change: Change, from: From<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    // MySQL's foreign keys fire no triggers.
    if from != From::ForeignKey || table.rows_shown != RowsShown::Afterwards {
        steps.extend(by_triggers(table, change));
    }
    let primary: &[String] = match from {
        From::Write(key) => key,
        From::Trigger | From::ForeignKey => {
            let primary = table.indexes.iter().find(|index| index.is_primary);
            primary.map_or(&[], |index| &index.columns)
        }
    };
    for key in &table.referenced_by {
        let (action, is_met) = match change {
            Change::Insert => continue,
            Change::Delete => (key.on_delete, true),
            // Without columns it refers to the primary key.
            Change::Update => (key.on_update, !are_among(&key.referred, primary)),
        };
        if action == Action::Nothing || !is_met {
            continue;
        }
        let is_delete = change == Change::Delete && action == Action::Cascade;
        steps.push(Step {
            table: key.other.clone(),
            change: if is_delete { Change::Delete } else { Change::Update },
            cause: format!("foreign key {} of `{}` ({})", key.name, key.other, action.name()),
            by_foreign_key: true,
            own_row_by: Vec::new(),
        });
    }
    steps
}

fn by_triggers(table: &TableDescription, change: Change) -> Vec<Step> {
    let is_for = |Events { insert, update, delete }: Events| match change {
        Change::Insert => insert,
        Change::Update => update,
        Change::Delete => delete,
    };
    let triggers = table.other_triggers();
    let triggers =
        triggers.filter(|trigger| trigger.timing != Timing::InsteadOf && is_for(trigger.events));
    let steps = triggers.flat_map(|trigger| {
        deeds(&trigger.text).into_iter().map(|deed| Step {
            table: deed.table,
            change: deed.change,
            cause: format!("trigger `{}` of `{}`", trigger.name, table.identity),
            by_foreign_key: false,
            own_row_by: deed.own_row_by,
        })
    });
    steps.collect()
}
