//! How often what was done.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counts {
            $($(#[doc = $doc])+ pub(crate) $name: Count,)+
        }
    };
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

counts! {
    /// Reads that returned a row, or that there is none.
    reads,
    /// Reads by index and batches.
    lookups,
    /// Reads of the cache alone that found a row.
    peeks,
    /// Reads that failed.
    failed_reads,
    /// Writes, key by key, that were acknowledged.
    acknowledged,
    /// Transactions that wrote their rows in bulk.
    bulks,
    /// Writes whose outcome their writer was not told.
    unknown,
    /// Writes that failed, or were not wanted.
    rolled_back,
    /// Transactions refused because the cache could not be told.
    not_fenced,
    /// Acknowledged transactions with fences that may still lie there.
    release_unconfirmed,
}
