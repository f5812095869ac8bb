use super::Drained;
use crate::{
    Backend, CacheKey, Error, Isolation, Operation, Orm, Result,
    observe::Watch,
    orm::{OwnConnection, WeakOrm},
};
use futures_util::future::join_all;
use sqlx::{Connection as _, SqlSafeStr};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

const DRAIN: Operation = Operation::new("drain_outbox");

/// Rows taken at once. As many commands are under way at once, and as many rows
/// locked.
const BATCH: u16 = 256;

/// How often it is looked whether somebody has installed an outbox.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How often somebody who listens looks for rows nevertheless.
const LOOK_WHILE_LISTENING: Duration = Duration::from_secs(10);

/// The pauses after a pass that had to leave rows, or failed. The longest is
/// what the rows wait for after the cache is back.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// How one pass over the outbox went.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    drained: u64,
    /// Rows whose keys the cache did not let go.
    left: u64,
}

/// Takes the keys of every row out of the cache, and then removes the row.
///
/// Rows that cannot be drained now are left, and hold up no others.
async fn pass<DB: Backend>(orm: &Orm<DB>) -> Result<Pass> {
    let mut connection = orm.own_connection(DRAIN).await?;
    let mut pass = Pass::default();
    let mut after = 0;
    while let Some(last) =
        batch(orm, &mut connection, after, &mut pass).await.map_err(Error::database(DRAIN))?
    {
        after = last;
    }
    connection.answered();
    orm.counters().outbox_left.set(pass.left);
    Ok(pass)
}

/// Drains the next rows; returns the last one's id if there may be more.
async fn batch<DB: Backend>(
    orm: &Orm<DB>,
    connection: &mut OwnConnection<DB>,
    after: i64,
    pass: &mut Pass,
) -> sqlx::Result<Option<i64>> {
    // In a transaction already, which only a test is.
    if !DB::LOCKS_ROWS || connection.is_in_transaction() {
        return drain_rows(orm, connection, after, pass).await;
    }
    // At a stricter level InnoDB would also lock the gap where writers put rows.
    let begin = DB::begin(Some(Isolation::ReadCommitted)).unwrap_or("BEGIN");
    let mut transaction = connection.begin_with(begin.into_sql_str()).await?;
    let last = drain_rows(orm, &mut transaction, after, pass).await?;
    transaction.commit().await?;
    Ok(last)
}

async fn drain_rows<DB: Backend>(
    orm: &Orm<DB>,
    connection: &mut DB::Connection,
    after: i64,
    pass: &mut Pass,
) -> sqlx::Result<Option<i64>> {
    let namespace = orm.namespace();
    let rows = DB::take(connection, namespace.name(), after, i64::from(BATCH)).await?;
    // Of fewer rows than were asked for there are no more.
    let is_full = rows.len() == usize::from(BATCH);
    let last = rows.last().map(|(id, _)| *id).filter(|_| is_full);
    let draining = rows.iter().map(async |(id, text)| {
        let Some(key) = CacheKey::of_outbox(namespace, text) else {
            tracing::error!(id, "a row of the outbox names no key; it is removed");
            return true;
        };
        orm.coherence().invalidate(&key).await.is_ok()
    });
    let drained = join_all(draining).await;
    let ids: Vec<i64> =
        rows.iter().zip(drained).filter(|(_, drained)| *drained).map(|((id, _), _)| *id).collect();
    DB::remove(connection, &ids).await?;
    orm.counters().drained.add(ids.len() as u64);
    pass.drained += ids.len() as u64;
    pass.left += (rows.len() - ids.len()) as u64;
    Ok(last)
}

/// Drains what can be drained now.
pub(crate) async fn drain<DB: Backend>(orm: &Orm<DB>) -> Result<Drained> {
    if orm.store().holds_nothing() {
        let reason = "this `Orm` has no cache to take the keys out of, and those that have one \
                      would not hear of them; drain with their cache";
        return Err(Error::Refused { operation: DRAIN, reason: reason.to_owned() });
    }
    let Pass { drained, .. } = Watch::write(orm.meters(), DRAIN).over(pass(orm)).await?;
    let mut connection = orm.own_connection(DRAIN).await?;
    let remaining = DB::count(&mut connection, orm.namespace().name()).await;
    connection.answered();
    let remaining = remaining.map_err(Error::database(DRAIN))?;
    Ok(Drained { drained, remaining: u64::try_from(remaining).unwrap_or_default() })
}

/// The task that drains the outbox for as long as its `Orm` lives.
pub(crate) struct Drainer<DB: Backend> {
    pub(crate) orm: WeakOrm<DB>,
    pub(crate) filled: Arc<Notify>,
    pub(crate) poll: Duration,
    pub(crate) listens: bool,
    /// Whether it hears of rows at the moment.
    pub(crate) hears: AtomicBool,
    pub(crate) closing: watch::Receiver<bool>,
}

impl<DB: Backend> Drainer<DB> {
    pub(crate) async fn run(self) {
        let mut closing = self.closing.clone();
        tokio::select! {
            // An error is the end of the `Orm`.
            _ = closing.wait_for(|closing| *closing) => {}
            () = self.drain_for_ever() => {}
        }
    }

    async fn drain_for_ever(&self) {
        while !self.is_installed().await {
            let _ = timeout(LOOK_EVERY, self.filled.notified()).await;
        }
        tokio::join!(self.listen_for_ever(), async {
            let mut pause = FIRST_PAUSE;
            loop {
                let Some(orm) = self.orm.upgrade() else { return };
                let passed = Watch::read(orm.meters(), DRAIN).over(pass(&orm)).await;
                drop(orm);
                if matches!(passed, Ok(Pass { left: 0, .. })) {
                    pause = FIRST_PAUSE;
                    self.rows_may_be_there().await;
                    continue;
                }
                if let Err(error) = passed {
                    tracing::debug!(%error, "the outbox could not be drained");
                }
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
    }

    /// Waits until somebody says that there are rows, or a look finds some.
    async fn rows_may_be_there(&self) {
        loop {
            if self.hears.load(Ordering::Relaxed) {
                // Who listens looks as well, and says so if he hears no longer.
                return self.filled.notified().await;
            }
            if timeout(self.poll, self.filled.notified()).await.is_ok() {
                return;
            }
            let Some(orm) = self.orm.upgrade() else { return };
            let Ok(mut connection) = orm.own_connection(DRAIN).await else { return };
            let has_rows = DB::has_rows(&mut connection, orm.namespace().name()).await;
            connection.answered();
            if !matches!(has_rows, Ok(false)) {
                return;
            }
        }
    }

    async fn is_installed(&self) -> bool {
        let Some(orm) = self.orm.upgrade() else { return false };
        let Ok(mut connection) = orm.own_connection(DRAIN).await else { return false };
        let exists = DB::exists(&mut connection).await;
        connection.answered();
        let exists = exists.unwrap_or(false);
        if exists {
            orm.outbox().found();
        }
        exists
    }

    /// Hears what triggers put in. Without it, `poll` finds it.
    async fn listen_for_ever(&self) {
        if !self.listens {
            return;
        }
        loop {
            let Some(orm) = self.orm.upgrade() else { return };
            let (pool, namespace) = (orm.own_pool().clone(), orm.namespace().clone());
            drop(orm);
            let wake = || {
                self.hears.store(true, Ordering::Relaxed);
                self.filled.notify_one();
            };
            let look_every = self.poll.max(LOOK_WHILE_LISTENING);
            if let Err(error) = DB::listen(&pool, namespace.name(), look_every, wake).await {
                tracing::debug!(%error, "cannot listen for rows of the outbox; polling");
            }
            self.hears.store(false, Ordering::Relaxed);
            self.filled.notify_one();
            sleep(LONGEST_PAUSE).await;
        }
    }
}
