//! The writes of a transaction, judged once more before they are committed: a struct
//! that was read for the first time meanwhile may have cached what they change.

use crate::{Backend, Operation, Orm, Persist, Result, observe::Committing, schema::Change};
use std::{any::TypeId, fmt};

pub(crate) struct Judged<DB: Backend> {
    writes: Vec<Write<DB>>,
    /// How many structs and indexes the handle had been used with when the first was
    /// judged.
    uses: usize,
}

struct Write<DB: Backend> {
    entity: TypeId,
    judge: fn(&Orm<DB>, &[Change], Operation) -> Result<()>,
    changes: &'static [Change],
    operation: Operation,
}

impl<DB: Backend> Default for Judged<DB> {
    fn default() -> Self {
        Self { writes: Vec::new(), uses: usize::MAX }
    }
}

impl<DB: Backend> Judged<DB> {
    /// Notes that a write was judged when so many structs and indexes had come.
    pub(super) fn at(&mut self, uses: usize) {
        self.uses = self.uses.min(uses);
    }

    /// Notes a write that was judged.
    pub(super) fn add<T: Persist<DB>>(&mut self, changes: &'static [Change], operation: Operation) {
        let entity = TypeId::of::<T>();
        if !self.writes.iter().any(|write| write.entity == entity && write.changes == changes) {
            self.writes.push(Write { entity, judge: Orm::judge_write::<T>, changes, operation });
        }
    }

    /// How many writes were noted.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    /// Forgets the writes that were noted after the first so many: they are undone.
    pub(super) fn truncate(&mut self, len: usize) {
        self.writes.truncate(len);
    }

    /// Adds another's writes.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.at(other.uses);
        self.writes.append(&mut other.writes);
    }

    /// Judges the writes for the last time. What is used for the first time from now on
    /// stores nothing until what is given is dropped, which is to be done when the
    /// transaction is over: nobody asks then whether the writes change it.
    ///
    /// # Errors
    /// [`Error::Configuration`](crate::Error::Configuration) if a write would leave rows in
    /// the cache that the database does not have.
    pub(crate) fn check(&self, orm: &Orm<DB>) -> Result<Option<Committing>> {
        if self.writes.is_empty() {
            return Ok(None);
        }
        let uses = orm.meters().uses();
        // First, so that nothing can come unseen in between.
        let committing = uses.committing();
        if self.uses != uses.count() {
            let mut writes = self.writes.iter();
            writes.try_for_each(|write| (write.judge)(orm, write.changes, write.operation))?;
        }
        Ok(Some(committing))
    }
}

impl<DB: Backend> fmt::Debug for Judged<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judged").field("writes", &self.writes.len()).finish_non_exhaustive()
    }
}
