//! What a type does on a SQL type.

use futures_util::FutureExt as _;
use std::{fmt, panic::AssertUnwindSafe};

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Works(Works),
    /// No value can be written and read.
    Never,
    /// It is refused at the first use, with this message.
    Refused(String),
}

/// A type that works, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Works {
    /// The column keeps some values otherwise than they were given: rounded, padded.
    pub(crate) changes: bool,
    /// Rows whose key it would keep otherwise are refused.
    pub(crate) refuses_changed_keys: bool,
    /// Some values are refused, since they are none of the column's.
    pub(crate) refuses_some: bool,
}

impl fmt::Display for Works {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let notes =
            [(self.changes, "c"), (self.refuses_changed_keys, "k"), (self.refuses_some, "r")];
        let notes: Vec<_> = notes.iter().filter(|(is, _)| *is).map(|(_, note)| *note).collect();
        if notes.is_empty() { Ok(()) } else { write!(f, " ({})", notes.join(", ")) }
    }
}

/// What should hold and does not.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }

    /// Of two values that need not be equal to themselves.
    pub(crate) fn same<A: fmt::Debug, B: fmt::Debug>(&mut self, what: &str, found: A, wanted: B) {
        let (found, wanted) = (format!("{found:?}"), format!("{wanted:?}"));
        self.expect(found == wanted, || format!("{what}: found {found}, wanted {wanted}"));
    }

    /// What was found of this name.
    pub(crate) fn of(self, name: &str) -> Vec<String> {
        let count = self.0.len();
        let some = self.0.into_iter().take(6);
        some.map(|finding| format!("{name}, one of {count}: {finding}")).collect()
    }
}

/// A trial, which goes on with the next type whatever becomes of this one.
pub(crate) async fn tried<T>(
    name: &str,
    trial: impl Future<Output = (T, Findings)>,
) -> (Option<T>, Vec<String>) {
    // Of all types together they would be more than a stack takes.
    match AssertUnwindSafe(Box::pin(trial)).catch_unwind().await {
        Ok((outcome, findings)) => (Some(outcome), findings.of(name)),
        Err(_) => (None, vec![format!("{name}: it panicked")]),
    }
}
