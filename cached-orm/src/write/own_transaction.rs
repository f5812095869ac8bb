use crate::{
    Backend, Committed, Error, Isolation, Operation, Orm, Persist, Result, Transaction,
    schema::TableFacts, steps::Step, transaction::Open, triggers::own_text,
};

/// The transaction of a write that was called on an `Orm`.
pub(super) struct OwnTransaction<DB: Backend> {
    transaction: Transaction<DB>,
    /// Whether it is of several rows.
    is_of_many: bool,
    operation: Operation,
}

/// How often a transaction is begun anew that was rolled back for another's sake.
pub(super) const ATTEMPTS: usize = 16;

/// Whether the database has rolled the transaction back for the sake of another, as
/// in a deadlock, so that it may succeed when that is over.
pub(super) fn was_for_another<DB: Backend>(error: &Error) -> bool {
    let (Error::Database { source, .. } | Error::RolledBack { source, .. }) = error else {
        return false;
    };
    DB::was_for_another(source)
}

impl<DB: Backend> OwnTransaction<DB> {
    /// `key` is that of the row which the statement asks for. If it meets
    /// another, triggers note that.
    pub(super) async fn begin<T: Persist<DB>>(
        orm: &Orm<DB>,
        key: &T::Key,
        operation: Operation,
    ) -> Result<Self> {
        Self::begin_at::<T>(orm, None, Some(key), operation).await
    }

    /// For many rows, of which triggers note all.
    pub(super) async fn begin_many<T: Persist<DB>>(
        orm: &Orm<DB>,
        operation: Operation,
    ) -> Result<Self> {
        Self::begin_at::<T>(orm, None, None, operation).await
    }

    /// At this level of isolation, which is the database's own where there is a
    /// key that triggers could note.
    pub(super) async fn begin_at<T: Persist<DB>>(
        orm: &Orm<DB>,
        isolation: Option<Isolation>,
        key: Option<&T::Key>,
        operation: Operation,
    ) -> Result<Self> {
        // Before the transaction: it is asked on another connection.
        let TableFacts { rows_are_final, has_triggers, .. } = orm.table_facts::<T>(operation).await;
        let mut transaction = match key {
            // Where rows are final no rule makes the statement one of its own, so
            // a row that it changes with this key is one that it returns.
            Some(key) if rows_are_final && has_triggers => {
                let text = own_text::<T>(key);
                Transaction::begin_with_own_key(orm, &text).await?
            }
            _ => Transaction::begin(orm, isolation).await?,
        };
        orm.coherence().steps().reach(Step::Begun).await;
        transaction.open().write_through_at_end();
        Ok(Self { transaction, is_of_many: key.is_none(), operation })
    }

    pub(super) fn open(&mut self) -> Open<'_, DB> {
        self.transaction.open()
    }

    /// Commits, with the rows that were written taking their fences' places where
    /// that is sound; or rolls back.
    pub(super) async fn end<T: Persist<DB>, R>(
        mut self,
        written: Result<R>,
        rows: impl FnOnce(&R) -> &[T],
    ) -> Result<R> {
        let written = match written {
            Ok(written) => written,
            Err(error) => {
                // The first error is the one to report; a connection that
                // cannot roll back is closed, and the database does it.
                let _ = self.transaction.rollback().await;
                return Err(error);
            }
        };
        self.open().orm().coherence().steps().reach(Step::Written).await;
        let count = if self.is_of_many { 2 } else { 1 };
        if self.open().rows_are_final(count) {
            self.open().write_through(rows(&written));
        }
        let Committed { .. } = self.transaction.commit_as(self.operation).await?;
        Ok(written)
    }
}
