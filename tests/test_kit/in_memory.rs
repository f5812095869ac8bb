use crate::{databases::TestDatabase, place::Cache};
use cached_orm::{OrmBuilder, test_kit::MemoryStore};
use std::sync::Arc;

/// A [`MemoryStore`] of each handle's own.
#[derive(Debug)]
pub(crate) struct InMemory;

impl Cache for InMemory {
    fn choose<DB: TestDatabase>(builder: OrmBuilder<DB>) -> OrmBuilder<DB> {
        builder.store(Arc::new(MemoryStore::new()))
    }

    async fn ready() {}
}
