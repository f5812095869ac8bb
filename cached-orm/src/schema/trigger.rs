//! A trigger as the catalog describes it, in the same words for every database.

use super::{description::Change, words::Word};

#[derive(Debug, Clone)]
pub(crate) struct TriggerDescription {
    pub(crate) name: String,
    pub(crate) timing: Timing,
    pub(crate) events: Events,
    /// Whether it runs at COMMIT, or can be made to.
    pub(crate) is_deferrable: bool,
    /// Whether it is one of this crate's.
    pub(crate) is_own: bool,
    /// What it does; `None` if it may be anything.
    pub(crate) does: Option<Deeds>,
    /// The same where names are looked for in other schemas than this connection's.
    pub(crate) does_elsewhere: Option<Deeds>,
    /// Whether they are, in what it leads to.
    pub(crate) leads_elsewhere: bool,
}

/// What a trigger does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Deeds {
    pub(crate) writes: Vec<WrittenTable>,
    /// The columns that it changes in the row that is about to be written.
    pub(crate) assigns: Vec<String>,
}

/// A table to which a trigger writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenTable {
    /// Its schema and name.
    pub(crate) name: String,
    pub(crate) change: Change,
    /// The columns to which an UPDATE gives values.
    pub(crate) sets: Vec<String>,
    /// The columns by which it is the trigger's own row that is written; empty if it may
    /// be others.
    pub(crate) own_row_by: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    Before,
    After,
    InsteadOf,
}

/// What a trigger runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Events {
    pub(crate) insert: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
}

impl Events {
    pub(crate) fn has(self, change: Change) -> bool {
        match change {
            Change::Insert => self.insert,
            Change::Update => self.update,
            Change::Delete => self.delete,
        }
    }
}

/// What the names of this crate's own triggers and functions begin with.
pub(crate) const OWN_PREFIX: &str = "cached_orm_";

impl TriggerDescription {
    /// One that does nothing.
    pub(super) fn new(name: String, timing: Timing, events: Events) -> Self {
        Self {
            name,
            timing,
            events,
            is_deferrable: false,
            is_own: false,
            does: Some(Deeds::default()),
            does_elsewhere: Some(Deeds::default()),
            leads_elsewhere: false,
        }
    }

    /// The same, whose code does this wherever it runs.
    pub(super) fn doing(self, does: Option<Deeds>) -> Self {
        Self { does_elsewhere: does.clone(), does, ..self }
    }

    /// Whether it may write to a table.
    pub(crate) fn writes_elsewhere(&self) -> bool {
        self.does.as_ref().is_none_or(|deeds| !deeds.writes.is_empty())
    }
}

/// Whether a trigger is called as this crate's are: anybody can call one so.
pub(super) fn has_own_name(name: &str) -> bool {
    let is_hash = |part: &str| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.strip_prefix(OWN_PREFIX).is_some_and(|rest| rest.split('_').any(is_hash))
}

/// Whether it is a statement of which this crate's triggers consist: it puts keys into the
/// outbox.
pub(super) fn notes_keys(statement: &[Word]) -> bool {
    let [insert, into, named @ ..] = statement else { return false };
    let table = match named {
        [_, dot, table, ..] if dot.is(".") => table,
        [table, ..] => table,
        [] => return false,
    };
    insert.is("insert") && into.is("into") && table.name() == Some("cached_orm_outbox")
}
