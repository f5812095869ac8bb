//! What operators look at: how servers, outbox and loads are, what lies under a
//! key, and whether the cache agrees with the database.
//!
//! Nothing here changes the cache, or gives more of a row than its columns' names.

mod audit;
mod explain;
mod explanation;
mod hits;
mod named;
mod status;
mod verdict;

pub use audit::{Audit, AuditOptions, Disagreement};
pub use explanation::{Age, CacheContent, Explanation, InDatabase, NearCopy};
#[cfg(any(fuzzing, test))]
pub(crate) use named::has_fields;
pub use named::{RowKeys, TableAudit};
pub use status::{DatabaseStatus, OtherTriggers, OutboxStatus, Status};
pub use verdict::Verdict;

use crate::cache::seconds;
use std::{fmt, time::Duration};

/// How long a database may take that answers an operator.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prints the lines of a table of two columns.
struct Lines<'f, 'b>(&'f mut fmt::Formatter<'b>);

impl Lines<'_, '_> {
    fn line(&mut self, name: &str, value: impl fmt::Display) -> fmt::Result {
        writeln!(self.0, "{name:<13} {value}")
    }

    fn if_any(&mut self, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
        value.map_or(Ok(()), |value| self.line(name, value))
    }
}

/// A time as people read it: `9.6 ms`, `3.0 s`.
fn readable(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..1e-3 => format!("{:.0} us", seconds * 1e6),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        ..120.0 => format!("{seconds:.1} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}
