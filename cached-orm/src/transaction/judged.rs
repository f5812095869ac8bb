//! The writes of a transaction, judged once more before they are committed: a struct
//! that was read for the first time meanwhile may have cached what they change.

use crate::{Backend, Operation, Orm, Persist, Result, schema::Change};
use std::{any::TypeId, fmt};

pub(super) struct Judged<DB: Backend> {
    writes: Vec<Write<DB>>,
    /// How many operations, and how many indexes, the handle had been used for.
    uses: (usize, usize),
}

struct Write<DB: Backend> {
    entity: TypeId,
    judge: fn(&Orm<DB>, &[Change], Operation) -> Result<()>,
    changes: &'static [Change],
    operation: Operation,
}

impl<DB: Backend> Default for Judged<DB> {
    fn default() -> Self {
        Self { writes: Vec::new(), uses: (0, 0) }
    }
}

impl<DB: Backend> Judged<DB> {
    /// Notes a write that was judged.
    pub(super) fn add<T: Persist<DB>>(
        &mut self,
        orm: &Orm<DB>,
        changes: &'static [Change],
        operation: Operation,
    ) {
        if self.writes.is_empty() {
            self.uses = uses(orm);
        }
        let entity = TypeId::of::<T>();
        if !self.writes.iter().any(|write| write.entity == entity && write.changes == changes) {
            self.writes.push(Write { entity, judge: Orm::judge_write::<T>, changes, operation });
        }
    }

    /// # Errors
    /// [`Error::Configuration`](crate::Error::Configuration) if a write would leave rows in
    /// the cache that the database does not have.
    pub(super) fn check(&self, orm: &Orm<DB>) -> Result<()> {
        if self.writes.is_empty() || self.uses == uses(orm) {
            return Ok(());
        }
        self.writes.iter().try_for_each(|write| (write.judge)(orm, write.changes, write.operation))
    }
}

fn uses<DB: Backend>(orm: &Orm<DB>) -> (usize, usize) {
    (orm.meters().uses(), orm.indexes_read())
}

impl<DB: Backend> fmt::Debug for Judged<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judged").field("writes", &self.writes.len()).finish_non_exhaustive()
    }
}
