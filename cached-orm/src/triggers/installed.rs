//! Which triggers a handle has installed: those of one name are one another's.

use crate::{Entity, Error, Operation, Result};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// A table and a `cache_name`, by which triggers are called.
type Place = (&'static str, &'static str);

#[derive(Debug, Default)]
pub(crate) struct InstalledTriggers(Mutex<HashMap<Place, Installed>>);

#[derive(Debug)]
struct Installed {
    entity: &'static str,
    /// The names of the indexes of whose values they tell.
    indexes: Vec<String>,
}

impl InstalledTriggers {
    /// Notes that those of `T` are about to be installed.
    ///
    /// # Errors
    /// [`Error::Configuration`] if they would take the place of another struct's, which
    /// tell of an index that `T` does not have.
    pub(crate) fn note<T: Entity>(&self, operation: Operation) -> Result<()> {
        let indexes: Vec<String> = T::INDEXES.iter().map(|index| index.name()).collect();
        let mut installed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (T::TABLE.name(), T::CACHE_NAME);
        if let Some(Installed { entity, indexes: others }) = installed.get(&place)
            && let Some(index) = others.iter().find(|other| !indexes.contains(other))
        {
            return Err(Error::Configuration(format!(
                "{operation}: they would replace those of {entity}, whose rows lie in the cache \
                 under the same name, and not tell of its index `{index}`; declare that index on \
                 {own} too, or give {own} a `cache_name` of its own",
                own = T::NAME,
            )));
        }
        installed.insert(place, Installed { entity: T::NAME, indexes });
        Ok(())
    }
}
