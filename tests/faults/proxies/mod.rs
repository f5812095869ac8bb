//! What stands between the library and its servers, and misbehaves on demand.

mod cache;
mod database;
mod frames;

pub(crate) use cache::{CacheProxy, Disturbance};
pub(crate) use database::{CommitCut, DatabaseProxy};
