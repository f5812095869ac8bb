#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod also_fenced;
mod builder;
mod cache_url;
mod entity;
mod entry;
mod error;
mod freshness;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod inspect;
mod memcached_orm;
mod named_table;
mod observe;
mod orm;
mod outbox;
mod patch;
mod pending;
mod policy;
mod pooled;
mod primary_key;
mod probe;
mod read;
mod schema;
mod session;
mod sql;
mod transaction;
mod triggers;
mod uncached;
mod write;

// Under the names that it had here: most of what is written above it names the protocol.
use cached_orm_protocol::{cache, coherence, key, steps};

pub use builder::OrmBuilder;
#[doc(inline)]
pub use cached_orm_protocol::{
    CacheError, CacheKey, CacheStore, Cas, Deleted, Incarnation, Lookup, Over, Replaced,
    ServerReports, ServerStatus, StoreBatch, StoreFuture,
};
pub use entity::{Cacheable, Entity, GivenKey, Persist, Table};
pub use error::{Error, Operation, Result};
pub use freshness::Freshness;
pub use index::{Index, IndexColumn, IndexPart, IndexValue};
pub use inspect::{
    Age, Audit, AuditOptions, CacheContent, DatabaseStatus, Disagreement, Explanation, InDatabase,
    NearCopy, OtherTriggers, OutboxStatus, RowKeys, Status, TableAudit, Verdict,
};
pub use memcached_orm::MemcachedOrm;
pub use named_table::NamedTable;
pub use observe::Statistics;
pub use orm::{LoadStatus, Orm};
pub use outbox::{Drained, OnUnreachable, Outbox};
pub use patch::Patch;
pub use pending::{Fenced, Pending};
pub use policy::{CachePolicy, SetOptions};
pub use primary_key::{KeyKind, KeyPart, PartWriter, PrimaryKey};
pub use read::Warmed;
pub use schema::{Accepted, Finding, SchemaReport, Severity};
#[cfg(feature = "mysql")]
pub use session::MySqlSession;
#[cfg(feature = "postgres")]
pub use session::PgSession;
pub use session::Session;
#[cfg(feature = "sqlite")]
pub use session::SqliteSession;
#[cfg(feature = "json")]
pub use sql::JsonBackend;
#[doc(hidden)]
pub use sql::OutboxTable;
pub use sql::{Backend, BindKey, Bindings, Column, ColumnCheck, Isolation, Row, Storable, Version};
pub use transaction::{Committed, Savepoint, Transaction};
pub use uncached::Uncached;

pub use cached_orm_derive::MemcachedOrm;
pub use sqlx;
#[cfg(feature = "mysql")]
pub use sqlx::MySql;
#[cfg(feature = "postgres")]
pub use sqlx::Postgres;
#[cfg(feature = "sqlite")]
pub use sqlx::Sqlite;
#[cfg(feature = "json")]
pub use sqlx::types::Json;

#[cfg(feature = "test-kit")]
pub mod test_kit;

/// Runs the examples of the guide.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../docs/coherence.md")]
    mod coherence {}
    #[doc = include_str!("../docs/deploying.md")]
    mod deploying {}
    #[doc = include_str!("../docs/first-steps.md")]
    mod first_steps {}
    #[doc = include_str!("../docs/indexes.md")]
    mod indexes {}
    #[doc = include_str!("../docs/keys.md")]
    mod keys {}
    #[doc = include_str!("../docs/lifetimes.md")]
    mod lifetimes {}
    #[doc = include_str!("../docs/limits.md")]
    mod limits {}
    #[doc = include_str!("../docs/methods.md")]
    mod methods {}
    #[doc = include_str!("../docs/mistakes.md")]
    mod mistakes {}
    #[doc = include_str!("../docs/moving.md")]
    mod moving {}
    #[cfg(all(feature = "embedded", feature = "metrics", feature = "sqlite"))]
    #[doc = include_str!("../docs/observability.md")]
    mod observability {}
    #[doc = include_str!("../docs/pgbouncer.md")]
    mod pgbouncer {}
    #[doc = include_str!("../docs/replicas.md")]
    mod replicas {}
    #[doc = include_str!("../docs/sizing-memcached.md")]
    mod sizing_memcached {}
    #[doc = include_str!("../docs/testing.md")]
    mod testing {}
    #[doc = include_str!("../docs/threat-model.md")]
    mod threat_model {}
    #[doc = include_str!("../docs/transactions.md")]
    mod transactions {}
    #[doc = include_str!("../docs/troubleshooting.md")]
    mod troubleshooting {}
    #[doc = include_str!("../docs/types.md")]
    mod types {}
    #[doc = include_str!("../docs/verify.md")]
    mod verify {}
    #[doc = include_str!("../docs/when-not-to-cache.md")]
    mod when_not_to_cache {}
    #[doc = include_str!("../docs/writes-by-others.md")]
    mod writes_by_others {}
}

/// What the derive's output names. Not for others: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        also_fenced::also_fenced,
        entity::{near_copy, skipped},
        read::{IndexKey, fetch_by_index, fetch_by_unique, fetch_many_by_unique},
        uncached::UncachedField,
        *,
    };
    pub use core::{
        clone::Clone,
        convert::Into,
        future::Future,
        iter::IntoIterator,
        marker::Send,
        mem::swap,
        option::Option::{self, None, Some},
        primitive::bool,
        result::Result::Ok,
        time::Duration,
    };
    pub use std::{string::String, vec, vec::Vec};
}
