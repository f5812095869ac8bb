use crate::Error;
use std::time::Duration;

/// What [`fetch_or_stale`](crate::MemcachedOrm::fetch_or_stale) gives.
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
/// let found = User::fetch_or_stale(orm, 7).await?;
/// if found.is_stale() {
///     println!("shown as it was, since the database does not answer");
/// }
/// let user: Option<User> = found.into_row();
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "the row may be out of date"]
pub enum Freshness<T> {
    /// What [`fetch`](crate::MemcachedOrm::fetch) gives.
    Fresh(Option<T>),
    /// The database has failed, and this row has lain in the cache for longer than
    /// its TTL. What was written through this crate it shows; what others have
    /// written since it was cached it may not.
    Stale {
        /// The row.
        row: T,
        /// For how long its time has been over, to the second.
        expired_for: Duration,
        /// Why it could not be loaded.
        error: Error,
    },
}

impl<T> Freshness<T> {
    /// Whether the row may be out of date.
    pub const fn is_stale(&self) -> bool {
        matches!(self, Self::Stale { .. })
    }

    /// The row, be it out of date.
    pub fn into_row(self) -> Option<T> {
        match self {
            Self::Fresh(row) => row,
            Self::Stale { row, .. } => Some(row),
        }
    }
}
