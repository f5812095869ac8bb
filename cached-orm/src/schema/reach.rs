//! Which other rows a write can change, by triggers and foreign keys.

use super::description::{
    Action, Change, Deeds, Events, ForeignKey, RowsShown, TableDescription, TableKind,
    TriggerDescription, WrittenTable, are_among, meet,
};

/// What a change of a table's row leads to in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The table whose rows are changed, as it is written where it was found; `None` if it
    /// may be any.
    pub(crate) table: Option<String>,
    pub(crate) change: Change,
    /// The columns that an update changes.
    pub(crate) columns: Vec<String>,
    /// By what: for errors.
    pub(crate) cause: String,
    pub(crate) by_foreign_key: bool,
    /// Columns by which it is the trigger's own row that is changed.
    own_row_by: Vec<String>,
}

/// What SQLite calls a row's number, which may be its primary key.
const ROW_NUMBER: [&str; 3] = ["rowid", "oid", "_rowid_"];

impl Step {
    fn anywhere(change: Change, cause: String) -> Self {
        let (columns, own_row_by) = (Vec::new(), Vec::new());
        Self { table: None, change, columns, cause, by_foreign_key: false, own_row_by }
    }

    /// Whether it changes only the row that was changed before, of this table.
    pub(crate) fn is_own_row(&self, from: &TableDescription, to: &TableDescription) -> bool {
        // By another unique index it can be another row: before an INSERT, the one that
        // has had the value.
        let key = to.primary_key();
        let is_number = self.own_row_by == ["rowid"] && to.column("rowid").is_none();
        let is_moved = |trigger: &TriggerDescription| {
            trigger.does.as_ref().is_none_or(|deeds| meet(key, &deeds.assigns))
        };
        from.identity == to.identity
            && to.kind == TableKind::Ordinary
            && !self.own_row_by.is_empty()
            && (is_number || !key.is_empty() && are_among(key, &self.own_row_by))
            && !meet(key, &self.columns)
            && !meet(&ROW_NUMBER, &self.columns)
            && !to.other_triggers().any(is_moved)
    }
}

/// Where a change comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum From {
    /// A statement of this crate's, which gives no other values to these columns.
    Write(Vec<String>),
    /// A trigger that changes these columns.
    Trigger(Vec<String>),
    /// A foreign key that changes these columns.
    ForeignKey(Vec<String>),
}

/// What a change of a row of `table` leads to at once.
pub(crate) fn steps(table: &TableDescription, change: Change, from: &From) -> Vec<Step> {
    let mut steps = Vec::new();
    let is_followed = match from {
        From::Write(_) => table.kind != TableKind::View,
        From::Trigger(_) | From::ForeignKey(_) => !is_behind(table, change),
    };
    if !is_followed {
        let cause = format!("`{}`, which is more than a table of its own,", table.identity);
        steps.push(Step::anywhere(change, cause));
    }
    if change != Change::Delete && table.defaults_write {
        steps.push(Step::anywhere(change, format!("a default of `{}`", table.identity)));
    }
    // MySQL's foreign keys fire no triggers.
    if !matches!(from, From::ForeignKey(_)) || table.rows_shown != RowsShown::Afterwards {
        steps.extend(by_triggers(table, change));
    }
    let by_foreign_keys = table.referenced_by.iter().filter_map(|key| {
        let action = match change {
            Change::Insert => Action::Nothing,
            Change::Delete => key.on_delete,
            Change::Update if may_change(table, key, from) => key.on_update,
            Change::Update => Action::Nothing,
        };
        let deletes = change == Change::Delete && action == Action::Cascade;
        (action != Action::Nothing).then(|| Step {
            table: Some(key.other.clone()),
            change: if deletes { Change::Delete } else { Change::Update },
            columns: if deletes { Vec::new() } else { key.referring.clone() },
            cause: format!("foreign key {} of `{}` ({})", key.name, key.other, action.name()),
            by_foreign_key: true,
            own_row_by: Vec::new(),
        })
    });
    steps.extend(by_foreign_keys);
    steps
}

/// Whether what is written to it leads to other tables in a way that is not followed.
fn is_behind(table: &TableDescription, change: Change) -> bool {
    matches!(table.kind, TableKind::View | TableKind::Foreign)
        || !table.rules.is_empty()
        || table.is_behind_others
        || (table.replaces_rows && change != Change::Delete)
}

/// Whether an update can change what the foreign key refers to.
fn may_change(table: &TableDescription, key: &ForeignKey, from: &From) -> bool {
    let referred = match key.referred.is_empty() {
        true => table.primary_key(),
        false => &key.referred,
    };
    match from {
        From::Write(kept) => !are_among(referred, kept),
        From::Trigger(changed) | From::ForeignKey(changed) => meet(referred, changed),
    }
}

fn by_triggers(table: &TableDescription, change: Change) -> Vec<Step> {
    let is_for = |events: Events| match (change, table.kind) {
        // A row that moves to another partition is deleted here and inserted there.
        (Change::Update, TableKind::Partitioned) => true,
        _ => events.has(change),
    };
    let triggers = table.other_triggers().filter(|trigger| is_for(trigger.events));
    let steps = triggers.flat_map(|trigger| {
        let cause = format!("trigger `{}` of `{}`", trigger.name, table.identity);
        match &trigger.does {
            Some(deeds) if !changes_keys(deeds, table, change) => {
                let step = |written: &WrittenTable| Step {
                    table: Some(written.name.clone()),
                    change: written.change,
                    columns: written.sets.clone(),
                    cause: cause.clone(),
                    by_foreign_key: false,
                    own_row_by: written.own_row_by.clone(),
                };
                deeds.writes.iter().map(step).collect()
            }
            _ => vec![Step::anywhere(change, cause)],
        }
    });
    steps.collect()
}

/// Whether a trigger gives other values to what rows are known by.
fn changes_keys(deeds: &Deeds, table: &TableDescription, change: Change) -> bool {
    let is_referred =
        |key: &ForeignKey| key.on_update != Action::Nothing && meet(&key.referred, &deeds.assigns);
    change == Change::Update
        && (meet(table.primary_key(), &deeds.assigns)
            || table.referenced_by.iter().any(is_referred))
}
