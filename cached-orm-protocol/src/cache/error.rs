use std::{io, sync::Arc, time::Duration};

/// Why a cache command has no answer.
///
/// Whether the command was carried out is unknown, unless a variant says so.
///
/// ```no_run
/// # extern crate cached_orm_protocol as cached_orm;
/// # async fn example(store: &dyn cached_orm::CacheStore, key: cached_orm::CacheKey) {
/// use cached_orm::CacheError;
///
/// match store.get(&key, None).await {
///     Err(CacheError::Down { server, .. }) => println!("{server} is down"),
///     answer => println!("{answer:?}"),
/// }
/// # }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// No answer in time.
    #[error("memcached {server} did not answer within {after:?}")]
    TimedOut {
        /// The server's address as it was configured.
        server: Arc<str>,
        /// The timeout of a command.
        after: Duration,
    },
    /// The server is known to be unreachable, and is being redialled in the
    /// background. The command was not sent.
    #[error("memcached {server} is down: {reason}")]
    Down {
        /// The server's address as it was configured.
        server: Arc<str>,
        /// What went wrong last.
        reason: Arc<str>,
    },
    /// The connection broke.
    #[error("the connection to memcached {server} broke: {source}")]
    Disconnected {
        /// The server's address as it was configured.
        server: Arc<str>,
        /// The operating system's error.
        source: Arc<io::Error>,
    },
    /// The server's answer was not one that its protocol has.
    #[error("memcached {server} gave an unexpected answer: {message}")]
    Protocol {
        /// The server's address as it was configured.
        server: Arc<str>,
        /// What was unexpected.
        message: Arc<str>,
    },
    /// The server answered with an error of its own, such as "out of memory".
    #[error("memcached {server} refused a command: {message}")]
    Refused {
        /// The server's address as it was configured.
        server: Arc<str>,
        /// The server's words.
        message: Arc<str>,
    },
    /// Too many commands are waiting for the server. The command was not sent.
    #[error("too many commands are waiting for memcached {server}")]
    Overloaded {
        /// The server's address as it was configured.
        server: Arc<str>,
    },
    /// Fences took so long to place, again and again, that COMMIT could not be
    /// sent in time after them.
    #[error("the cache did not take fences within the commit window of {window:?}")]
    TooSlow {
        /// The commit window.
        window: Duration,
    },
    /// Keys are to be put into the outbox with every write
    /// (`Outbox::Always`), and that failed.
    #[error("the keys could not be put into the outbox; is it installed?")]
    NotEnlisted,
    /// The cache answered, but would not store or delete the item.
    #[error("the cache did not carry out a command")]
    NotStored,
    /// The store was closed. The command was not sent.
    #[error("the cache store is closed")]
    Closed,
    /// A store of the user's own failed.
    #[error("the cache store failed: {0}")]
    Store(#[source] Arc<dyn std::error::Error + Send + Sync>),
}
