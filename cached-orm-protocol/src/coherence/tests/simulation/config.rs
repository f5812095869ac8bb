use super::{
    process::{HOLD_OFF, TIMES},
    scheduler::Scheduler,
};
use std::time::Duration;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Config {
    pub(super) name: &'static str,
    pub(super) store: Store,
    /// One of them for each seed.
    pub(super) policies: &'static [Policy],
    pub(super) promise: Promise,
    pub(super) faults: Faults,
    /// The longest that COMMIT takes in the database. The protocol asks for
    /// less than the hold-off without the commit window.
    pub(super) longest_commit: Duration,
    pub(super) mutation: Option<Mutation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    Embedded,
    /// With incarnations and a hold-off.
    Reference,
    /// Two of them, on one of which each process reads; a list of servers is
    /// being changed, and every process fences on both.
    Moving,
}

/// What writers do about a cache that they cannot reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Abort,
    OnFailure,
    Always,
}

/// What readers are promised, but for keys with a pending row of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// A read returns nothing older than what was acknowledged, or returned,
    /// before it began.
    Linearizable,
    /// A read returns nothing older than what was acknowledged before it began.
    /// For fences that are evicted.
    Acknowledged,
}

/// How often things go wrong: once in so many cases, and never for 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Faults {
    /// Of commands: not carried out, and no answer.
    pub(super) command_lost: u32,
    /// Of commands: carried out, and no answer.
    pub(super) reply_lost: u32,
    /// Of commands: carried out long after the caller has given up.
    pub(super) command_late: u32,
    /// Of steps: a process cannot reach the cache, or can again.
    pub(super) cut_off: u32,
    /// Of steps: a row or a lease is evicted.
    pub(super) evicted: u32,
    /// Of steps: a fence is evicted.
    pub(super) fence_evicted: u32,
    /// Of steps: the cache is restarted.
    pub(super) restarted: u32,
    /// Of steps: a process dies, and another takes its place.
    pub(super) crashed: u32,
    /// Of operations: the caller goes away.
    pub(super) cancelled: u32,
    /// Of loads.
    pub(super) load_failed: u32,
    /// Of loads: it takes up to twice as long as a lease lasts.
    pub(super) load_slow: u32,
    /// Of COMMITs: rolled back.
    pub(super) refused: u32,
    /// Of COMMITs: the connection is lost, and the transaction committed, rolled
    /// back, or either of it later.
    pub(super) unknown: u32,
    /// Of questions to the database that are not loads.
    pub(super) database_failed: u32,
    /// Of steps: time passes in which nothing else happens.
    pub(super) pause: u32,
}

impl Faults {
    pub(super) const NONE: Self = Self {
        command_lost: 0,
        reply_lost: 0,
        command_late: 0,
        cut_off: 0,
        evicted: 0,
        fence_evicted: 0,
        restarted: 0,
        crashed: 0,
        cancelled: 0,
        load_failed: 0,
        load_slow: 0,
        refused: 0,
        unknown: 0,
        database_failed: 0,
        pause: 0,
    };

    /// Everything that can happen while the store neither loses fences nor is
    /// restarted.
    pub(super) const MANY: Self = Self {
        command_lost: 25,
        reply_lost: 25,
        command_late: 25,
        cut_off: 250,
        evicted: 40,
        crashed: 250,
        cancelled: 12,
        load_failed: 12,
        load_slow: 12,
        refused: 10,
        unknown: 6,
        database_failed: 12,
        pause: 60,
        ..Self::NONE
    };

    /// Leaves some kinds of faults out, so that each seed has a mixture of its
    /// own: some interleavings happen only where other faults do not.
    pub(super) fn mixed(self, scheduler: &Scheduler) -> Self {
        let mix = |once_in| if scheduler.once_in(3) { 0 } else { once_in };
        Self {
            command_lost: mix(self.command_lost),
            reply_lost: mix(self.reply_lost),
            command_late: mix(self.command_late),
            cut_off: mix(self.cut_off),
            evicted: mix(self.evicted),
            fence_evicted: self.fence_evicted,
            restarted: self.restarted,
            crashed: mix(self.crashed),
            cancelled: mix(self.cancelled),
            load_failed: mix(self.load_failed),
            load_slow: mix(self.load_slow),
            refused: mix(self.refused),
            unknown: mix(self.unknown),
            database_failed: mix(self.database_failed),
            pause: mix(self.pause),
        }
    }
}

const ANY: &[Policy] = &[Policy::Abort, Policy::OnFailure, Policy::Always];

/// A COMMIT that takes longer is beyond the promise: its fences expire.
const LONGEST_COMMIT: Duration = TIMES.fence_ttl.saturating_sub(TIMES.commit_window);
/// The same, where fences are lost in restarts.
const LONGEST_COMMIT_AT_RESTARTS: Duration = HOLD_OFF.saturating_sub(TIMES.commit_window);

pub(super) const WITHOUT_FAULTS: Config = Config {
    name: "without faults",
    store: Store::Embedded,
    policies: ANY,
    promise: Promise::Linearizable,
    faults: Faults::NONE,
    longest_commit: LONGEST_COMMIT,
    mutation: None,
};

pub(super) const EMBEDDED: Config =
    Config { name: "embedded", faults: Faults::MANY, ..WITHOUT_FAULTS };

pub(super) const RESTARTS: Config = Config {
    name: "restarts",
    store: Store::Reference,
    faults: Faults { restarted: 150, ..Faults::MANY },
    longest_commit: LONGEST_COMMIT_AT_RESTARTS,
    ..WITHOUT_FAULTS
};

pub(super) const MOVING: Config = Config { name: "moving", store: Store::Moving, ..RESTARTS };

pub(super) const FENCES_EVICTED: Config = Config {
    name: "fences evicted",
    promise: Promise::Acknowledged,
    faults: Faults { fence_evicted: 20, crashed: 0, ..Faults::MANY },
    ..EMBEDDED
};

pub(super) const FENCES_EVICTED_AND_CRASHES: Config = Config {
    name: "fences evicted and crashes",
    policies: &[Policy::Always],
    promise: Promise::Acknowledged,
    faults: Faults { fence_evicted: 20, ..Faults::MANY },
    ..EMBEDDED
};

/// Something that is done wrong, to show that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutation {
    /// The store puts a value over whatever lies there.
    ReplaceIgnoresCas,
    /// The store says that it has put a fence, and has not.
    FenceDoesNothing,
    /// The store takes a token of an earlier life for one of its own.
    TokensOutliveARestart,
    /// The store gives leases at once after a restart.
    NoHoldOff,
    /// The database lets go of the rows when COMMIT is sent.
    LocksEndBeforeCommit,
    /// The database carries COMMIT out after the fences have expired.
    CommitOutlivesFences,
    /// The drainer deletes fences.
    DrainerDeletesFences,
    /// The drainer removes rows of the outbox, and nothing from the cache.
    DrainerDoesNothing,
    /// A load reads the version before the latest.
    LoadIsStale,
    /// A load reads what is not committed yet.
    LoadIsDirty,
    /// The outbox says that it has taken keys, and has not.
    OutboxForgets,
    /// A process reads on a ring that others do not fence on.
    OneRingIsNotFenced,
    /// A list is fenced as if its writers had a lock in common.
    ListsAreFencedAsRows,
    /// A list is not fenced by writers that change one of its rows, but only by
    /// those that insert one.
    ListsAreFencedOnInsert,
}
