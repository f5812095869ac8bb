//! What one run of the model contains: who writes what, which faults there
//! are, what is promised, and which mistake is built in.

/// The keys there is room for.
pub(crate) const KEYS: usize = 2;
/// The writers there are.
pub(crate) const WRITERS: usize = 2;
/// The readers there are.
pub(crate) const READERS: usize = 2;

#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    /// How many keys are used.
    pub(crate) keys: usize,
    /// Whether the rows exist at the beginning.
    pub(crate) rows_exist: bool,
    /// The transactions of each writer.
    pub(crate) scripts: [&'static [Script]; WRITERS],
    /// Whether the readers are in one process, and share loads and fills; else
    /// each is a process of its own.
    pub(crate) one_process: bool,
    /// Whether readers may load a row that they have found, and replace it.
    pub(crate) refresh: bool,
    pub(crate) on_unreachable: OnUnreachable,
    /// Whether every write puts its keys into the outbox.
    pub(crate) always_outbox: bool,
    pub(crate) renewal: Renewal,
    pub(crate) own_fence: OwnFence,
    pub(crate) faults: Faults,
    /// Whether CAS tokens are real numbers, whose history makes more states.
    pub(crate) counts_tokens: bool,
    pub(crate) mutation: Option<Mutation>,
}

/// One transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    pub(crate) keys: &'static [usize],
    pub(crate) operation: Operation,
    pub(crate) by: By,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Meets no row if there is none.
    Update,
    /// Fails if there is a row.
    Insert,
    /// Meets no row if there is none.
    Delete,
}

/// Whose transaction it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The library's, of one statement: the row takes the fence's place.
    Statement,
    /// The library's, of several statements: the fence is deleted.
    Transaction,
    /// Another program's, on a table with triggers.
    OtherProgram,
}

/// What a writer does if it can't confirm a fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnUnreachable {
    /// It rolls back.
    Abort,
    /// It puts the key into the outbox.
    Outbox,
}

/// How fences are put again while COMMIT takes long, or its outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Not at all; they are left to expire.
    Never,
    /// Unless another writer's fence lies there.
    Conditional,
    /// Whatever lies there.
    Unconditional,
}

/// What becomes of a writer's own fence that it finds under a key when its row
/// lock is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnFence {
    /// It is deleted, unless it may lie in the place of another writer's, which
    /// may not have committed yet. That is so if the command that set it may
    /// have come after the row lock was gone: it was not answered; it was a
    /// renewal that does not look at what lies there; or the connection broke
    /// and the transaction turned out to be rolled back, nobody knows since when.
    DeletedUnlessDoubtful,
    /// It is deleted.
    Deleted,
}

/// Crashes and evictions happen any number of times.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) evict_rows: bool,
    pub(crate) evict_leases: bool,
    pub(crate) evict_fences: bool,
    pub(crate) crash_writers: bool,
    pub(crate) crash_readers: bool,
    /// Users roll back, and COMMIT fails.
    pub(crate) rollbacks: bool,
    /// The database ends transactions, and the writer does not notice before
    /// its next statement.
    pub(crate) lost_transactions: bool,
    /// The connection to the database breaks during COMMIT.
    pub(crate) unknown_commits: bool,
    /// COMMIT may take longer than fences and hold-offs last.
    pub(crate) slow_commits: bool,
    /// Writers may miss the commit window, and fence again.
    pub(crate) missed_windows: bool,
    /// How many commands are not answered.
    pub(crate) timeouts: u8,
    /// Whether writers put a fence once more that was not answered.
    pub(crate) retries: bool,
    /// Whether those may arrive later.
    pub(crate) late: bool,
    /// How often the cache server restarts.
    pub(crate) restarts: u8,
}

impl Faults {
    pub(crate) const NONE: Self = Self {
        evict_rows: false,
        evict_leases: false,
        evict_fences: false,
        crash_writers: false,
        crash_readers: false,
        rollbacks: false,
        lost_transactions: false,
        unknown_commits: false,
        slow_commits: false,
        missed_windows: false,
        timeouts: 0,
        retries: false,
        late: false,
        restarts: 0,
    };
}

/// A mistake in the protocol, which the model must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// Set after COMMIT, and fills by a plain set.
    Naive,
    /// Fences are put before the rows are locked.
    FenceBeforeStatement,
    /// Keys of rows that the statement did not meet are fenced too.
    FenceUnmetRows,
    /// Fills are stored whatever lies there.
    FillWithoutCas,
    /// Tokens are used after a restart.
    UnscopedCas,
    /// Readers lease and fill right after a restart.
    NoHoldOff,
    /// Who comes while a fill is loading takes its row even if it is not stored.
    JoinUnconfirmedFill,
    /// Who comes before the reply to a fill takes its row if it is stored.
    JoinStoredFill,
    /// Who comes while a load is under way takes its row.
    JoinLoadUnderWay,
    /// Nothing is put into the outbox for a fence that can't be confirmed.
    NoOutboxRow,
    /// Nothing is put into the outbox for a release that can't be confirmed.
    NoOutboxRowAfterCommit,
    /// A fence that is put once more is the same.
    RetriesWithTheSameFence,
    /// Fences are deleted by key alone.
    UnconditionalDelete,
    /// The row is put by key alone.
    UnconditionalWriteThrough,
    /// The row takes the fence's place before COMMIT.
    WriteThroughBeforeCommit,
    /// Release gives up if the fence is not as it was put.
    NoClear,
    /// The drainer takes fences away, as it does rows.
    DrainerDeletesFences,
    /// The drainer leaves fences as they are.
    DrainerSkipsFences,
    /// The drainer leaves leases as they are.
    DrainerSkipsLeases,
    /// COMMIT is sent even if the fence may have expired.
    CommitAfterTtl,
}

impl Configuration {
    /// Rows are updated by single statements, by two writers; nothing fails.
    pub(crate) const PLAIN: Self = Self {
        keys: 1,
        rows_exist: true,
        scripts: [&[UPDATE], &[UPDATE]],
        one_process: false,
        refresh: false,
        on_unreachable: OnUnreachable::Abort,
        always_outbox: false,
        renewal: Renewal::Conditional,
        own_fence: OwnFence::DeletedUnlessDoubtful,
        faults: Faults::NONE,
        counts_tokens: false,
        mutation: None,
    };

    pub(crate) fn mutated(mut self, mutation: Mutation) -> Self {
        self.mutation = Some(mutation);
        self
    }

    /// Whether linearizability is promised; else only that nothing older than
    /// an acknowledged write is read.
    pub(crate) fn promises_linearizable(&self) -> bool {
        !self.faults.evict_fences && !self.faults.slow_commits
    }

    /// Whether, with nothing under way, the cache may differ from the database
    /// only where an outbox row is pending.
    pub(crate) fn promises_rest(&self) -> bool {
        let loses_fences = self.faults.evict_fences || self.faults.slow_commits;
        let leaves_fences = self.faults.crash_writers
            || self.faults.unknown_commits && self.renewal == Renewal::Never
            || self.faults.timeouts > 0 && self.on_unreachable == OnUnreachable::Abort;
        !(loses_fences && leaves_fences) || self.always_outbox
    }
}

/// `UPDATE` of the first row, by a single statement.
pub(crate) const UPDATE: Script =
    Script { keys: &[0], operation: Operation::Update, by: By::Statement };

/// An update whose fence is deleted after it.
pub(crate) const LONG_UPDATE: Script = Script { by: By::Transaction, ..UPDATE };
pub(crate) const INSERT: Script = Script { operation: Operation::Insert, ..UPDATE };
pub(crate) const DELETE: Script = Script { operation: Operation::Delete, ..UPDATE };
/// An update by another program.
pub(crate) const BY_OTHERS: Script = Script { by: By::OtherProgram, ..UPDATE };
/// Both rows in one transaction.
pub(crate) const UPDATE_BOTH: Script = Script { keys: &[0, 1], ..LONG_UPDATE };
