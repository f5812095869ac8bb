use crate::{CacheKey, Entity};
use std::{any::Any, collections::HashMap, fmt, sync::Arc};

/// Rows that a transaction has locked, on a database whose plain reads may show an older
/// row than the one that is locked.
///
/// None is forgotten when a savepoint is undone: the database keeps its lock as well.
#[derive(Default)]
pub(super) struct HeldRows(HashMap<CacheKey, HeldRow>);

/// A row under one of the names that it has in the cache.
struct HeldRow {
    cache_name: &'static str,
    /// Of the type that the struct's key has which has locked it.
    key: Arc<dyn Any + Send + Sync>,
}

impl HeldRows {
    pub(super) fn add<T: Entity>(
        &mut self,
        key: &T::Key,
        names: impl Iterator<Item = (&'static str, CacheKey)>,
    ) {
        let key: Arc<dyn Any + Send + Sync> = Arc::new(key.clone());
        for (cache_name, cache_key) in names {
            self.0.entry(cache_key).or_insert_with(|| HeldRow { cache_name, key: key.clone() });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, key: &CacheKey) -> bool {
        self.0.contains_key(key)
    }

    /// Those of the struct's table, which another struct may have locked too.
    pub(super) fn of<T: Entity>(&self) -> HashMap<CacheKey, T::Key> {
        let held = self.0.iter().filter(|(_, held)| held.cache_name == T::CACHE_NAME);
        held.filter_map(|(cache_key, held)| {
            Some((cache_key.clone(), held.key.downcast_ref::<T::Key>()?.clone()))
        })
        .collect()
    }
}

// Not derived: keys are the user's data.
impl fmt::Debug for HeldRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldRows").field("rows", &self.0.len()).finish()
    }
}
