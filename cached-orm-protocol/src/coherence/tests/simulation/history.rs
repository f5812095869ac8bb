use super::config::Promise;
use std::sync::{Mutex, MutexGuard};

/// A row: the number of the write that wrote it. No two writes have the same.
pub(super) type Row = Option<u64>;

/// What was committed, acknowledged and read, and what of it must not be.
pub(super) struct History {
    promise: Promise,
    state: Mutex<State>,
}

struct State {
    /// The rows, and a list of all of them, which has no versions of its own.
    keys: Vec<KeyHistory>,
    /// Counts events, to tell which came first.
    moment: u64,
    violation: Option<String>,
    stale_while_pending: u64,
}

struct KeyHistory {
    /// In the order of their commits.
    versions: Vec<Row>,
    /// The oldest version that a read may return that begins now.
    oldest_allowed: usize,
    /// Rows of the outbox.
    pending: usize,
    last_pending: u64,
    /// A commit has said that the cache may have kept an old row.
    is_doubtful: bool,
}

/// A read under way, of a row or of the list.
pub(super) struct Reading {
    key: usize,
    /// Of each row that is read.
    oldest_allowed: Vec<(usize, usize)>,
    began: u64,
}

impl History {
    pub(super) fn new(promise: Promise, rows: &[Row], has_list: bool) -> Self {
        let key = |versions| KeyHistory {
            versions,
            oldest_allowed: 0,
            pending: 0,
            last_pending: 0,
            is_doubtful: false,
        };
        let list = has_list.then(|| key(Vec::new()));
        let keys = rows.iter().map(|row| key(vec![*row])).chain(list).collect();
        let state = State { keys, moment: 1, violation: None, stale_while_pending: 0 };
        Self { promise, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect("no panic");
        state.moment += 1;
        state
    }

    /// Returns the version's number.
    pub(super) fn committed(&self, key: usize, row: Row) -> usize {
        let mut state = self.state();
        state.keys[key].versions.push(row);
        state.keys[key].versions.len() - 1
    }

    pub(super) fn acknowledged(&self, key: usize, version: usize) {
        let mut state = self.state();
        let history = &mut state.keys[key];
        history.oldest_allowed = history.oldest_allowed.max(version);
    }

    /// It was said that a fence may still lie under the key. That is harmless
    /// while it does, but it may have been evicted, and an old row be there.
    pub(super) fn doubted(&self, key: usize) {
        let mut state = self.state();
        state.keys[key].is_doubtful |= self.promise == Promise::Acknowledged;
    }

    pub(super) fn doubted_list(&self) {
        let list = self.state().keys.iter().position(|key| key.versions.is_empty());
        if let Some(list) = list {
            self.doubted(list);
        }
    }

    pub(super) fn enlisted(&self, key: usize) {
        self.state().keys[key].pending += 1;
    }

    pub(super) fn drained(&self, key: usize) {
        let mut state = self.state();
        let moment = state.moment;
        let history = &mut state.keys[key];
        history.pending -= 1;
        history.last_pending = moment;
    }

    pub(super) fn begin_read(&self, key: usize) -> Reading {
        let state = self.state();
        let oldest = |row: usize| (row, state.keys[row].oldest_allowed);
        let oldest_allowed = state.rows_of(key).map(oldest).collect();
        Reading { key, oldest_allowed, began: state.moment }
    }

    /// `rows` is what was read: one row, or all of them.
    pub(super) fn end_read(&self, reading: Reading, rows: &[Row], how: &str) {
        let Reading { key, oldest_allowed, began } = reading;
        for ((number, oldest), row) in oldest_allowed.into_iter().zip(rows) {
            self.check(key, began, number, oldest, *row, how);
        }
    }

    fn check(&self, key: usize, began: u64, number: usize, oldest: usize, row: Row, how: &str) {
        let mut state = self.state();
        let KeyHistory { pending, last_pending, is_doubtful, .. } = state.keys[key];
        let may_be_old = pending > 0 || last_pending > began || is_doubtful;
        let history = &mut state.keys[number];
        let allowed = &history.versions[oldest..];
        if let Some(newer_by) = allowed.iter().position(|version| *version == row) {
            if self.promise == Promise::Linearizable {
                // The oldest of those that look alike.
                let version = oldest + newer_by;
                history.oldest_allowed = history.oldest_allowed.max(version);
            }
            return;
        }
        if history.versions.contains(&row) {
            if may_be_old {
                state.stale_while_pending += 1;
                return;
            }
            let versions = &history.versions;
            let allowed = &versions[oldest];
            let text = format!(
                "{how} of key {key} returned {row:?} for row {number}, which is older than \
                 {allowed:?}; versions: {versions:?}"
            );
            state.fail(text);
        } else {
            let text = format!("{how} of key {key} returned {row:?}, which was not committed");
            state.fail(text);
        }
    }

    /// What the cache holds must be what the database holds.
    pub(super) fn compare(&self, key: usize, cached: &[Row], when: &str) {
        let mut state = self.state();
        let history = &state.keys[key];
        let last = |row: usize| state.keys[row].versions.last().copied().flatten();
        let last: Vec<Row> = state.rows_of(key).map(last).collect();
        if cached != last && history.pending == 0 && !history.is_doubtful {
            let text =
                format!("{when} the cache has {cached:?} for key {key}, the database {last:?}");
            state.fail(text);
        }
    }

    pub(super) fn fail(&self, text: String) {
        self.state().fail(text);
    }

    pub(super) fn violation(&self) -> Option<String> {
        self.state().violation.clone()
    }

    pub(super) fn stale_while_pending(&self) -> u64 {
        self.state().stale_while_pending
    }
}

impl State {
    /// The rows that are read under a key.
    fn rows_of(&self, key: usize) -> impl Iterator<Item = usize> + use<> {
        let is_list = self.keys[key].versions.is_empty();
        if is_list { 0..key } else { key..key + 1 }
    }

    /// The first counts; what follows may follow from it.
    fn fail(&mut self, text: String) {
        self.violation.get_or_insert(text);
    }
}
