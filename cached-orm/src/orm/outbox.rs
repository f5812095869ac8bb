use super::Orm;
use crate::{Backend, Drained, Error, Operation, Result, outbox::drain};
use sqlx::Executor as _;

impl<DB: Backend> Orm<DB> {
    /// Creates the outbox, the table `cached_orm_outbox`, unless it is there.
    ///
    /// In it a write notes a key that the cache could not be told of, in the same
    /// transaction; a task of every `Orm` drains it. From then on a write no
    /// longer fails while the cache is away, unless
    /// [`on_unreachable`](crate::OrmBuilder::on_unreachable) says otherwise. Other
    /// processes notice it by themselves. Call it where you migrate, or run
    /// [`outbox_sql`](Self::outbox_sql) there.
    ///
    /// # Errors
    /// [`Error::Database`] if the database refuses.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
    /// orm.install_outbox().await?;
    /// # Ok(()) }
    /// ```
    pub async fn install_outbox(&self) -> Result<()> {
        let operation = Operation::new("install_outbox");
        let mut connection = self.own_connection(operation).await?;
        let created = DB::on_connection(&mut connection).execute(DB::CREATE).await;
        // Of two that create it at once, PostgreSQL refuses one.
        let exists = DB::exists(&mut connection).await;
        connection.answered();
        match (created, exists) {
            (_, Ok(true)) => {
                self.outbox().found();
                self.outbox().filled().notify_one();
                Ok(())
            }
            (Err(error), _) | (Ok(_), Err(error)) => Err(Error::database(operation)(error)),
            (Ok(_), Ok(false)) => Err(Error::Configuration(
                "the table `cached_orm_outbox` was created, but it is not on the search path"
                    .to_owned(),
            )),
        }
    }

    /// The statement that creates the outbox, for a migration.
    ///
    /// ```
    /// use cached_orm::{Orm, Postgres};
    ///
    /// assert!(Orm::<Postgres>::outbox_sql().starts_with("CREATE TABLE IF NOT EXISTS cached_orm_outbox"));
    /// ```
    pub const fn outbox_sql() -> &'static str {
        DB::CREATE
    }

    /// Drains the outbox once: takes every key in it out of the cache, and
    /// removes its row. The task that the builder has started does so by itself;
    /// this is for a process of its own, or a test.
    ///
    /// # Errors
    /// [`Error::Database`] if the outbox cannot be read. That the cache does not
    /// answer is no error: the rows remain.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
    /// let done = orm.drain_outbox().await?;
    /// println!("{} drained, {} remain", done.drained, done.remaining);
    /// # Ok(()) }
    /// ```
    pub async fn drain_outbox(&self) -> Result<Drained> {
        drain(self).await
    }
}
