//! What is counted, measured and traced.
//!
//! Counters are kept always, for [`Statistics`]: one for each operation on each
//! entity, found without a lock. Times are taken and spans made only for who listens.

mod meters;
#[cfg(feature = "metrics")]
mod publish;
mod uses;
mod watch;

pub(crate) use meters::{Meter, Meters};
#[cfg(feature = "metrics")]
pub(crate) use publish::{Publisher, publish_for_ever};
pub(crate) use uses::{Committing, Uses};
pub(crate) use watch::Watch;

use crate::coherence::{self, Event};
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts something, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One counter: its name, what it counts, and where it is.
#[cfg(feature = "metrics")]
pub(crate) type Named = (&'static str, &'static str, fn(&Counters) -> &Counter);

macro_rules! counters {
    (
        of operations { $($(#[doc = $doc:literal])+ $name:ident,)+ }
        of handles { $($(#[doc = $whole_doc:literal])+ $whole:ident,)+ }
        of now { $(#[doc = $now_doc:literal])+ $now:ident, }
    ) => {
        /// What has been done so far: by one operation, or as a whole.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)+
            $(pub(crate) $whole: Counter,)+
            pub(crate) $now: Counter,
        }

        impl Counters {
            /// What is counted for each operation on each entity.
            #[cfg(feature = "metrics")]
            pub(crate) const OF_OPERATIONS: &[Named] = &[$((
                concat!("cached_orm_", stringify!($name), "_total"),
                concat!($($doc),+),
                |counters| &counters.$name,
            ),)+];

            /// What is counted for a handle as a whole.
            #[cfg(feature = "metrics")]
            pub(crate) const OF_HANDLES: &[Named] = &[$((
                concat!("cached_orm_", stringify!($whole), "_total"),
                concat!($($whole_doc),+),
                |counters| &counters.$whole,
            ),)+];

            /// Adds what was counted to `sum`.
            pub(crate) fn add_to(&self, sum: &mut Statistics) {
                $(sum.$name += self.$name.get();)+
                $(sum.$whole += self.$whole.get();)+
                sum.$now += self.$now.get();
            }
        }

        /// What one [`Orm`](crate::Orm) has done since it was built.
        ///
        /// ```no_run
        /// # fn example(orm: cached_orm::Orm<cached_orm::Postgres>) {
        /// let since = orm.statistics();
        /// // … a minute later …
        /// let now = orm.statistics();
        /// println!("{} loads", now.loads - since.loads);
        /// # }
        /// ```
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
        #[non_exhaustive]
        pub struct Statistics {
            $($(#[doc = $doc])+ pub $name: u64,)+
            $($(#[doc = $whole_doc])+ pub $whole: u64,)+
            $(#[doc = $now_doc])+ pub $now: u64,
        }
    };
}

counters! {
    of operations {
        /// Reads that the cache answered.
        hits,
        /// Reads that a copy in this process answered.
        near_hits,
        /// Reads that the cache did not answer.
        misses,
        /// Reads that met a fence, and were answered by the database.
        fenced,
        /// Reads that took the result of another read's load.
        coalesced,
        /// Rows asked of the database for reads.
        loads,
        /// Batches of reads: one for each 512 keys at most.
        batches,
        /// Statements that loaded the rows of batches.
        batch_loads,
        /// Loads that failed.
        load_errors,
        /// Rows that were loaded anew before they expired.
        early_refreshes,
        /// Reads that were given a row whose time is over, since the database failed.
        stale_reads,
        /// Loaded rows that were stored in the cache.
        fills,
        /// Loaded rows that were not stored, since a write or another reader came
        /// between.
        fills_refused,
        /// Rows that were not stored, since they are larger than the cache takes.
        too_large,
        /// Rows that were not stored, since they would not be read from the cache as the
        /// database gave them; the log says which column, once.
        uncacheable,
        /// Entries of another shape, of another program, or broken; they are
        /// replaced.
        unreadable,
        /// Entries of indexes that named a row which has another value now, or is gone;
        /// they are replaced.
        misled,
    }
    of handles {
        /// Keys fenced for a COMMIT.
        fences,
        /// Written rows that took their fence's place.
        write_throughs,
        /// Fences that may still be there.
        releases_unconfirmed,
        /// Keys put into the outbox by writes.
        enlisted,
        /// Rows of the outbox whose keys were taken out of the cache.
        drained,
        /// Entries that an audit found to say what the database says.
        audits_agreed,
        /// Entries that an audit found to differ, and that were gone a moment later.
        audits_overtaken,
        /// Entries that an audit found to differ while the outbox had their keys.
        audits_pending,
        /// Entries that an audit found to differ, which nothing explains.
        audits_unexplained,
        /// Cache commands without an answer.
        cache_errors,
    }
    of now {
        /// Rows that the last look at the outbox had to leave, since the cache did
        /// not answer. Falls again, unlike the others.
        outbox_left,
    }
}

impl coherence::Meter for Counters {
    // The event is known where it is counted, and so is the counter then.
    #[inline]
    fn count(&self, event: Event, times: u64) {
        let counter = match event {
            Event::Hit => &self.hits,
            Event::NearHit => &self.near_hits,
            Event::Miss => &self.misses,
            Event::Fenced => &self.fenced,
            Event::Coalesced => &self.coalesced,
            Event::Load => &self.loads,
            Event::Batch => &self.batches,
            Event::BatchLoad => &self.batch_loads,
            Event::LoadError => &self.load_errors,
            Event::EarlyRefresh => &self.early_refreshes,
            Event::Fill => &self.fills,
            Event::FillRefused => &self.fills_refused,
            Event::TooLarge => &self.too_large,
            Event::Unreadable => &self.unreadable,
            Event::Fence => &self.fences,
            Event::WriteThrough => &self.write_throughs,
            Event::ReleaseUnconfirmed => &self.releases_unconfirmed,
            Event::CacheError => &self.cache_errors,
        };
        counter.add(times);
    }
}
