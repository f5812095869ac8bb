//! Which other rows a write can change, by triggers and foreign keys.

use super::description::{
    Action, Change, Deeds, Events, ForeignKey, RowsShown, TableDescription, TableKind, Timing,
    TriggerDescription, WrittenTable, meet,
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
    /// Whether names in code that it runs are looked for in other schemas than this
    /// connection's: with the settings of a function, or as another role.
    pub(crate) is_elsewhere: bool,
    /// Columns by which it is the trigger's own row that is changed.
    own_row_by: Vec<String>,
}

impl Step {
    fn anywhere(change: Change, cause: String) -> Self {
        Self {
            table: None,
            change,
            columns: Vec::new(),
            cause,
            by_foreign_key: false,
            is_elsewhere: false,
            own_row_by: Vec::new(),
        }
    }

    /// Whether it changes only the row that was changed before, of this table, by whose
    /// columns `key` the struct knows it.
    pub(crate) fn is_own_row(
        &self,
        from: &TableDescription,
        to: &TableDescription,
        key: &[&str],
    ) -> bool {
        // By another unique index it can be another row: before an INSERT, the one that
        // has had the value.
        let primary = to.primary_key();
        let is_by_number = self.own_row_by.iter().all(|column| to.is_row_number(column));
        let changed = to.changed_with(&self.columns);
        let is_moved = |trigger: &TriggerDescription| {
            trigger
                .does
                .as_ref()
                .is_none_or(|deeds| meet(primary, &to.changed_with(&deeds.assigns)))
        };
        from.identity == to.identity
            && to.kind == TableKind::Ordinary
            && !self.own_row_by.is_empty()
            && (is_by_number || !primary.is_empty() && to.are_among(primary, &self.own_row_by))
            && !meet(primary, &changed)
            && !meet(key, &changed)
            && !self.columns.iter().any(|column| to.is_row_number(column))
            && !to.other_triggers().any(is_moved)
    }

    /// What its change leads to comes from here.
    pub(crate) fn leads_on(&self) -> From {
        From::Step {
            columns: self.columns.clone(),
            by_foreign_key: self.by_foreign_key,
            is_elsewhere: self.is_elsewhere,
        }
    }
}

/// Where a change comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum From {
    /// A statement of this crate's, which gives no other values to these columns.
    Write(Vec<String>),
    /// A trigger or a foreign key that changes these columns.
    Step { columns: Vec<String>, by_foreign_key: bool, is_elsewhere: bool },
}

/// What a change of a row of `table` leads to at once.
pub(crate) fn steps(table: &TableDescription, change: Change, from: &From) -> Vec<Step> {
    let mut steps = Vec::new();
    let (is_followed, by_foreign_key, is_elsewhere) = match from {
        From::Write(_) => (table.kind != TableKind::View, false, false),
        From::Step { by_foreign_key, is_elsewhere, .. } => {
            (!is_behind(table, change), *by_foreign_key, *is_elsewhere)
        }
    };
    if !is_followed {
        let cause = format!("`{}`, which is more than a table of its own,", table.identity);
        steps.push(Step::anywhere(change, cause));
    }
    if change != Change::Delete && table.defaults_write {
        steps.push(Step::anywhere(change, format!("a default of `{}`", table.identity)));
    }
    // MySQL's foreign keys fire no triggers.
    if !by_foreign_key || table.rows_shown != RowsShown::Afterwards {
        steps.extend(by_triggers(table, change, is_elsewhere));
        // Of what it writes itself, an account is shown all, or nothing of any table.
        if table.hides_triggers && !matches!(from, From::Write(_)) {
            let cause = format!(
                "a trigger of `{}`, of which this account is shown none (grant it TRIGGER on the \
                 table): if there is one it",
                table.identity
            );
            steps.push(Step::anywhere(change, cause));
        }
    }
    let by_foreign_keys = table.referenced_by.iter().filter_map(|key| {
        let action = match change {
            Change::Insert => Action::Nothing,
            Change::Delete => key.on_delete,
            Change::Update if may_change(table, key, from) => key.on_update,
            Change::Update => Action::Nothing,
        };
        let deletes = change == Change::Delete && action == Action::Cascade;
        let is_known = deletes || !key.referring.is_empty();
        (action != Action::Nothing).then(|| Step {
            table: is_known.then(|| key.other.clone()),
            change: if deletes { Change::Delete } else { Change::Update },
            columns: if deletes { Vec::new() } else { key.referring.clone() },
            cause: format!(
                "foreign key {} of `{}` ({})",
                key.name,
                key.other,
                key.action_name(action)
            ),
            by_foreign_key: true,
            is_elsewhere: is_elsewhere || key.acts_elsewhere,
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
        From::Write(kept) => {
            !table.are_among(referred, kept)
                || referred.iter().any(|column| table.is_generated(column))
        }
        From::Step { columns, .. } => meet(referred, &table.changed_with(columns)),
    }
}

fn by_triggers(table: &TableDescription, change: Change, is_elsewhere: bool) -> Vec<Step> {
    let is_for = |events: Events| match (change, table.kind) {
        // A row that moves to another partition is deleted here and inserted there.
        (Change::Update, TableKind::Partitioned) => true,
        _ => events.has(change),
    };
    let triggers = table.other_triggers().filter(|trigger| is_for(trigger.events));
    let steps = triggers.flat_map(|trigger| {
        let cause = format!("trigger `{}` of `{}`", trigger.name, table.identity);
        let does = if is_elsewhere { &trigger.does_elsewhere } else { &trigger.does };
        // Before SQLite inserts a row, its number can be another row's.
        let is_unnumbered = table.rows_shown == RowsShown::BeforeTriggers
            && trigger.timing == Timing::Before
            && change == Change::Insert;
        match does {
            Some(deeds) if !changes_keys(deeds, table, change) => {
                let step = |written: &WrittenTable| Step {
                    table: Some(written.name.clone()),
                    change: written.change,
                    columns: written.sets.clone(),
                    cause: cause.clone(),
                    by_foreign_key: false,
                    is_elsewhere: is_elsewhere || trigger.leads_elsewhere,
                    own_row_by: match is_unnumbered && is_by_number(table, &written.own_row_by) {
                        true => Vec::new(),
                        false => written.own_row_by.clone(),
                    },
                };
                deeds.writes.iter().map(step).collect()
            }
            _ => vec![Step::anywhere(change, cause)],
        }
    });
    steps.collect()
}

/// Whether one of these is the row's number on SQLite, by whatever name.
fn is_by_number(table: &TableDescription, columns: &[String]) -> bool {
    let is_integer = |name: &String| {
        table.column(name).is_some_and(|column| column.type_name.eq_ignore_ascii_case("INTEGER"))
    };
    let primary = table.primary_key();
    let is_number = |column: &String| {
        table.is_row_number(column)
            || is_integer(column) && primary.len() == 1 && meet(primary, &[column])
    };
    columns.iter().any(is_number)
}

/// Whether a trigger gives other values to what rows are known by.
fn changes_keys(deeds: &Deeds, table: &TableDescription, change: Change) -> bool {
    let changed = table.changed_with(&deeds.assigns);
    let is_referred =
        |key: &ForeignKey| key.on_update != Action::Nothing && meet(&key.referred, &changed);
    change == Change::Update
        && (meet(table.primary_key(), &changed) || table.referenced_by.iter().any(is_referred))
}
