//! Where a run takes place: servers, tables, working sets.

use crate::{memcached::Memcached, plan::Plan};
use benches::{Result, item::WorkingSet};
use std::path::PathBuf;

/// What workloads are given.
pub(crate) struct Stage {
    /// How much of everything.
    pub(crate) plan: Plan,
    /// `postgres://…`, with the table `items`, `cities` and `regions` filled.
    pub(crate) postgres: String,
    /// `mysql://…`, MariaDB, filled likewise.
    pub(crate) mysql: String,
    /// `sqlite://…`, a file, filled likewise.
    pub(crate) sqlite: String,
    /// A server of the run's own, past its hold-off.
    pub(crate) memcached: Memcached,
    /// What reads of hits ask for.
    pub(crate) set: WorkingSet,
    /// The repository.
    pub(crate) root: PathBuf,
    /// Deleted at the end.
    pub(crate) scratch: tempfile::TempDir,
}

impl Stage {
    /// `127.0.0.1:port` of the server.
    pub(crate) fn cache(&self) -> String {
        self.memcached.address()
    }
}

/// The value of an environment variable that `tests/servers` sets.
pub(crate) fn variable(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| format!("{name} is not set; run `tests/servers -- …`").into())
}
