//! From what was chosen to a handle.

#[cfg(feature = "embedded")]
use super::LEAST_EMBEDDED;
use super::{OnUnreachable, OrmBuilder, Store};
use crate::{
    Backend, CacheStore, Error, Orm, Outbox, Result,
    cache::{MemcachedStore, UncachedStore},
    coherence::{Coherence, Times},
    key::Namespace,
    observe::Counters,
    orm::Parts,
    outbox::OutboxUse,
};
use std::{sync::Arc, time::Duration};

impl<DB: Backend> OrmBuilder<DB> {
    /// Builds the handle. Must be called in a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Configuration`] if an option makes no sense; it says which.
    /// [`Error::Database`] if a SQLite database cannot be opened; the others are
    /// not asked yet.
    ///
    /// ```no_run
    /// # async fn example(pool: cached_orm::sqlx::PgPool) {
    /// use cached_orm::{Error, Orm};
    ///
    /// match Orm::builder(pool).memcached(["10.0.0.1:11211"]).namespace("my shop").build().await {
    ///     Err(Error::Configuration(what)) => eprintln!("{what}"), // a blank is not allowed
    ///     built => drop(built),
    /// }
    /// # }
    /// ```
    #[cfg_attr(not(feature = "test-kit"), expect(unused_mut))]
    pub async fn build(mut self) -> Result<Orm<DB>> {
        self.check().map_err(Error::Configuration)?;
        #[cfg(feature = "test-kit")]
        self.enter_transaction().await?;
        let namespace = Namespace::new(&self.namespace).map_err(Error::Configuration)?;
        let store = self.open_store().map_err(Error::Configuration)?;
        let store = self.probe.before(store);
        let times = Times {
            lease_ttl: self.lease_ttl,
            fence_ttl: self.fence_ttl,
            commit_window: self.commit_window,
            lease_wait: Duration::from_millis(50),
            lease_poll: Duration::from_millis(5),
        };
        let counters = Arc::new(Counters::default());
        let outbox = OutboxUse::new(self.on_unreachable, self.outbox);
        let always = outbox.is_for_every_write();
        Orm::assemble(Parts {
            pool: self.pool,
            coherence: Coherence::new(
                store,
                times,
                always,
                self.near_capacity,
                Arc::clone(&counters),
            )
            .probed(self.probe),
            counters,
            namespace,
            signing: self.signing,
            outbox,
            max_database_loads: self.max_database_loads,
            load_timeout: self.load_timeout,
            drains_every: self.drainer.then_some(self.outbox_poll),
            listens: self.listens,
            publishes_every: self.metrics_every,
        })
        .await
    }

    fn check(&self) -> Result<(), String> {
        let second = Duration::from_secs(1);
        if self.lease_ttl < second || self.fence_ttl < second {
            return Err("`lease_ttl` and `fence_ttl` must be at least a second".to_owned());
        }
        if self.commit_window.is_zero() {
            return Err("`commit_window` must be longer than nothing".to_owned());
        }
        let hold_off = self.memcached.hold_off;
        if self.commit_window >= self.fence_ttl || self.commit_window >= hold_off {
            return Err(format!(
                "`commit_window` ({:?}) must be shorter than `fence_ttl` ({:?}) and `hold_off` ({:?})",
                self.commit_window, self.fence_ttl, hold_off,
            ));
        }
        #[cfg(feature = "embedded")]
        if matches!(self.store, Some(Store::Embedded(bytes)) if bytes < LEAST_EMBEDDED) {
            return Err(format!("`embedded` needs at least {LEAST_EMBEDDED} bytes"));
        }
        if self.load_timeout.is_zero() || self.outbox_poll.is_zero() {
            return Err("`load_timeout` and `outbox_poll` must be longer than nothing".to_owned());
        }
        if !self.memcached.also_fence.is_empty() && !matches!(self.store, Some(Store::Memcached)) {
            return Err("`also_fence` goes with `memcached`".to_owned());
        }
        if self.on_unreachable == Some(OnUnreachable::Abort) && self.outbox == Outbox::Always {
            return Err("`Outbox::Always` does not go with `OnUnreachable::Abort`".to_owned());
        }
        if self.signing.lacks_keys() {
            return Err("`sign_entries` was given no key".to_owned());
        }
        if self.metrics_every.is_some_and(|every| every.is_zero()) {
            return Err("`metrics` must be longer than nothing".to_owned());
        }
        if self.max_database_loads == 0 {
            return Err("`max_database_loads` must be at least 1".to_owned());
        }
        Ok(())
    }

    fn open_store(&self) -> Result<Arc<dyn CacheStore>, String> {
        match &self.store {
            None => {
                Err("no cache was chosen: call `memcached([\"host:port\"])`, `embedded(bytes)` \
                         or `uncached()` before `build()`"
                    .to_owned())
            }
            Some(Store::Memcached) => Ok(Arc::new(MemcachedStore::new(&self.memcached)?)),
            #[cfg(feature = "embedded")]
            Some(Store::Embedded(max_bytes)) => {
                Ok(Arc::new(crate::cache::EmbeddedStore::new(*max_bytes)))
            }
            Some(Store::Uncached) => Ok(Arc::new(UncachedStore)),
            Some(Store::Custom(store)) => Ok(Arc::clone(store)),
        }
    }
}
