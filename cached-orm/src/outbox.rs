//! Keys that the cache could not be told of, kept in the database until it can.

mod drainer;
mod enlist;

pub(crate) use drainer::{Drainer, drain};
pub(crate) use enlist::{AfterCommit, enlist_in};

use crate::Backend;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::Notify;

/// What a write does if the cache cannot be told of it beforehand.
///
/// ```
/// # use cached_orm::{OrmBuilder, Postgres, OnUnreachable};
/// # fn example(builder: OrmBuilder<Postgres>) {
/// let builder = builder.on_unreachable(OnUnreachable::Abort);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnreachable {
    /// It is rolled back, with [`Error::NotFenced`](crate::Error::NotFenced): the database is unchanged,
    /// and no reader is ever shown an old row.
    Abort,
    /// It is committed, with a row of the outbox for each such key. Until that
    /// is drained, as soon as the cache is back, readers may be shown the old row.
    Outbox,
}

/// When a transaction writes its keys into the outbox.
///
/// ```no_run
/// # async fn example(pool: cached_orm::sqlx::PgPool) -> cached_orm::Result<()> {
/// use cached_orm::{Orm, Outbox};
///
/// let orm = Orm::builder(pool)
///     .memcached(["10.0.0.1:11211"])
///     .outbox(Outbox::Always)
///     .build()
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outbox {
    /// When the cache cannot be told: of a key that could not be fenced, or
    /// whose fence could not be released.
    #[default]
    OnFailure,
    /// Always, whatever happens. This closes the last gap, a fence that is
    /// evicted and whose writer crashes before it has released it: the row is
    /// there to be drained. It costs an INSERT in every transaction, and what a
    /// write has put in the cache is taken out again when its row is drained.
    Always,
}

/// What [`Orm::drain_outbox`](crate::Orm::drain_outbox) did.
///
/// ```no_run
/// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
/// while orm.drain_outbox().await?.remaining > 0 {
///     tokio::time::sleep(std::time::Duration::from_millis(100)).await;
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Rows whose keys were taken out of the cache.
    pub drained: u64,
    /// Rows that are there still: the cache did not answer, or another process
    /// has them at hand, or they have come since.
    pub remaining: u64,
}

/// What one `Orm` does about the outbox, and knows of it.
#[derive(Debug)]
pub(crate) struct OutboxUse {
    /// `None`: whether there is an outbox decides.
    on_unreachable: Option<OnUnreachable>,
    when: Outbox,
    /// Whether this `Orm` drains what it puts in.
    drains: bool,
    /// Once it was seen. That it is not there is asked anew each time.
    is_installed: AtomicBool,
    /// Rows were put in.
    filled: Arc<Notify>,
}

impl OutboxUse {
    pub(crate) fn new(on_unreachable: Option<OnUnreachable>, when: Outbox, drains: bool) -> Self {
        let is_installed = AtomicBool::new(false);
        Self { on_unreachable, when, drains, is_installed, filled: Arc::default() }
    }

    /// Whether others that listen are woken by what this `Orm` puts in. Not for every
    /// write, which would commit one after another: this one's own drainer knows of it.
    fn wakes_others(&self) -> bool {
        !(self.drains && self.is_for_every_write())
    }

    pub(crate) fn is_for_every_write(&self) -> bool {
        self.when == Outbox::Always
    }

    pub(crate) fn filled(&self) -> Arc<Notify> {
        Arc::clone(&self.filled)
    }

    pub(crate) fn found(&self) {
        self.is_installed.store(true, Ordering::Relaxed);
    }

    /// Whether keys are to be put in.
    async fn is_wanted<DB: Backend>(&self, connection: &mut DB::Connection) -> sqlx::Result<bool> {
        match self.on_unreachable {
            _ if self.is_for_every_write() => Ok(true),
            Some(OnUnreachable::Outbox) => Ok(true),
            Some(OnUnreachable::Abort) => Ok(false),
            None if self.is_installed.load(Ordering::Relaxed) => Ok(true),
            None => {
                let exists = DB::exists(connection).await?;
                self.is_installed.fetch_or(exists, Ordering::Relaxed);
                Ok(exists)
            }
        }
    }
}
