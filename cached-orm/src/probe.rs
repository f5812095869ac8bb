//! Where tests look into an `Orm`, and hold it up. Nothing is left of it without the
//! feature `test-kit`.

use crate::{CacheStore, steps::Steps};
use std::sync::Arc;

#[cfg(feature = "test-kit")]
use crate::test_kit::TestKit;
#[cfg(feature = "test-kit")]
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a test has attached to one `Orm`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Probe {
    #[cfg(feature = "test-kit")]
    pub(crate) kit: Option<TestKit>,
    /// How many connections have begun the transaction that is never committed, if
    /// there is to be one.
    #[cfg(feature = "test-kit")]
    pub(crate) rolled_back: Option<Arc<AtomicUsize>>,
}

#[cfg(feature = "test-kit")]
impl Probe {
    /// The steps, at which a test may hold up who takes them.
    pub(crate) fn steps(&self) -> Steps {
        match &self.kit {
            Some(kit) => Steps::through(Arc::new(kit.clone())),
            None => Steps::default(),
        }
    }

    /// Notes that a statement is being sent which reads or writes rows.
    pub(crate) fn statement(&self) {
        if let Some(kit) = &self.kit {
            kit.counted(|counts| counts.statements += 1);
        }
    }

    /// The store, behind what a test lets become of it.
    pub(crate) fn before(&self, store: Arc<dyn CacheStore>) -> Arc<dyn CacheStore> {
        match &self.kit {
            Some(kit) => kit.before(store),
            None => store,
        }
    }

    /// Whether everything happens in one transaction that is never committed.
    pub(crate) fn rolls_back(&self) -> bool {
        self.rolled_back.is_some()
    }

    /// Whether that transaction is over, with what was written in it: its connection
    /// is not there any more.
    pub(crate) fn is_lost(&self) -> bool {
        let begun = self.rolled_back.as_ref().map(|begun| begun.load(Ordering::Acquire));
        begun.is_some_and(|begun| begun > 1)
    }
}

#[cfg(not(feature = "test-kit"))]
impl Probe {
    pub(crate) fn steps(&self) -> Steps {
        Steps::default()
    }

    pub(crate) const fn statement(&self) {}

    pub(crate) fn before(&self, store: Arc<dyn CacheStore>) -> Arc<dyn CacheStore> {
        store
    }

    pub(crate) const fn rolls_back(&self) -> bool {
        false
    }

    pub(crate) const fn is_lost(&self) -> bool {
        false
    }
}
