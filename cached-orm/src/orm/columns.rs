//! Which entities' columns were looked at in the catalog.

use super::{Orm, OwnConnection, locked};
use crate::{Backend, Operation, Persist, Result, sql::fit};
use futures_util::FutureExt as _;
use std::any::TypeId;

impl<DB: Backend> Orm<DB> {
    /// As [`load_connection`](Self::load_connection), once the entity's columns are
    /// known to be such that its rows are found by them.
    pub(crate) async fn load_connection_for<T: Persist<DB>>(
        &self,
        operation: Operation,
    ) -> Result<OwnConnection<DB>> {
        let mut connection = self.load_connection(operation).await?;
        if !self.columns_fit::<T>() {
            let checked = self.check_columns::<T>(&mut connection, operation).await;
            if checked.is_err() {
                connection.answered();
            }
            checked?;
        }
        Ok(connection)
    }

    /// Whether the entity's columns were looked at, and found to be as they must be.
    pub(crate) fn columns_fit<T: Persist<DB>>(&self) -> bool {
        locked(&self.0.columns_fit).contains(&TypeId::of::<T>())
    }

    /// Looks at the entity's columns, on this connection.
    pub(crate) async fn check_columns<T: Persist<DB>>(
        &self,
        connection: &mut DB::Connection,
        operation: Operation,
    ) -> Result<()> {
        // Boxed: it is rarely done, and makes no future of the program's larger or deeper.
        if fit::check::<DB, T>(connection, operation).boxed().await? {
            locked(&self.0.columns_fit).insert(TypeId::of::<T>());
        }
        Ok(())
    }
}
