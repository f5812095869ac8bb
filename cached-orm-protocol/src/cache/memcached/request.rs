use super::{command::Command, gets::Gets};
use crate::{
    cache::{CacheError, Cas},
    key::CacheKey,
};
use tokio::time::Instant;

/// What waits for a connection.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) work: Work,
    /// When the caller began to wait.
    pub(super) queued: Instant,
}

#[derive(Debug)]
pub(super) enum Work {
    One { key: CacheKey, command: Command },
    Gets(Gets),
}

impl Request {
    pub(super) fn new(key: CacheKey, command: Command) -> Self {
        Self { work: Work::One { key, command }, queued: Instant::now() }
    }

    pub(super) fn gets(gets: Gets) -> Self {
        Self { work: Work::Gets(gets), queued: Instant::now() }
    }

    /// Gives back a lease that nobody waits for.
    pub(super) fn give_back(key: CacheKey, lease: Cas) -> Self {
        Self::new(key, Command::Delete { over: lease, caller: None })
    }

    /// How many commands it is on the connection.
    pub(super) fn commands(&self) -> usize {
        match &self.work {
            Work::One { .. } => 1,
            Work::Gets(gets) => gets.keys.len(),
        }
    }

    /// The key that chooses the lane.
    pub(super) fn first_key(&self) -> Option<&CacheKey> {
        match &self.work {
            Work::One { key, .. } => Some(key),
            Work::Gets(gets) => gets.keys.first(),
        }
    }

    pub(super) fn value_len(&self) -> usize {
        match &self.work {
            Work::One { command, .. } => command.value_len(),
            Work::Gets(_) => 0,
        }
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        match &self.work {
            Work::One { command, .. } => command.is_abandoned(),
            Work::Gets(gets) => gets.caller.is_closed(),
        }
    }

    /// Answers without having asked.
    pub(super) fn fail(self, error: CacheError) {
        match self.work {
            // It was not sent, and so has won nothing.
            Work::One { key, command } => drop(command.fail(key, error)),
            Work::Gets(gets) => gets.fail(&error),
        }
    }
}
