use super::OrmBuilder;
use crate::{
    Backend, Error, Operation, Result,
    test_kit::{TestKit, one_transaction},
};
use std::sync::Arc;

impl<DB: Backend> OrmBuilder<DB> {
    /// Lets a test look into the handle, and interfere with it: with its cache,
    /// whichever was chosen, and with the order in which things happen.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// use cached_orm::test_kit::TestKit;
    ///
    /// let kit = TestKit::new();
    /// let builder = builder.test_kit(&kit);
    /// # }
    /// ```
    pub fn test_kit(mut self, kit: &TestKit) -> Self {
        self.probe.kit = Some(kit.clone());
        self
    }

    /// Undoes everything when the last clone of the handle is dropped, or by
    /// [`Orm::close`](crate::Orm::close): for tests that share a database.
    ///
    /// The handle has one connection of its own, to where the pool connects, in a
    /// transaction that is never committed. What the service begins and commits is a
    /// savepoint of it. So all that it does on the handle and on [`Orm::pool`](crate::Orm::pool) is seen
    /// by itself, as if it were committed, and by nobody else. In a cache that others
    /// use too its keys are in a namespace of its own.
    ///
    /// - A read or write waits for a transaction that is open on the same handle, and
    ///   fails if that does not end.
    /// - The hooks and limits of the pool are not taken over. The outbox is drained by
    ///   [`Orm::drain_outbox`](crate::Orm::drain_outbox) only, and triggers that were installed before note
    ///   nothing for this handle.
    /// - A transaction has the level of isolation READ COMMITTED, whatever is asked.
    /// - When the connection is lost, or a deadlock ends the transaction, all is undone
    ///   early, and what follows fails with [`Error::Refused`]. So it is on MySQL and
    ///   MariaDB after a statement that defines (CREATE, ALTER), which commits what was
    ///   done before: it must not be run on the handle.
    /// - On PostgreSQL a statement of your own that fails outside a transaction lets
    ///   all that follow fail.
    /// - Of two tests that write one row the second waits for the end of the first. On
    ///   SQLite that is so for any two tests on one file: there give each test a
    ///   database in memory instead.
    ///
    /// Sequences and AUTO_INCREMENT do not go back.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(pool: cached_orm::sqlx::PgPool) -> Result<()> {
    /// use cached_orm::test_kit::MemoryStore;
    /// use std::sync::Arc;
    ///
    /// let cache = Arc::new(MemoryStore::new());
    /// let orm = Orm::builder(pool).store(cache).rollback_on_drop().build().await?;
    /// User::delete_by_key(&orm, 7).await?;
    /// assert!(User::fetch(&orm, 7).await?.is_none());
    /// drop(orm); // and the user is there again
    /// # Ok(()) }
    /// ```
    pub fn rollback_on_drop(mut self) -> Self {
        self.probe.rolled_back = Some(Arc::default());
        self
    }

    /// Takes a connection that is in a transaction in the pool's place, if everything is
    /// to be undone.
    pub(super) async fn enter_transaction(&mut self) -> Result<()> {
        let Some(begun) = &self.probe.rolled_back else { return Ok(()) };
        let entered = one_transaction(&self.pool, Arc::clone(begun)).await;
        self.pool = entered.map_err(Error::database(Operation::new("build")))?;
        // What is in it must not get into a cache that others read.
        let separator = if self.namespace.is_empty() { "" } else { "." };
        self.namespace.push_str(&format!("{separator}test-{:016x}", rand::random::<u64>()));
        self.drainer = false;
        Ok(())
    }
}
