//! Connections of pools, and how they go back.

use crate::Backend;
use sqlx::pool::PoolConnection;
use sqlx_core::transaction::TransactionManager as _;
use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};
use tokio::{task::JoinHandle, time::timeout};

/// How long a connection that was cut off may take to be as it was, or to close.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// What was going on on a connection that is given up.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Something was sent whose answer was not read to the end.
    Statement,
    /// The same, and it was what ends a transaction or a savepoint.
    End,
    /// The caller had it, who may have dropped a statement's future.
    Lent,
}

/// A connection of a pool. Dropped, it goes back as it is, which is to be in no
/// transaction and with everything answered; otherwise it is [cut off](Self::cut_off).
pub(crate) struct Pooled<DB: Backend> {
    /// `None` once it was cut off.
    connection: Option<PoolConnection<DB>>,
    depth: usize,
}

impl<DB: Backend> Pooled<DB> {
    /// One on which so many transactions should be open: none, unless all is to be
    /// undone at the end.
    pub(crate) fn new(connection: PoolConnection<DB>, depth: usize) -> Self {
        Self { connection: Some(connection), depth }
    }

    /// How many transactions should be open on it when it goes back.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Whether it was not cut off.
    pub(crate) fn is_there(&self) -> bool {
        self.connection.is_some()
    }

    /// Whether so many are open on it, as sqlx counts.
    pub(crate) fn is_as_it_came(&self) -> bool {
        DB::TransactionManager::get_transaction_depth(self) == self.depth
    }

    /// Sees to it that nobody gets the connection as it is: it is closed, or, where
    /// that is certain to succeed, brought back to how it came. The task that does it
    /// can be waited for.
    pub(crate) fn cut_off(&mut self, cut: Cut) -> Option<JoinHandle<()>> {
        let mut connection = self.connection.take()?;
        let depth = self.depth;
        Some(tokio::spawn(async move {
            let recovering = DB::recover(&mut connection, depth, cut);
            if !timeout(PATIENCE, recovering).await.unwrap_or(false) {
                // At worst it is dropped, and the database finds out by itself.
                let _ = timeout(PATIENCE, connection.close()).await;
            }
        }))
    }
}

const TAKEN: &str = "a connection is cut off only when nobody has it any more";

impl<DB: Backend> Deref for Pooled<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        self.connection.as_ref().expect(TAKEN)
    }
}

impl<DB: Backend> DerefMut for Pooled<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.connection.as_mut().expect(TAKEN)
    }
}

/// Rolls back until no more transactions are open than `depth`.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(crate) async fn roll_back_to<DB: Backend>(
    connection: &mut DB::Connection,
    depth: usize,
) -> sqlx::Result<()> {
    while DB::TransactionManager::get_transaction_depth(connection) > depth {
        DB::TransactionManager::rollback(connection).await?;
    }
    Ok(())
}

/// Fails if the connection's transaction is over or aborted, and also if what
/// answers is another statement, which was dropped, or nothing at all.
pub(crate) async fn check_open<DB: Backend>(connection: &mut DB::Connection) -> sqlx::Result<()> {
    if DB::CANCEL_SAFE {
        return DB::check_open(connection).await;
    }
    let silent = || sqlx::Error::Protocol("no answer: a statement on it was cancelled".to_owned());
    timeout(PATIENCE, DB::check_open(connection)).await.unwrap_or_else(|_| Err(silent()))
}

/// Whether the database has answered with it: after any other error nobody knows
/// what is still to come.
pub(crate) fn is_answer(error: &sqlx::Error) -> bool {
    use sqlx::Error::{BeginFailed, Io, Protocol, Tls, WorkerCrashed};

    !matches!(error, Io(_) | Protocol(_) | Tls(_) | WorkerCrashed | BeginFailed)
}
