//! What was written and read, and whether it can be so.
//!
//! Every write of a key gives it the next revision, and is an *attempt* with a
//! number of its own. A read must return at least the highest revision that was
//! acknowledged, or returned by a read that had ended, before the read began; and
//! never an attempt that was rolled back. A deletion has a revision too. A read
//! that finds no row does not say which deletion it saw; it is taken for the
//! oldest one that is allowed.
//!
//! A row is looked up by a value that it has on every other revision. A lookup that
//! does not find it must be explained by a deletion, or a revision on the other
//! side, under the same rules.

use crate::rows;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// What a reader knew when it began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) key: i64,
    acknowledged: i64,
    returned: i64,
    at: SystemTime,
    by: &'static str,
    via: Option<Via>,
}

/// The entry of an index that a lookup goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Label(i64),
    Bucket(i64),
}

/// How a read broke the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Offence {
    /// It returned less than was acknowledged before it began.
    Stale,
    /// It returned less than an earlier read did, but nothing that was
    /// acknowledged was missing.
    WentBack,
    /// It returned what was rolled back, or was overwritten in its own transaction.
    Uncommitted,
    /// It returned a row that nobody wrote.
    Torn,
}

/// A read that broke the promise, with what is needed to find out why.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) offence: Offence,
    pub(crate) key: i64,
    pub(crate) via: Option<Via>,
    pub(crate) began: SystemTime,
    pub(crate) ended: SystemTime,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Under way, committed, or unknown for ever.
    Possible,
    /// Never to be seen.
    RolledBack,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    revision: i64,
    fate: Fate,
    was_seen: bool,
}

#[derive(Debug, Default)]
struct KeyHistory {
    acknowledged: i64,
    returned: i64,
    attempts: Vec<Attempt>,
    /// Writes that may have been committed: revision and attempts.
    possible: BTreeMap<i64, Vec<i64>>,
    /// Deletions that may have been committed: revision and attempts. None is
    /// forgotten, for a read that began long ago may have seen an old one.
    absences: BTreeMap<i64, Vec<i64>>,
    recent: VecDeque<(Duration, String)>,
}

pub(crate) struct History {
    began: Instant,
    keys: Vec<Mutex<KeyHistory>>,
    violations: Mutex<Vec<Violation>>,
}

/// How much of each key's past a violation's report shows.
const RECENT: usize = 40;

impl History {
    pub(crate) fn new(keys: i64) -> Self {
        Self {
            began: Instant::now(),
            keys: (0..keys).map(|_| Mutex::default()).collect(),
            violations: Mutex::default(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn key(&self, key: i64) -> MutexGuard<'_, KeyHistory> {
        let index = usize::try_from(key).expect("keys count from 0");
        self.keys[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A writer is about to write this revision; returns its attempt's number.
    pub(crate) fn begin_write(&self, key: i64, revision: i64, what: &str) -> i64 {
        let at = self.elapsed();
        let mut history = self.key(key);
        let attempt = history.attempts.len() as i64;
        history.attempts.push(Attempt { revision, fate: Fate::Possible, was_seen: false });
        history.possible.entry(revision).or_default().push(attempt);
        history.note(at, format!("#{attempt} {what} {revision}"));
        attempt
    }

    /// A deletion is about to be committed.
    pub(crate) fn may_be_absent(&self, key: i64, revision: i64, attempt: i64) {
        self.key(key).absences.entry(revision).or_default().push(attempt);
    }

    /// The write of this revision was acknowledged to its caller.
    pub(crate) fn acknowledge(&self, key: i64, revision: i64, attempt: i64) {
        let at = self.elapsed();
        let mut history = self.key(key);
        history.acknowledged = history.acknowledged.max(revision);
        history.note(at, format!("#{attempt} acknowledged {revision}"));
    }

    /// The attempt was not committed.
    pub(crate) fn rolled_back(&self, key: i64, attempt: i64, why: &str) {
        let at = self.elapsed();
        let mut history = self.key(key);
        history.note(at, format!("#{attempt} rolled back: {why}"));
        let index = usize::try_from(attempt).expect("attempts count from 0");
        history.attempts[index].fate = Fate::RolledBack;
        let revision = history.attempts[index].revision;
        forget(&mut history.absences, revision, attempt);
        forget(&mut history.possible, revision, attempt);
        if history.attempts[index].was_seen {
            let text = format!("#{attempt} was read before it was rolled back\n{}", history.tell());
            drop(history);
            let now = SystemTime::now();
            self.report(Violation {
                offence: Offence::Uncommitted,
                key,
                via: None,
                began: now,
                ended: now,
                text,
            });
        }
    }

    /// Whether the attempt was committed will not be known.
    pub(crate) fn unknown(&self, key: i64, attempt: i64, why: &str) {
        let at = self.elapsed();
        self.key(key).note(at, format!("#{attempt} unknown: {why}"));
    }

    /// A read begins.
    pub(crate) fn begin_read(&self, key: i64, by: &'static str) -> Begun {
        let at = SystemTime::now();
        let history = self.key(key);
        let (acknowledged, returned) = (history.acknowledged, history.returned);
        Begun { key, acknowledged, returned, at, by, via: None }
    }

    /// A lookup begins in which the key's row may be found.
    pub(crate) fn begin_lookup(&self, key: i64, by: &'static str, via: Via) -> Begun {
        Begun { via: Some(via), ..self.begin_read(key, by) }
    }

    /// A read has returned this revision of this attempt, or no row.
    pub(crate) fn end_read(&self, begun: Begun, found: Option<(i64, i64)>) {
        let at = self.elapsed();
        let mut history = self.key(begun.key);
        let Begun { acknowledged, returned, .. } = begun;
        let (revision, uncommitted) = match found {
            Some((revision, attempt)) => (Some(revision), history.see(attempt)),
            None => {
                let allowed = history.absences.range(acknowledged.max(returned)..).next();
                let allowed = allowed.or(history.absences.range(acknowledged..).next());
                (allowed.map(|(&revision, _)| revision), false)
            }
        };
        let offence = match revision {
            _ if uncommitted => Some(Offence::Uncommitted),
            Some(revision) if revision < acknowledged => Some(Offence::Stale),
            Some(revision) if revision < returned => Some(Offence::WentBack),
            Some(_) => None,
            // No deletion explains it.
            None => Some(Offence::Stale),
        };
        if let Some(revision) = revision.filter(|&revision| revision > history.returned) {
            history.returned = revision;
            history.note(at, format!("returned {revision}"));
        }
        let Some(offence) = offence else { return };
        let found = match found {
            Some((revision, attempt)) => format!("{revision} of #{attempt}"),
            None => "no row".to_owned(),
        };
        history.note(at, format!("{offence:?}: returned {found}"));
        let text = format!(
            "{} returned {found}; acknowledged {acknowledged} and returned {returned} before it began\n{}",
            begun.by,
            history.tell()
        );
        drop(history);
        self.report(Violation {
            offence,
            key: begun.key,
            via: begun.via,
            began: begun.at,
            ended: SystemTime::now(),
            text,
        });
    }

    /// A lookup by a value of this side has not found the row.
    pub(crate) fn end_lookup_without(&self, begun: Begun, side: i64) {
        let Begun { acknowledged, returned, .. } = begun;
        let mut history = self.key(begun.key);
        let offence = if history.explains_missing(acknowledged.max(returned), side) {
            return;
        } else if history.explains_missing(acknowledged, side) {
            Offence::WentBack
        } else {
            Offence::Stale
        };
        let at = self.elapsed();
        history.note(at, format!("{offence:?}: not found on side {side}"));
        let text = format!(
            "{} did not find it on side {side}; acknowledged {acknowledged} and returned {returned} before it began\n{}",
            begun.by,
            history.tell()
        );
        drop(history);
        self.report(Violation {
            offence,
            key: begun.key,
            via: begun.via,
            began: begun.at,
            ended: SystemTime::now(),
            text,
        });
    }

    /// A read has returned a row that nobody wrote.
    pub(crate) fn torn(&self, begun: Begun, row: String) {
        self.report(Violation {
            offence: Offence::Torn,
            key: begun.key,
            via: begun.via,
            began: begun.at,
            ended: SystemTime::now(),
            text: row,
        });
    }

    pub(crate) fn note(&self, key: i64, what: String) {
        let at = self.elapsed();
        self.key(key).note(at, what);
    }

    fn report(&self, violation: Violation) {
        let mut violations = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
        violations.push(violation);
    }

    /// Takes the violations that were found since the last call.
    pub(crate) fn take_violations(&self) -> Vec<Violation> {
        std::mem::take(&mut *self.violations.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeyHistory {
    fn note(&mut self, at: Duration, what: String) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((at, what));
    }

    /// Marks an attempt as seen; says whether it should not have been.
    fn see(&mut self, attempt: i64) -> bool {
        let index = usize::try_from(attempt).ok();
        match index.and_then(|index| self.attempts.get_mut(index)) {
            Some(attempt) => {
                attempt.was_seen = true;
                attempt.fate == Fate::RolledBack
            }
            None => true,
        }
    }

    /// Whether a state from this revision on has no row on this side.
    fn explains_missing(&self, from: i64, side: i64) -> bool {
        let elsewhere = |(&revision, _): (&i64, &Vec<i64>)| rows::side(revision) != side;
        self.absences.range(from..).next().is_some() || self.possible.range(from..).any(elsewhere)
    }

    fn tell(&self) -> String {
        let lines = self.recent.iter();
        lines.map(|(at, what)| format!("    {:>10.4} s  {what}\n", at.as_secs_f64())).collect()
    }
}

/// Forgets an attempt that was not committed.
fn forget(attempts: &mut BTreeMap<i64, Vec<i64>>, revision: i64, attempt: i64) {
    if let Some(of_revision) = attempts.get_mut(&revision) {
        of_revision.retain(|&other| other != attempt);
        if of_revision.is_empty() {
            attempts.remove(&revision);
        }
    }
}
