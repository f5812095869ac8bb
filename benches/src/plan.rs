//! How much is measured, and for how long.

use std::time::Duration;

/// The sizes of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Whether it is the short form, which shows that everything works.
    pub(crate) quick: bool,
    /// Rounds of each contestant; medians are taken of them.
    pub(crate) rounds: usize,
    /// How long one contestant runs in one round.
    pub(crate) slice: Duration,
    /// How many tasks at once.
    pub(crate) tasks: &'static [usize],
    /// Rows of the table.
    pub(crate) rows: i64,
    /// Rows that are read again and again.
    pub(crate) working_set: usize,
    /// Keys in the cache, for growth.
    pub(crate) key_counts: &'static [u64],
    /// Servers, for growth.
    pub(crate) server_counts: &'static [usize],
}

impl Plan {
    /// A quarter of an hour.
    pub(crate) fn full() -> Self {
        Self {
            quick: false,
            rounds: 5,
            slice: Duration::from_millis(600),
            tasks: &[1, 16, 64, 256],
            rows: 1_000_000,
            working_set: 10_000,
            key_counts: &[1_000, 10_000, 100_000, 1_000_000, 10_000_000],
            server_counts: &[1, 2, 4, 8, 16],
        }
    }

    /// Two minutes.
    pub(crate) fn quick() -> Self {
        Self {
            quick: true,
            rounds: 3,
            slice: Duration::from_millis(100),
            tasks: &[1, 64],
            rows: 100_000,
            working_set: 2_000,
            key_counts: &[1_000, 100_000],
            server_counts: &[1, 4],
        }
    }
}
