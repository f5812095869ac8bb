//! What one run contains.

pub(crate) const ROWS: usize = 3;
pub(crate) const WRITERS: usize = 3;
pub(crate) const READERS: usize = 2;

#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    pub(crate) kind: Kind,
    pub(crate) fences: Fences,
    /// The rows that have the value at the beginning.
    pub(crate) members: u8,
    /// The transactions of each writer.
    pub(crate) scripts: [&'static [Script]; WRITERS],
    /// The writers that are other programs, on a table with triggers.
    pub(crate) others: u8,
    /// Whether readers may load what they have found anew, and replace it.
    pub(crate) refresh: bool,
    /// Whether a fence that can't be confirmed makes its writer put the key into
    /// the outbox; else it rolls back.
    pub(crate) outbox: bool,
    pub(crate) faults: Faults,
    pub(crate) mutation: Option<Mutation>,
}

/// The changes of one transaction.
pub(crate) type Script = &'static [Change];

/// Which row comes to have the value, or has it no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Enter(usize),
    Leave(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One row has the value, or none.
    Unique,
    /// Any rows have it.
    List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fences {
    /// Each writer puts its own, whatever lies there, as on a row.
    Own,
    /// Each adds its token to the fence that lies there, and takes it out again.
    Shared,
}

/// Crashes and evictions happen any number of times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) evict_values: bool,
    pub(crate) evict_leases: bool,
    pub(crate) evict_fences: bool,
    pub(crate) crash_writers: bool,
    pub(crate) crash_readers: bool,
    /// Users roll back, and COMMIT fails.
    pub(crate) rollbacks: bool,
    /// The database ends transactions, and the writer does not notice.
    pub(crate) lost_transactions: bool,
    /// The connection to the database breaks during COMMIT.
    pub(crate) unknown_commits: bool,
    /// Writers meet others so often that they put a fence whatever lies there.
    pub(crate) contention: bool,
    /// How many commands are not answered.
    pub(crate) timeouts: u8,
    /// Whether those may arrive later.
    pub(crate) late: bool,
    /// How often the cache server restarts.
    pub(crate) restarts: u8,
}

impl Faults {
    pub(crate) const NONE: Self = Self {
        evict_values: false,
        evict_leases: false,
        evict_fences: false,
        crash_writers: false,
        crash_readers: false,
        rollbacks: false,
        lost_transactions: false,
        unknown_commits: false,
        contention: false,
        timeouts: 0,
        late: false,
        restarts: 0,
    };
    pub(crate) const EVICTION: Self = Self { evict_values: true, evict_leases: true, ..Self::NONE };
    pub(crate) const CRASHES: Self =
        Self { crash_writers: true, crash_readers: true, ..Self::EVICTION };
}

/// A mistake, which the model must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// Nobody fences.
    NoFences,
    /// Who leaves the value fences nothing. Right for a unique value.
    NewValuesOnly,
    /// The row that an entry points to is returned whatever its value is.
    TrustPointers,
    /// Nothing puts writers of the value in order: no unique index, or one that
    /// is checked at COMMIT.
    UnorderedWriters,
    /// A fence where nothing was is put even if something is there by now.
    AddOverAnything,
    /// The last command of a release does not look whose tokens are there.
    ReleaseForAll,
    /// The own token is taken away before the transaction is known to be over.
    ReleaseWhileUnknown,
    /// A fence that is put whatever lies there is taken away by its writer.
    TakesContendedFence,
    /// Tokens are left out although their writers still need them.
    LeavesAnyTokenOut,
    /// No hold-off after a restart.
    NoHoldOff,
}

impl Configuration {
    pub(crate) const UNIQUE: Self = Self {
        kind: Kind::Unique,
        fences: Fences::Own,
        members: 0,
        scripts: [&[&[Change::Enter(0)]], &[], &[]],
        others: 0,
        refresh: false,
        outbox: false,
        faults: Faults::NONE,
        mutation: None,
    };

    /// Two writers, each of a row of its own: one comes, one goes.
    pub(crate) const LIST: Self = Self {
        kind: Kind::List,
        fences: Fences::Shared,
        members: 0b010,
        scripts: [&[&[Change::Enter(0)]], &[&[Change::Leave(1)]], &[]],
        ..Self::UNIQUE
    };

    pub(crate) fn mutated(&self, mutation: Mutation) -> Self {
        Self { mutation: Some(mutation), ..self.clone() }
    }

    pub(crate) fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Whether what is read from the cache is what the database has at that
    /// moment; else only that it is not older than what was acknowledged.
    pub(crate) fn promises_current(&self) -> bool {
        !self.faults.evict_fences
    }

    /// Whether, with nothing under way, the cache has what the database has.
    pub(crate) fn promises_rest(&self) -> bool {
        let leaves_fences = self.faults.crash_writers || self.faults.timeouts > 0 && !self.outbox;
        !(self.faults.evict_fences && leaves_fences)
    }
}

impl Change {
    pub(crate) fn row(self) -> usize {
        match self {
            Self::Enter(row) | Self::Leave(row) => row,
        }
    }
}
