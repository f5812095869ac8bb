//! Cache stores: they know keys, bytes, leases and CAS tokens, and nothing of
//! entities or databases.
//!
//! The interface has no unconditional "store this value". The only command
//! that needs no CAS token is [`fence`](CacheStore::fence), which is safe at any
//! time, even if it arrives late; a value gets in only by
//! [`replace`](CacheStore::replace), over an item that the caller has seen.

#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod conformance;
#[cfg(feature = "embedded")]
mod embedded;
mod error;
mod memcached;
#[cfg(feature = "test-kit")]
mod memory;
mod server_status;
mod uncached;

pub use error::CacheError;
pub use server_status::{ServerReports, ServerStatus};

#[cfg(feature = "embedded")]
pub use embedded::EmbeddedStore;
#[cfg(any(fuzzing, test, feature = "testing"))]
pub(crate) use memcached::fuzzing;
pub use memcached::{MemcachedOptions, MemcachedStore};
#[cfg(feature = "test-kit")]
pub use memory::MemoryStore;
#[doc(hidden)]
pub use server_status::seconds;
pub use uncached::UncachedStore;

use crate::key::CacheKey;
use bytes::Bytes;
use futures_util::future::join_all;
use serde::Serialize;
use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

/// What the methods of a [`CacheStore`] return.
pub type StoreFuture<'s, T> = Pin<Box<dyn Future<Output = Result<T, CacheError>> + Send + 's>>;

/// What [`CacheStore::get_many`] returns: one answer for each key.
pub type StoreBatch<'s> =
    Pin<Box<dyn Future<Output = Vec<Result<Lookup, CacheError>>> + Send + 's>>;

/// One life of a cache server, from its start to its end.
///
/// A server that restarts counts its CAS tokens from 1 again, so a token means
/// something only to the incarnation that gave it.
///
/// ```
/// # extern crate cached_orm_protocol as cached_orm;
/// use cached_orm::{Cas, Incarnation};
///
/// let before = Incarnation { process: 812, started: 1_790_000_000 };
/// let after = Incarnation { process: 812, started: 1_790_000_099 };
/// // The same token of another life of the server is another version.
/// assert_ne!(Cas { incarnation: before, token: 1 }, Cas { incarnation: after, token: 1 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Incarnation {
    /// The server's process id.
    pub process: u64,
    /// When it started, in seconds since 1970 by its own clock.
    pub started: u64,
}

/// `4711 since 1764167700`: the process's number and when it started.
impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The upper half only keeps lives of the first second apart.
        write!(f, "{} since {}", self.process & 0xFFFF_FFFF, self.started)
    }
}

/// The version of one item on one server: a memcached CAS token, and the
/// incarnation that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cas {
    /// Which life of the server gave the token.
    pub incarnation: Incarnation,
    /// The server's token for this version of the item.
    pub token: u64,
}

/// What lies under a key.
///
/// ```no_run
/// # extern crate cached_orm_protocol as cached_orm;
/// # async fn example(store: &dyn cached_orm::CacheStore, key: cached_orm::CacheKey) -> Result<(), cached_orm::CacheError> {
/// use cached_orm::Lookup;
///
/// match store.get(&key, None).await? {
///     Lookup::Miss => println!("nothing"),
///     Lookup::Leased(_) => println!("somebody is loading it"),
///     Lookup::Item { value, cas, .. } => println!("{} bytes, version {}", value.len(), cas.token),
///     _ => println!("something else"),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup {
    /// Nothing, and no lease was given: none was asked for, or the server is
    /// in hold-off.
    Miss,
    /// Nothing, and this caller now holds the lease: the right to store a
    /// value with this token.
    Lease(Cas),
    /// Somebody else's lease.
    Leased(Cas),
    /// A value.
    Item {
        /// The bytes that were stored.
        value: Bytes,
        /// The version of the item.
        cas: Cas,
        /// Whether somebody marked the item as out of date (memcached's
        /// `md … I`; this crate never does).
        stale: bool,
        /// How long the item is going to live, if the store tells.
        ttl: Option<Duration>,
        /// Whether somebody has [`claim`](CacheStore::claim)ed it.
        claimed: bool,
    },
}

impl Lookup {
    /// The version of what lies there.
    #[doc(hidden)]
    pub fn cas(&self) -> Option<Cas> {
        match *self {
            Self::Miss => None,
            Self::Lease(cas) | Self::Leased(cas) | Self::Item { cas, .. } => Some(cas),
        }
    }

    /// The same, of another version.
    #[doc(hidden)]
    #[must_use]
    pub fn map_cas(self, map: impl FnOnce(Cas) -> Cas) -> Self {
        match self {
            Self::Miss => Self::Miss,
            Self::Lease(cas) => Self::Lease(map(cas)),
            Self::Leased(cas) => Self::Leased(map(cas)),
            Self::Item { value, cas, stale, ttl, claimed } => {
                Self::Item { value, cas: map(cas), stale, ttl, claimed }
            }
        }
    }
}

/// What a fence may be stored over.
///
/// ```no_run
/// # extern crate cached_orm_protocol as cached_orm;
/// # async fn example(store: &dyn cached_orm::CacheStore, key: cached_orm::CacheKey, cas: cached_orm::Cas) -> Result<(), cached_orm::CacheError> {
/// use cached_orm::Over;
/// use std::time::Duration;
///
/// store.fence(&key, "busy".into(), Duration::from_secs(60), Over::Version(cas)).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Over {
    /// Whatever lies there.
    Anything,
    /// This version of the item.
    Version(Cas),
    /// Nothing: there must be no item, and no lease.
    Nothing,
}

impl Over {
    /// The version it asks for.
    pub(crate) fn version(self) -> Option<Cas> {
        match self {
            Self::Version(cas) => Some(cas),
            Self::Anything | Self::Nothing => None,
        }
    }
}

/// How a conditional store ended.
///
/// ```no_run
/// # extern crate cached_orm_protocol as cached_orm;
/// # async fn example(store: &dyn cached_orm::CacheStore, key: cached_orm::CacheKey, cas: cached_orm::Cas) -> Result<(), cached_orm::CacheError> {
/// use cached_orm::Replaced;
/// use std::time::Duration;
///
/// match store.replace(&key, "value".into(), Duration::from_secs(60), cas).await? {
///     Replaced::Stored(cas) => println!("now it is version {}", cas.token),
///     not_stored => println!("{not_stored:?}"),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replaced {
    /// Stored; this is the item's new version.
    Stored(Cas),
    /// Not stored: the item is of another version, or there is one.
    Exists,
    /// Not stored: there is no item.
    NotFound,
    /// Not sent: the server has restarted since it gave the token.
    OtherIncarnation,
    /// Not sent: the server does not take items of this size. What lay there
    /// still lies there.
    TooLarge,
}

/// How a conditional delete ended.
///
/// ```no_run
/// # extern crate cached_orm_protocol as cached_orm;
/// # async fn example(store: &dyn cached_orm::CacheStore, key: cached_orm::CacheKey, cas: cached_orm::Cas) -> Result<(), cached_orm::CacheError> {
/// use cached_orm::Deleted;
///
/// let is_gone = matches!(store.delete(&key, cas).await?, Deleted::Deleted | Deleted::NotFound);
/// # drop(is_gone);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deleted {
    /// Deleted.
    Deleted,
    /// Not deleted: the item is of another version.
    Exists,
    /// There is no item.
    NotFound,
    /// Not sent: the server has restarted since it gave the token.
    OtherIncarnation,
}

/// Where entries lie.
///
/// Implement it to put another cache under an `Orm`, or to wrap a store with
/// faults in tests. Every operation must be atomic per key. After an error the
/// state of the key is unknown to the caller: the command may have been
/// carried out, or may still be.
///
/// The values this crate stores are never empty.
///
/// One that wraps another, and counts:
///
/// ```
/// # extern crate cached_orm_protocol as cached_orm;
/// use cached_orm::{CacheKey, CacheStore, Cas, Deleted, Lookup, Over, Replaced, StoreFuture};
/// use std::{
///     sync::{Arc, atomic::{AtomicU64, Ordering}},
///     time::Duration,
/// };
///
/// #[derive(Debug)]
/// struct Counted {
///     store: Arc<dyn CacheStore>,
///     gets: AtomicU64,
/// }
///
/// impl CacheStore for Counted {
///     fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
///         self.gets.fetch_add(1, Ordering::Relaxed);
///         self.store.get(key, lease)
///     }
///
///     fn fence(
///         &self,
///         key: &CacheKey,
///         fence: bytes::Bytes,
///         ttl: Duration,
///         over: Over,
///     ) -> StoreFuture<'_, Replaced> {
///         self.store.fence(key, fence, ttl, over)
///     }
///
///     fn replace(
///         &self,
///         key: &CacheKey,
///         value: bytes::Bytes,
///         ttl: Duration,
///         cas: Cas,
///     ) -> StoreFuture<'_, Replaced> {
///         self.store.replace(key, value, ttl, cas)
///     }
///
///     fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
///         self.store.delete(key, cas)
///     }
/// }
/// ```
pub trait CacheStore: fmt::Debug + Send + Sync + 'static {
    /// Whether nothing is ever there: then no write can leave anything behind.
    #[doc(hidden)]
    fn holds_nothing(&self) -> bool {
        false
    }

    /// Reads what lies under `key`.
    ///
    /// If nothing does, and `lease` is given, an empty placeholder that lives
    /// that long (whole seconds, rounded up) is made for this caller, in the
    /// same atomic step. A store that has just started and may have lost
    /// fences gives no leases while it is in hold-off.
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup>;

    /// Reads what lies under each of `keys`, as [`get`](Self::get) does; the
    /// answers are in the order of the keys. One key's failure is no other's.
    ///
    /// A store that is asked over a network should ask once for all of them.
    fn get_many(&self, keys: &[CacheKey], lease: Option<Duration>) -> StoreBatch<'_> {
        let gets: Vec<_> = keys.iter().map(|key| self.get(key, lease)).collect();
        Box::pin(join_all(gets))
    }

    /// Stores a fence for `ttl`, if what lies there is what it may be stored
    /// `over`. A fence should outlive rows when memory gets short.
    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced>;

    /// Stores `value` for `ttl` if the item is still of version `cas`.
    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced>;

    /// Gives the item's version to one caller, in whose hand it is then to replace
    /// the item, if the item is going to live for less than `below` (whole seconds,
    /// rounded up). The item stays as it is, and of that version.
    ///
    /// A store that cannot do so gives it to nobody.
    fn claim(&self, _key: &CacheKey, _below: Duration) -> StoreFuture<'_, Option<Cas>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Deletes the item if it is still of version `cas`.
    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted>;

    /// A second place where this key must be fenced as well: while a list of
    /// servers is changed, some readers look for it there already, or still.
    fn also(&self, _key: &CacheKey) -> Option<&dyn CacheStore> {
        None
    }

    /// The name of the server that has this key, if the store has servers.
    fn server_name(&self, _key: &CacheKey) -> Option<Arc<str>> {
        None
    }

    /// Asks every server how it is, all at once; none if the store has none.
    fn servers(&self) -> ServerReports<'_> {
        Box::pin(std::future::ready(Vec::new()))
    }

    /// Ends connections and tasks; calls after it fail with
    /// [`CacheError::Closed`].
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}
