//! For tests of a service that uses this crate: faults and pauses by script, what was
//! sent, a cache in memory, and writes that are undone.
//!
//! | for | |
//! |---|---|
//! | a cache without a server, whose time a test moves | [`MemoryStore`] |
//! | a cache that fails, hangs, forgets or restarts | [`TestKit::cache`] |
//! | an order of events, without a sleep | [`TestKit::pause_at`] |
//! | how many statements and commands were sent | [`TestKit::counts`] |
//! | writes that are gone after the test | [`OrmBuilder::rollback_on_drop`](crate::OrmBuilder::rollback_on_drop) |
//!
//! A cache whose time is moved:
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); } use shop::*;
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use cached_orm::test_kit::MemoryStore;
//! use std::{sync::Arc, time::Duration};
//!
//! # let pool = shop::pool().await?;
//! let cache = Arc::new(MemoryStore::new());
//! let orm = Orm::builder(pool).store(cache.clone()).build().await?;
//! User::fetch_one(&orm, 7).await?;
//! assert!(User::get_cached_instance(&orm, 7).await?.is_some());
//! cache.advance(Duration::from_secs(12 * 60)); // its TTL is ten minutes
//! assert!(User::get_cached_instance(&orm, 7).await?.is_none());
//! # Ok(()) }
//! ```
//!
//! The guide's page on testing has a test for each.

mod cache_script;
mod counts;
mod fault;
mod pause;
mod rolled_back;
mod scripted_store;

pub use cache_script::CacheScript;
#[doc(inline)]
pub use cached_orm_protocol::{
    cache::MemoryStore,
    steps::{Step, on_step},
};
pub use counts::Counts;
pub use fault::{Command, Fault};
pub use pause::Pause;
pub(crate) use rolled_back::one_transaction;

use crate::{CacheStore, steps::Gate};
use pause::Pauses;
use scripted_store::ScriptedStore;
use std::{pin::Pin, sync::Arc};
use tokio::sync::watch;

/// Looks into an [`Orm`](crate::Orm), and interferes with it by script.
///
/// Give it to [`OrmBuilder::test_kit`](crate::OrmBuilder::test_kit). It concerns that
/// `Orm` and its clones, and no other: tests may run side by side. Cheap to clone;
/// the clones are one kit. Given to several builders it counts what all of them do,
/// and its faults meet all of them, as if they were processes with one cache.
///
/// ```
/// use cached_orm::{Orm, Sqlite, sqlx::SqlitePool, test_kit::{MemoryStore, TestKit}};
/// use std::sync::Arc;
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let kit = TestKit::new();
/// let orm = Orm::builder(SqlitePool::connect("sqlite::memory:").await?)
///     .store(Arc::new(MemoryStore::new()))
///     .test_kit(&kit)
///     .build()
///     .await?;
/// kit.cache().go_down();
/// // … what the service does with `orm` now …
/// # drop::<Orm<Sqlite>>(orm);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct TestKit(Arc<Kit>);

#[derive(Debug, Default)]
struct Kit {
    counts: watch::Sender<Counts>,
    pauses: Pauses,
    cache: Arc<CacheScript>,
}

impl TestKit {
    /// A kit that interferes with nothing yet.
    ///
    /// ```
    /// use cached_orm::test_kit::TestKit;
    ///
    /// assert_eq!(TestKit::new().counts().commands(), 0);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// What is to become of the cache.
    ///
    /// ```
    /// # let kit = cached_orm::test_kit::TestKit::new();
    /// kit.cache().go_down();
    /// kit.cache().come_back();
    /// ```
    pub fn cache(&self) -> &CacheScript {
        &self.0.cache
    }

    /// Holds whoever takes this step next, until the [`Pause`] is resumed or dropped.
    /// It holds one; those who take the step after it are held by other pauses, or go
    /// on.
    ///
    /// Held are tasks of the `Orm`: a read or write that waits for one waits too, and
    /// may be in a task that the test has spawned. Times go on: a lease of a reader
    /// who is held expires, as does a fence of a writer.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); } use shop::*;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cached_orm::test_kit::{MemoryStore, Step, TestKit};
    /// use std::sync::Arc;
    ///
    /// # let pool = shop::pool().await?;
    /// let kit = TestKit::new();
    /// let orm = Orm::builder(pool).store(Arc::new(MemoryStore::new())).test_kit(&kit).build().await?;
    ///
    /// let pause = kit.pause_at(Step::Loaded);
    /// let reading = tokio::spawn({ let orm = orm.clone(); async move { User::fetch_one(&orm, 7).await } });
    /// pause.reached().await; // it has the old row in hand
    /// User::patch(7).set(UserColumns::NAME, "Anna").execute(&orm).await?;
    /// pause.resume();
    /// assert_eq!(reading.await??.name, "Ann"); // it began before the write
    /// assert_eq!(User::fetch_one(&orm, 7).await?.name, "Anna");
    /// # Ok(()) }
    /// ```
    #[must_use = "dropped, a pause holds nobody"]
    pub fn pause_at(&self, step: Step) -> Pause {
        self.0.pauses.pause_at(step)
    }

    /// What was sent to the database and to the cache so far.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); } use shop::*;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use cached_orm::test_kit::{MemoryStore, TestKit};
    /// use std::sync::Arc;
    ///
    /// # let pool = shop::pool().await?;
    /// let kit = TestKit::new();
    /// let orm = Orm::builder(pool).store(Arc::new(MemoryStore::new())).test_kit(&kit).build().await?;
    /// User::fetch_many(&orm, [7, 8, 9]).await?;
    /// assert_eq!(kit.counts().statements, 1); // and not three
    /// # Ok(()) }
    /// ```
    pub fn counts(&self) -> Counts {
        *self.0.counts.borrow()
    }

    /// Counts from 0 again.
    ///
    /// ```
    /// # let kit = cached_orm::test_kit::TestKit::new();
    /// // … what the test needs beforehand …
    /// kit.reset_counts();
    /// assert_eq!(kit.counts().statements, 0);
    /// ```
    pub fn reset_counts(&self) {
        self.0.counts.send_replace(Counts::default());
    }

    /// Waits until the counts are such: until so many requests have come as far as the
    /// cache, say. For ever, if they never are.
    ///
    /// ```
    /// # async fn example(kit: cached_orm::test_kit::TestKit) {
    /// kit.wait_until(|counts| counts.gets == 2).await; // both have asked the cache
    /// # }
    /// ```
    pub async fn wait_until(&self, are_such: impl FnMut(&Counts) -> bool) -> Counts {
        // The sender is this kit's.
        let reached = self.0.counts.subscribe().wait_for(are_such).await.map(|counts| *counts);
        reached.unwrap_or_else(|_| self.counts())
    }

    pub(crate) fn counted(&self, count: impl FnOnce(&mut Counts)) {
        self.0.counts.send_modify(count);
    }

    /// Puts what the kit does to the cache before `store`.
    pub(crate) fn before(&self, store: Arc<dyn CacheStore>) -> Arc<dyn CacheStore> {
        self.0.cache.add(Arc::clone(&store));
        Arc::new(ScriptedStore { kit: self.clone(), store })
    }
}

impl Gate for TestKit {
    /// Goes on when no pause holds who takes this step.
    fn pass(&self, step: Step) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.pauses.hold(step))
    }
}

#[cfg(test)]
mod tests;
