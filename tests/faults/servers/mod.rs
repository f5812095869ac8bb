//! Servers of the harness's own, to stop, kill and start again.

mod database;
mod mariadb;
mod memcached;
mod postgres;
mod process;
mod programs;

pub(crate) use database::DatabaseServer;
pub(crate) use memcached::{Memcached, flood, flush, holds};
