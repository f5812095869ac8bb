use crate::key::CacheKey;
use bytes::Bytes;
use moka::Expiry;
use std::time::Duration;
use tokio::time::Instant;

/// What an entry takes besides its key and value.
const ENTRY_OVERHEAD: usize = 160;

/// A value in the evictable map.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) value: Bytes,
    pub(super) token: u64,
    pub(super) expires: Instant,
    /// Whether somebody is replacing it, since it is going to expire.
    pub(super) claimed: bool,
}

/// Lets the map drop expired rows. Whether a row counts is decided by
/// [`Row::expires`], on tokio's clock.
pub(super) struct Reaper;

impl Expiry<CacheKey, Row> for Reaper {
    fn expire_after_create(
        &self,
        _: &CacheKey,
        row: &Row,
        _: std::time::Instant,
    ) -> Option<Duration> {
        Some(row.expires.saturating_duration_since(Instant::now()))
    }

    fn expire_after_update(
        &self,
        _: &CacheKey,
        row: &Row,
        _: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(row.expires.saturating_duration_since(Instant::now()))
    }
}

/// What an entry counts for.
pub(super) fn size(key: &CacheKey, value: &Bytes) -> usize {
    key.as_bytes().len() + value.len() + ENTRY_OVERHEAD
}
