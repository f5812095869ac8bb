//! The writes of a transaction, judged once more before they are committed: a struct
//! that was read for the first time meanwhile may have cached what they change.

use crate::{Backend, Operation, Orm, Persist, Result, observe::Committing, schema::Change};
use std::{any::TypeId, fmt};

pub(crate) struct Judged<DB: Backend> {
    writes: Vec<Write<DB>>,
    columns: Vec<Columns<DB>>,
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

/// Refuses a write to these columns, or to all, of which another struct has an index.
type Check<DB> = fn(&Orm<DB>, Option<&[&'static str]>, Operation) -> Result<()>;

/// The columns that a write gives values to; all of them if that is `None`.
struct Columns<DB: Backend> {
    entity: TypeId,
    check: Check<DB>,
    written: Option<Vec<&'static str>>,
    operation: Operation,
}

/// What was noted up to some time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noted {
    writes: usize,
    columns: usize,
}

impl<DB: Backend> Default for Judged<DB> {
    fn default() -> Self {
        Self { writes: Vec::new(), columns: Vec::new(), uses: usize::MAX }
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

    /// Notes the columns of a write, of which no other struct has an index so far.
    pub(super) fn add_columns<T: Persist<DB>>(
        &mut self,
        written: Option<&[&'static str]>,
        operation: Operation,
    ) {
        let entity = TypeId::of::<T>();
        let is_it =
            |known: &Columns<DB>| known.entity == entity && known.written.as_deref() == written;
        if !self.columns.iter().any(is_it) {
            let (check, written) = (Orm::check_indexes::<T>, written.map(<[_]>::to_vec));
            self.columns.push(Columns { entity, check, written, operation });
        }
    }

    /// What was noted so far.
    pub(super) fn noted(&self) -> Noted {
        Noted { writes: self.writes.len(), columns: self.columns.len() }
    }

    /// Forgets what was noted since: it is undone.
    pub(super) fn go_back(&mut self, noted: Noted) {
        self.writes.truncate(noted.writes);
        self.columns.truncate(noted.columns);
    }

    /// Adds another's writes.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.at(other.uses);
        self.writes.append(&mut other.writes);
        self.columns.append(&mut other.columns);
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
            let mut columns = self.columns.iter();
            columns.try_for_each(|Columns { check, written, operation, .. }| {
                check(orm, written.as_deref(), *operation)
            })?;
        }
        Ok(Some(committing))
    }
}

impl<DB: Backend> fmt::Debug for Judged<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judged").field("writes", &self.writes.len()).finish_non_exhaustive()
    }
}
