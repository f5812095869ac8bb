//! Which other rows a write can change, by triggers and foreign keys.

use super::{
    consequences::WrittenTable,
    description::{Action, Change, Events, RowsShown, TableDescription, are_among},
};

/// What a change of a table's row leads to in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The table whose rows are changed, as it is written where it was found; `None` if
    /// that cannot be read, and so may be any.
    pub(crate) table: Option<String>,
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
        // By another unique index it can be another row: before an INSERT, the one that
        // has had the value.
        let mut primary = from.indexes.iter().filter(|index| index.is_primary);
        from.identity == to.identity
            && !self.own_row_by.is_empty()
            && (primary.any(|index| are_among(&index.columns, &self.own_row_by))
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
            table: Some(key.other.clone()),
            change: if is_delete { Change::Delete } else { Change::Update },
            cause: format!("foreign key {} of `{}` ({})", key.name, key.other, action.name()),
            by_foreign_key: true,
            own_row_by: Vec::new(),
        });
    }
    steps
}

/// By triggers, and by functions that make the columns' defaults.
fn by_triggers(table: &TableDescription, change: Change) -> Vec<Step> {
    let is_for = |Events { insert, update, delete }: Events| match change {
        Change::Insert => insert,
        Change::Update => update,
        Change::Delete => delete,
    };
    let triggers = table.other_triggers().filter(|trigger| is_for(trigger.events));
    let by_triggers = triggers.flat_map(|trigger| {
        let cause = format!("trigger `{}` of `{}`", trigger.name, table.identity);
        let written = match &trigger.writes {
            Some(written) => written.iter().map(Some).collect(),
            None => vec![None],
        };
        written.into_iter().map(move |written| (cause.clone(), written))
    });
    let defaults: &[WrittenTable] = match change {
        Change::Insert => &table.defaults_write,
        Change::Update | Change::Delete => &[],
    };
    let cause = format!("a default of `{}`", table.identity);
    let by_defaults = defaults.iter().map(|written| (cause.clone(), Some(written)));
    let steps = by_triggers.chain(by_defaults).flat_map(|(cause, written)| {
        // How it writes to it is not told apart.
        Change::ALL.map(|change| Step {
            table: written.map(|written| written.name.clone()),
            change,
            cause: cause.clone(),
            by_foreign_key: false,
            own_row_by: written.map(|written| written.own_row_by.clone()).unwrap_or_default(),
        })
    });
    steps.collect()
}
