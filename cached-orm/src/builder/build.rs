//! From what was chosen to a handle.

#[cfg(feature = "embedded")]
use super::LEAST_EMBEDDED;
use super::{OnUnreachable, OrmBuilder, Store};
use crate::{
    Backend, CacheStore, Error, Orm, Outbox, Result,
    cache::{MemcachedStore, UncachedStore},
    coherence::{Coherence, Meter, Times},
    key::Namespace,
    observe::Counters,
    orm::Parts,
    outbox::OutboxUse,
};
use std::{sync::Arc, time::Duration};

/// The store for reads, and the one for writes if that is another.
type Stores = (Arc<dyn CacheStore>, Option<Arc<dyn CacheStore>>);

/// How long a write waits for the cache, unless something else is asked for.
const WRITE_TIMEOUT: Duration = Duration::from_millis(500);

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
        let write_timeout = self.writes_wait();
        let (store, for_writes) = self.open_stores(write_timeout).map_err(Error::Configuration)?;
        // It would remove rows whose keys others have in their cache, and tell nobody.
        let drainer = self.drainer && !store.holds_nothing();
        let store = self.probe.before(store);
        let for_writes = match for_writes {
            Some(for_writes) => self.probe.before(for_writes),
            None => Arc::clone(&store),
        };
        let times = Times {
            lease_ttl: self.lease_ttl,
            fence_ttl: self.fence_ttl,
            commit_window: self.commit_window,
            renew_after: self.commit_window.min(self.shortest_protection() / 2),
            write_timeout,
            lease_wait: Duration::from_millis(50),
            lease_poll: Duration::from_millis(5),
        };
        let counters = Arc::new(Counters::default());
        let outbox = OutboxUse::new(self.on_unreachable, self.outbox, drainer);
        let always = outbox.is_for_every_write();
        Orm::assemble(Parts {
            pool: self.pool,
            coherence: Coherence::new(
                store,
                times,
                always,
                self.near_capacity,
                Arc::clone(&counters) as Arc<dyn Meter>,
            )
            .with_writes_by(for_writes)
            .with_steps(self.probe.steps()),
            probe: self.probe,
            counters,
            namespace,
            signing: self.signing,
            outbox,
            max_database_loads: self.max_database_loads,
            load_timeout: self.load_timeout,
            drains_every: drainer.then_some(self.outbox_poll),
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
        if let Some(write_timeout) = self.write_timeout {
            self.check_write_timeout(write_timeout)?;
        }
        #[cfg(feature = "embedded")]
        if matches!(self.store, Some(Store::Embedded(bytes)) if bytes < LEAST_EMBEDDED) {
            return Err(format!("`embedded` needs at least {LEAST_EMBEDDED} bytes"));
        }
        if self.load_timeout.is_zero() || self.outbox_poll.is_zero() {
            return Err("`load_timeout` and `outbox_poll` must be longer than nothing".to_owned());
        }
        if self.outbox_poll > Duration::from_hours(24) {
            return Err("`outbox_poll` must be a day at most".to_owned());
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

    fn check_write_timeout(&self, write_timeout: Duration) -> Result<(), String> {
        let Self { commit_window, fence_ttl, .. } = self;
        let hold_off = self.memcached.hold_off;
        if write_timeout.is_zero() {
            return Err("`write_timeout` must be longer than nothing".to_owned());
        }
        if write_timeout >= *commit_window {
            return Err(format!(
                "`write_timeout` ({write_timeout:?}) must be shorter than `commit_window` \
                 ({commit_window:?}), within which COMMIT follows its fences"
            ));
        }
        if write_timeout.saturating_add(*commit_window) >= self.shortest_protection() {
            return Err(format!(
                "`write_timeout` ({write_timeout:?}) and `commit_window` ({commit_window:?}) \
                 together must be shorter than `fence_ttl` ({fence_ttl:?}) and `hold_off` \
                 ({hold_off:?}), lest a fence end before it is set anew"
            ));
        }
        Ok(())
    }

    /// How long a fence protects its key for certain, even if the server restarts.
    fn shortest_protection(&self) -> Duration {
        self.fence_ttl.min(self.memcached.hold_off)
    }

    /// What was asked for, or else what fits; and no shorter than what a read waits.
    fn writes_wait(&self) -> Duration {
        self.write_timeout.unwrap_or_else(|| {
            let window = self.commit_window;
            let rest = self.shortest_protection().saturating_sub(window);
            WRITE_TIMEOUT.min(window / 2).min(rest / 2).max(self.memcached.timeout)
        })
    }

    /// The store; and the same for writes, if these have ways of their own.
    fn open_stores(&self, write_timeout: Duration) -> Result<Stores, String> {
        let store: Arc<dyn CacheStore> = match &self.store {
            None => {
                return Err(
                    "no cache was chosen: call `memcached([\"host:port\"])`, `embedded(bytes)` \
                         or `uncached()` before `build()`"
                        .to_owned(),
                );
            }
            Some(Store::Memcached) => {
                let store = MemcachedStore::new(&self.memcached)?;
                let for_writes = store.for_writes(&self.memcached, write_timeout)?;
                return Ok((Arc::new(store), Some(Arc::new(for_writes))));
            }
            #[cfg(feature = "embedded")]
            Some(Store::Embedded(max_bytes)) => {
                Arc::new(crate::cache::EmbeddedStore::new(*max_bytes))
            }
            Some(Store::Uncached) => Arc::new(UncachedStore),
            Some(Store::Custom(store)) => Arc::clone(store),
        };
        Ok((store, None))
    }
}
