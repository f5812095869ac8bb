//! How long a write waits for the cache, and what it tries again meanwhile.
//!
//! A command that was not answered may have been carried out, and may be carried
//! out yet. Each step of a write can be taken again all the same. What is stored or
//! deleted by a CAS token is so once at most. A fence that is put again is another
//! one, so that the first, should it come when the rows are not locked any more, is
//! nobody's: it is left to expire. A token in a shared fence lies beside the others'.

use super::Coherence;
use crate::{cache::CacheError, key::CacheKey};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(5);

impl Coherence {
    /// Takes one step of a write, and takes it again while connections break, for as
    /// long as a write may wait.
    pub(super) async fn persist<T, F>(
        &self,
        key: &CacheKey,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, CacheError>
    where
        F: Future<Output = Result<T, CacheError>>,
    {
        let deadline = Instant::now() + self.times.write_timeout;
        let mut failure = None;
        loop {
            match timeout_at(deadline, attempt()).await {
                Ok(Err(error)) if may_pass(&error) && Instant::now() < deadline => {
                    failure = Some(error);
                }
                Ok(outcome) => return outcome,
                Err(_) => return Err(failure.unwrap_or_else(|| self.unanswered(key))),
            }
            sleep_until(deadline.min(Instant::now() + PAUSE)).await;
        }
    }

    fn unanswered(&self, key: &CacheKey) -> CacheError {
        let after = self.times.write_timeout;
        match self.store.server_name(key) {
            Some(server) => CacheError::TimedOut { server, after },
            None => CacheError::Store(Arc::new(TimedOut(after))),
        }
    }
}

/// A store of the user's own has not answered.
#[derive(Debug, thiserror::Error)]
#[error("it did not answer within {0:?}")]
struct TimedOut(Duration);

/// Whether another attempt may go better: the connection broke, or was too busy.
/// One that was not answered in time has had its time.
fn may_pass(error: &CacheError) -> bool {
    matches!(
        error,
        CacheError::Disconnected { .. }
            | CacheError::Protocol { .. }
            | CacheError::Overloaded { .. }
    )
}
