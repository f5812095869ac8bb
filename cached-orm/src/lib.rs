//! The runtime of `cached-orm`.
pub mod cache;
pub mod key;
