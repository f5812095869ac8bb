//! What writes must know of a table.

use super::description::{
    Action, Change, RowsShown, TableDescription, TableKind, Timing, TriggerDescription, meet,
};
use xxhash_rust::xxh3::xxh3_64;

/// What writes must know of a table. By default nothing is relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TableFacts {
    /// Whether a statement's RETURNING, or the read after it, shows what will be
    /// committed: nothing changes a row later in the transaction. This crate's
    /// own triggers change none.
    pub(crate) rows_are_final: bool,
    /// The same for a statement that writes several rows: no row's trigger changes
    /// another one that RETURNING has shown already.
    pub(crate) many_are_final: bool,
    /// Whether this crate's triggers would note its own writes, and can be told
    /// not to.
    pub(crate) has_triggers: bool,
    /// Whether no trigger gives a new row another key than the one that the program or
    /// AUTO_INCREMENT has given it.
    pub(crate) inserts_keep_keys: bool,
    /// The same for a row that is updated.
    pub(crate) updates_keep_keys: bool,
    /// Whether AUTO_INCREMENT numbers a column of the key.
    pub(crate) numbers_keys: bool,
    /// What RETURNING shows as long as all of this is so; `None` where a statement
    /// that follows reads the rows.
    pub(crate) stamp: Option<Stamp>,
}

/// A text of [`Describe::stamp`](super::Describe::stamp), of which only the hash is
/// kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    pub(crate) fn of(text: &str) -> Self {
        Self(xxh3_64(text.as_bytes()))
    }
}

impl TableFacts {
    /// What must be known for such a change. `key` are the columns of the struct's primary
    /// key, to which no write of its gives other values.
    pub(crate) fn of(table: &TableDescription, key: &[&str], change: Change) -> Self {
        let others = || table.other_triggers().filter(|trigger| trigger.events.has(change));
        let has_before = table.other_triggers().any(|trigger| trigger.timing == Timing::Before);
        // What changes a row after it was read.
        let by_triggers = match table.rows_shown {
            RowsShown::Afterwards => false,
            RowsShown::BeforeAfterTriggers => {
                others().any(|trigger| trigger.timing != Timing::Before)
                    // Elsewhere a deferred trigger may come back to the row at COMMIT.
                    || others().any(TriggerDescription::writes_elsewhere)
            }
            RowsShown::BeforeTriggers => others().next().is_some(),
        };
        // A row that follows its key can have triggers that come back.
        let by_cascades = table.referenced_by.iter().any(|key_of_other| {
            let is_kept = |column: &String| !table.is_generated(column);
            let is_of_key = table.are_among(&key_of_other.referred, key)
                && key_of_other.referred.iter().all(is_kept)
                && !has_before;
            let comes_back = match table.rows_shown {
                RowsShown::Afterwards => key_of_other.other == table.identity,
                _ => !is_of_key,
            };
            key_of_other.on_update != Action::Nothing && comes_back
        });
        let is_plain = table.kind == TableKind::Ordinary
            && table.rules.is_empty()
            && table.engine_without_transactions.is_none()
            && !table.replaces_rows;
        let stamp = table.stamp.as_deref().map(Stamp::of);
        let is_read_later = table.rows_shown == RowsShown::Afterwards;
        let rows_are_final =
            is_plain && !by_triggers && !by_cascades && (is_read_later || stamp.is_some());
        Self {
            rows_are_final,
            many_are_final: rows_are_final && (is_read_later || others().next().is_none()),
            has_triggers: table.rows_shown == RowsShown::BeforeAfterTriggers
                && table.has_own_triggers(),
            inserts_keep_keys: keep_keys(table, key, Change::Insert),
            updates_keep_keys: keep_keys(table, key, Change::Update),
            numbers_keys: meet(table.auto_increment.as_slice(), key),
            stamp: stamp.filter(|_| rows_are_final),
        }
    }

    /// What must be known for a statement that may do either.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            rows_are_final: self.rows_are_final && other.rows_are_final,
            many_are_final: self.many_are_final && other.many_are_final,
            stamp: self.stamp.filter(|_| other.stamp.is_some()),
            ..self
        }
    }
}

/// Whether such changes leave rows the keys that they are given. What is behind a view, or
/// another table's rows, can have triggers of its own.
fn keep_keys(table: &TableDescription, key: &[&str], change: Change) -> bool {
    let is_known = matches!(table.kind, TableKind::Ordinary | TableKind::Partitioned)
        && !table.is_behind_others
        && !key.iter().any(|column| table.is_generated(column));
    // Names beyond ASCII are not compared as the database does.
    let is_other = |column: &String| column.is_ascii() && !meet(&[column], key);
    let mut before = table
        .other_triggers()
        .filter(|trigger| trigger.timing == Timing::Before && trigger.events.has(change));
    is_known
        && before.all(|trigger| {
            trigger.does.as_ref().is_some_and(|deeds| deeds.assigns.iter().all(is_other))
        })
}
