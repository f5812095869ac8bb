//! The runtime of `cached-orm`.

mod builder;
mod cache;
mod cache_url;
mod coherence;
mod entity;
mod entry;
mod error;
mod key;
mod memcached_orm;
mod observe;
mod orm;
mod policy;
mod read;
mod session;
mod sql;
mod transaction;
mod write;

pub use builder::{OnUnreachable, OrmBuilder};
pub use cache::{CacheError, CacheStore, Cas, Deleted, Incarnation, Lookup, Replaced, StoreFuture};
pub use entity::{Cacheable, Entity, Persist};
pub use error::{Error, Operation, Result};
pub use key::{CacheKey, KeyPart, PartWriter, PrimaryKey};
pub use memcached_orm::MemcachedOrm;
pub use observe::Statistics;
pub use orm::Orm;
pub use policy::{CachePolicy, SetOptions};
pub use session::Session;
#[cfg(feature = "json")]
pub use sql::JsonBackend;
pub use sql::{Backend, BindKey, Bindings, Column, Row, Storable};
pub use transaction::{Committed, Isolation, Savepoint, Transaction};

pub use sqlx;
#[cfg(feature = "mysql")]
pub use sqlx::MySql;
#[cfg(feature = "postgres")]
pub use sqlx::Postgres;
#[cfg(feature = "sqlite")]
pub use sqlx::Sqlite;
#[cfg(feature = "json")]
pub use sqlx::types::Json;
