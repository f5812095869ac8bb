//! `--demo`: a memcached of one's own to kill and revive, and visitors.

mod cache;
mod visitors;

pub(crate) use cache::Cache;
pub(crate) use visitors::visit;

use serde::Serialize;
use std::sync::atomic::{AtomicU32, Ordering};

/// So many reads a second at most; the page offers fewer.
pub(crate) const VISITORS_MOST: u32 = 2_000;

#[derive(Debug)]
pub(crate) struct Demo {
    pub(crate) cache: Cache,
    reads_per_second: AtomicU32,
}

/// What the page is told.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    is_cache_running: bool,
    reads_per_second: u32,
}

impl Demo {
    pub(crate) fn new(cache: Cache) -> Self {
        Self { cache, reads_per_second: AtomicU32::new(200) }
    }

    pub(crate) async fn show(&self) -> Shown {
        Shown { is_cache_running: self.cache.is_running().await, reads_per_second: self.visitors() }
    }

    pub(crate) fn visitors(&self) -> u32 {
        self.reads_per_second.load(Ordering::Relaxed)
    }

    pub(crate) fn set_visitors(&self, reads_per_second: u32) {
        self.reads_per_second.store(reads_per_second, Ordering::Relaxed);
    }
}
