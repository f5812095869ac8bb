//! Which indexes are read through a handle, so that no write through another struct
//! of the same table leaves their entries as they are.

use super::Orm;
use crate::{Backend, Entity, Error, Index, IndexColumn, Operation, Result};
use std::sync::{PoisonError, RwLock};

/// The indexes by which rows were read.
#[derive(Debug, Default)]
pub(super) struct IndexesRead(RwLock<Vec<Known>>);

/// An index, and when it came.
#[derive(Debug)]
struct Known {
    read: IndexRead,
    came: usize,
}

#[derive(Debug, Clone, Copy)]
struct IndexRead {
    entity: &'static str,
    table: &'static str,
    cache_name: &'static str,
    columns: &'static [IndexColumn],
}

impl IndexRead {
    fn of<T: Entity>(index: &Index<T>) -> Self {
        Self {
            entity: T::NAME,
            table: T::TABLE.name(),
            cache_name: T::CACHE_NAME,
            columns: index.columns(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.table == other.table && self.is_same(other)
    }

    /// Whether their entries have the same keys.
    fn is_same(&self, other: &Self) -> bool {
        let parts = |columns: &'static [IndexColumn]| {
            columns.iter().map(|column| (column.name(), column.kind()))
        };
        self.cache_name == other.cache_name && parts(self.columns).eq(parts(other.columns))
    }
}

impl<DB: Backend> Orm<DB> {
    /// Notes that rows are read by this index.
    pub(crate) fn note_index_read<T: Entity>(&self, index: &Index<T>) {
        let read = IndexRead::of(index);
        let indexes = &self.0.indexes_read.0;
        let is_known = |known: &[Known]| known.iter().any(|known| known.read.is(&read));
        if is_known(&indexes.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut indexes = indexes.write().unwrap_or_else(PoisonError::into_inner);
        if !is_known(&indexes) {
            let came = self.meters().uses().one_more();
            indexes.push(Known { read, came });
        }
    }

    /// Whether what is read by the index from now on may be stored, as far as that is not
    /// its struct's.
    pub(crate) fn may_store_index<T: Entity>(&self, index: &Index<T>) -> bool {
        let came = || {
            let read = IndexRead::of(index);
            let indexes = self.0.indexes_read.0.read().unwrap_or_else(PoisonError::into_inner);
            indexes.iter().find(|known| known.read.is(&read)).map(|known| known.came)
        };
        self.meters().uses().may_store(came)
    }

    /// Refuses a write that gives values to columns, or to all if `written` is
    /// `None`, of which another struct has an index that `T` knows nothing of: "no
    /// row has this value" would be believed on.
    pub(crate) fn check_indexes<T: Entity>(
        &self,
        written: Option<&[&'static str]>,
        operation: Operation,
    ) -> Result<()> {
        // With whatever it is computed of.
        let is_generated = |column: &IndexColumn| {
            let table = self.table_known(T::TABLE.name());
            table.is_some_and(|table| table.is_generated(column.name()))
        };
        let is_written = |column: &IndexColumn| {
            column.is_read_back()
                || written.is_none_or(|written| written.contains(&column.name()))
                || is_generated(column)
        };
        let is_left_behind = |read: &&IndexRead| {
            self.is_one_table(read.table, T::TABLE.name())
                && read.columns.iter().any(is_written)
                && !T::INDEXES.iter().any(|index| IndexRead::of(index).is_same(read))
        };
        let indexes = self.0.indexes_read.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(IndexRead { entity, cache_name, columns, .. }) =
            indexes.iter().map(|known| &known.read).find(is_left_behind)
        else {
            return Ok(());
        };
        let columns: Vec<_> = columns.iter().map(|column| format!("`{}`", column.name())).collect();
        Err(Error::Configuration(format!(
            "{operation}: rows are read by an index of {entity} over {}, of which this write would \
             not tell the cache; give {} the same index, and the cache name `{cache_name}`, or \
             write through {entity}",
            columns.join(" and "),
            T::NAME,
        )))
    }
}
