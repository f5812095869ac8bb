use crate::{
    Backend, CacheKey, Operation, Orm,
    coherence::{Afterwards, Enlist, IsOver},
    observe::Committing,
    sql::{CommitOutcome, Witness},
};
use std::time::Duration;
use tokio::time::timeout;

const ENLIST: Operation = Operation::new("enlist");
const COMMIT: Operation = Operation::new("commit");

/// How long an acknowledgement waits for the outbox, and a question for its
/// answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Puts keys into the outbox, as part of the connection's transaction if it is
/// in one; says whether they are there.
pub(crate) async fn enlist_in<DB: Backend>(
    orm: &Orm<DB>,
    connection: &mut DB::Connection,
    keys: &[CacheKey],
) -> bool {
    match try_enlist(orm, connection, keys).await {
        Ok(enlisted) => enlisted,
        Err(error) => {
            // The error may quote the key.
            tracing::debug!(%error, "keys could not be put into the outbox");
            tracing::warn!(keys = keys.len(), "keys could not be put into the outbox");
            false
        }
    }
}

async fn try_enlist<DB: Backend>(
    orm: &Orm<DB>,
    connection: &mut DB::Connection,
    keys: &[CacheKey],
) -> sqlx::Result<bool> {
    if !orm.outbox().is_wanted::<DB>(connection).await? {
        return Ok(false);
    }
    let wakes = orm.outbox().wakes_others();
    DB::put(connection, orm.namespace().name(), keys, wakes).await?;
    orm.counters().enlisted.add(keys.len() as u64);
    Ok(true)
}

/// The database after a transaction's COMMIT was sent.
pub(crate) struct AfterCommit<DB: Backend> {
    pub(crate) orm: Orm<DB>,
    pub(crate) witness: Witness<DB>,
    /// Dropped with this, when the transaction is over and its fences are released.
    pub(crate) _committing: Option<Committing>,
}

impl<DB: Backend> Enlist for AfterCommit<DB> {
    async fn enlist(&mut self, keys: &[CacheKey]) -> bool {
        let Self { orm, .. } = self;
        let enlisting = async {
            let Ok(mut connection) = orm.own_connection(ENLIST).await else { return false };
            let enlisted = enlist_in(orm, &mut connection, keys).await;
            connection.answered();
            enlisted
        };
        let enlisted = timeout(PATIENCE, enlisting).await.unwrap_or(false);
        if enlisted {
            orm.outbox().filled().notify_one();
        }
        enlisted
    }
}

impl<DB: Backend> Afterwards for AfterCommit<DB> {
    async fn is_over(&mut self) -> IsOver {
        let Self { orm, witness, .. } = self;
        let asking = async {
            let mut connection = orm.own_connection(COMMIT).await.ok()?;
            let outcome = DB::outcome(&mut connection, witness).await;
            connection.answered();
            outcome.ok()
        };
        // The database may be as far away as the COMMIT was.
        match timeout(PATIENCE, asking).await {
            Ok(Some(CommitOutcome::Committed)) => IsOver::Committed,
            Ok(Some(CommitOutcome::Ended)) => IsOver::Ended,
            _ if orm.own_pool().is_closed() => IsOver::NeverKnown,
            _ => IsOver::NotYet,
        }
    }
}
