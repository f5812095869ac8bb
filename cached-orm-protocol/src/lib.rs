#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod cache;
pub mod coherence;
#[cfg(any(fuzzing, test, feature = "testing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod key;
pub mod steps;

#[doc(inline)]
pub use cache::{
    CacheError, CacheStore, Cas, Deleted, Incarnation, Lookup, Over, Replaced, ServerReports,
    ServerStatus, StoreBatch, StoreFuture,
};
#[doc(inline)]
pub use key::CacheKey;
