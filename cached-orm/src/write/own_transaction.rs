use crate::{
    Backend, CacheKey, Committed, Operation, Orm, Persist, Result, Transaction,
    sql::TableFacts,
    steps::{Step, reach},
    transaction::Open,
};

/// The transaction of a write that was called on an `Orm`.
pub(super) struct OwnTransaction<DB: Backend> {
    transaction: Transaction<DB>,
    /// Whether the row that the statement returned is what will be committed.
    row_is_final: bool,
    operation: Operation,
}

impl<DB: Backend> OwnTransaction<DB> {
    /// `key` is that of the row which the statement asks for. If it meets
    /// another, triggers note that.
    pub(super) async fn begin<T: Persist<DB>>(
        orm: &Orm<DB>,
        key: &T::Key,
        operation: Operation,
    ) -> Result<Self> {
        // Before the transaction: it is asked on another connection.
        let TableFacts { rows_are_final: row_is_final, has_triggers } =
            orm.table_facts::<T>().await;
        // Where rows are final no rule makes the statement one of its own, so a
        // row that it changes with this key is one that it returns.
        let transaction = if row_is_final && has_triggers {
            let text = CacheKey::outbox_text(T::CACHE_NAME, key);
            Transaction::begin_with_own_key(orm, &text).await?
        } else {
            Transaction::begin(orm, None).await?
        };
        reach(Step::Begun);
        Ok(Self { transaction, row_is_final, operation })
    }

    pub(super) fn open(&mut self) -> Open<'_, DB> {
        self.transaction.open()
    }

    /// Commits, with the row that was written taking its fence's place where
    /// that is sound; or rolls back.
    pub(super) async fn end<T: Persist<DB>, R>(
        mut self,
        written: Result<R>,
        row: impl FnOnce(&R) -> Option<&T>,
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
        reach(Step::Written);
        if self.row_is_final
            && let Some(row) = row(&written)
        {
            self.open().write_through(row);
        }
        let Committed { .. } = self.transaction.commit_as(self.operation).await?;
        Ok(written)
    }
}
