//! Which fault comes next. Everything is drawn from the run's seed.

use crate::proxies::{CommitCut, Disturbance};
use rand::{RngExt, rngs::StdRng};
use std::time::Duration;

/// Something that happens to one memcached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CacheFault {
    /// Killed; started again after a while.
    Restart(Duration),
    /// Stopped for a while, with its connections open.
    Stop(Duration),
    /// Junk of the rows' sizes pushes rows out. Fences stay, being young.
    RowsEvicted,
    Disturbed(Disturbance, Duration),
}

/// Something that happens to the database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DatabaseFault {
    Killed(Duration),
    Restarted,
    Stopped(Duration),
    Cut(CommitCut),
    Reset,
}

impl CacheFault {
    pub(crate) fn draw(rng: &mut StdRng) -> Self {
        match rng.random_range(0..100) {
            0..36 => Self::Restart(Duration::from_millis(match rng.random_range(0..3) {
                0 => 0,
                1 => rng.random_range(10..200),
                _ => rng.random_range(200..1500),
            })),
            36..52 => Self::Stop(logarithmic(rng, 0.01, 10.0)),
            52..62 => Self::RowsEvicted,
            _ => Self::Disturbed(disturbance(rng), logarithmic(rng, 0.05, 1.5)),
        }
    }

    /// As the report calls it.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Restart(_) => "memcached: kill -9 and restart",
            Self::Stop(_) => "memcached: SIGSTOP, 10 ms to 10 s",
            Self::RowsEvicted => "memcached: rows and leases evicted",
            Self::Disturbed(disturbance, _) => match disturbance {
                Disturbance::LateRequests(_) => "memcached: requests late",
                Disturbance::LostRequests => "memcached: requests lost",
                Disturbance::LateReplies(_) => "memcached: replies late",
                Disturbance::LostReplies => "memcached: replies lost",
                Disturbance::Cut => "memcached: cut in the middle of a reply",
                Disturbance::Doubled => "memcached: replies doubled",
                Disturbance::Swapped => "memcached: replies swapped",
                Disturbance::SpoiltValue => "memcached: a bit of a value wrong",
                Disturbance::SpoiltLine => "memcached: a bit of a reply wrong",
                Disturbance::Shortened => "memcached: replies shortened",
                Disturbance::Garbage => "memcached: garbage between replies",
            },
        }
    }
}

fn disturbance(rng: &mut StdRng) -> Disturbance {
    match rng.random_range(0..11) {
        0 => Disturbance::LateRequests(logarithmic(rng, 0.002, 5.0)),
        1 => Disturbance::LostRequests,
        2 => Disturbance::LateReplies(logarithmic(rng, 0.002, 1.0)),
        3 => Disturbance::LostReplies,
        4 => Disturbance::Cut,
        5 => Disturbance::Doubled,
        6 => Disturbance::Swapped,
        7 => Disturbance::SpoiltValue,
        8 => Disturbance::SpoiltLine,
        9 => Disturbance::Shortened,
        _ => Disturbance::Garbage,
    }
}

impl DatabaseFault {
    pub(crate) fn draw(rng: &mut StdRng) -> Self {
        match rng.random_range(0..100) {
            0..16 => Self::Killed(Duration::from_millis(rng.random_range(0..300))),
            16..30 => Self::Restarted,
            // Not longer: hold-off less commit window is what a COMMIT may take.
            30..45 => Self::Stopped(logarithmic(rng, 0.01, 1.0)),
            45..68 => Self::Cut(CommitCut::Before),
            68..92 => Self::Cut(CommitCut::After),
            _ => Self::Reset,
        }
    }

    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Killed(_) => "database: kill -9 and restart",
            Self::Restarted => "database: restart in good order",
            Self::Stopped(_) => "database: SIGSTOP, 10 ms to 1 s",
            Self::Cut(CommitCut::Before) => "database: connection cut before COMMIT",
            Self::Cut(CommitCut::After) => "database: connection cut after COMMIT",
            Self::Reset => "database: all connections cut",
        }
    }
}

/// As likely short as long: 10 to 20 ms as often as 5 to 10 s.
fn logarithmic(rng: &mut StdRng, least: f64, most: f64) -> Duration {
    Duration::from_secs_f64(least * (most / least).powf(rng.random_range(0.0..1.0)))
}
