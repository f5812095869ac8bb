//! Writes, judged by what is known of their tables and of the other structs that their
//! handle is used with.

use super::{Orm, schemas::Judgement};
use crate::{
    Backend, Operation, Persist, Result,
    schema::{Change, TableFacts},
    transaction::Open,
};
use futures_util::FutureExt as _;
use std::sync::Arc;
use tokio::time::Instant;

impl<DB: Backend> Open<'_, DB> {
    /// Begins a write that does this to rows of `T`: asks what must be known of their
    /// table.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the write would leave rows in the cache that the
    /// database does not have, and those of [`begin_write`](Self::begin_write).
    pub(crate) async fn begin_write_of<T: Persist<DB>>(
        &mut self,
        changes: &'static [Change],
        operation: Operation,
    ) -> Result<()> {
        let orm = self.orm().clone();
        let facts = self.judgement::<T>(&orm, operation).await?.for_writing(changes, operation)?;
        self.begin_write(operation).await?;
        self.judge_again::<T>(changes, operation);
        self.expect(match orm.may_store(operation) {
            true => facts,
            // A commit under way may change them after this one.
            false => TableFacts { rows_are_final: false, many_are_final: false, ..facts },
        });
        Ok(())
    }

    /// Refuses a write to columns of which another struct has an index, as
    /// [`Orm::check_indexes`]: what must be known of their tables is asked first.
    pub(crate) async fn check_indexes<T: Persist<DB>>(
        &mut self,
        written: Option<&[&'static str]>,
        operation: Operation,
    ) -> Result<()> {
        let orm = self.orm().clone();
        self.judgement::<T>(&orm, operation).await?;
        orm.check_indexes::<T>(written, operation)?;
        self.judge_columns_again::<T>(written, operation);
        Ok(())
    }

    /// What follows for a struct that is written. What is used for the first time from now
    /// on is not in it, and has the write judged again.
    async fn judgement<T: Persist<DB>>(
        &mut self,
        orm: &Orm<DB>,
        operation: Operation,
    ) -> Result<Arc<Judgement>> {
        // What a write has cached is remembered like what was read.
        orm.meters().of(operation);
        let judgement = self.asked_judgement::<T>(orm, operation).await?;
        self.judged_at(judgement.uses);
        Ok(judgement)
    }

    async fn asked_judgement<T: Persist<DB>>(
        &mut self,
        orm: &Orm<DB>,
        operation: Operation,
    ) -> Result<Arc<Judgement>> {
        if let Some(known) = orm.known_judgement::<T>() {
            return Ok(known);
        }
        if !orm.0.lives_in_pool {
            return Ok(orm.judgement::<T>().await);
        }
        let began = Instant::now();
        let judgement = self.look_and_judge::<T>(orm, operation).await?;
        if judgement.refuses() && orm.forget_looks_before(began) {
            return self.look_and_judge::<T>(orm, operation).await;
        }
        Ok(judgement)
    }

    /// Asks on this connection, which may be the only one.
    async fn look_and_judge<T: Persist<DB>>(
        &mut self,
        orm: &Orm<DB>,
        operation: Operation,
    ) -> Result<Arc<Judgement>> {
        if !orm.tables_to_look_at::<T>().is_empty() {
            let reading = self.begin_read(operation).await?;
            orm.look_at_tables::<T>(self.connection()).boxed().await;
            self.read_done(reading, Ok(()))?;
        }
        Ok(orm.judge_table::<T>())
    }
}
