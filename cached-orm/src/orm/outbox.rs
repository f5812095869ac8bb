use super::Orm;
use crate::{Backend, Drained, Error, Operation, Result, outbox::drain};

impl<DB: Backend> Orm<DB> {
    /// Creates the outbox, the table `cached_orm_outbox` and its index, unless they are
    /// there. Any number of processes may call it at once.
    ///
    /// In it a write notes a key that the cache could not be told of, in the same
    /// transaction; a task of every `Orm` drains it. From then on a write no
    /// longer fails while the cache is away, unless
    /// [`on_unreachable`](crate::OrmBuilder::on_unreachable) says otherwise. Other
    /// processes notice it by themselves. Call it where you migrate, or run
    /// [`outbox_sql`](Self::outbox_sql) there.
    ///
    /// Where the table is there and the index is not, as of an earlier version, the
    /// index is added. If that is refused, or would wait for others for more than two
    /// seconds, there is a warning in the log, and it is tried again by the next call.
    ///
    /// # Errors
    /// [`Error::Database`] if the database refuses to create the table.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
    /// orm.install_outbox().await?;
    /// # Ok(()) }
    /// ```
    pub async fn install_outbox(&self) -> Result<()> {
        let operation = Operation::new("install_outbox");
        let mut connection = self.own_connection(operation).await?;
        let created = DB::create_outbox(&mut connection).await;
        // Of two that create it at once, one of them by hand, PostgreSQL refuses one.
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

    /// The statements that create the outbox and its index, for a migration: to be run
    /// as a script, by `sqlx::raw_sql` or a shell. On PostgreSQL and SQLite they add the
    /// index to a table of an earlier version too.
    ///
    /// ```
    /// use cached_orm::{Orm, Postgres};
    ///
    /// let sql = Orm::<Postgres>::outbox_sql();
    /// assert!(sql.starts_with("CREATE TABLE IF NOT EXISTS cached_orm_outbox"));
    /// ```
    pub const fn outbox_sql() -> &'static str {
        DB::CREATE
    }

    /// Drains the outbox once: takes every key in it out of the cache, and
    /// removes its row. The task that the builder has started does so by itself;
    /// this is for a process of its own, or a test.
    ///
    /// # Errors
    /// [`Error::Refused`] if this `Orm` has no cache
    /// ([`uncached`](crate::OrmBuilder::uncached)), and [`Error::Database`] if the outbox
    /// cannot be read. That the cache does not answer is no error: the rows remain.
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
