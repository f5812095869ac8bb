use super::{
    command::{Caller, Command},
    request::Request,
};
use crate::{
    cache::{CacheError, Cas, Lookup},
    key::CacheKey,
};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// What is said of one key.
pub(super) type Answer = Result<Lookup, CacheError>;

/// Several reads that wait for their connection as one, and are answered as one.
#[derive(Debug)]
pub(super) struct Gets {
    pub(super) keys: Vec<CacheKey>,
    /// In seconds.
    pub(super) lease: Option<u32>,
    pub(super) caller: oneshot::Sender<Vec<Answer>>,
}

impl Gets {
    pub(super) fn fail(self, error: &CacheError) {
        // A caller that has gone away need not be told.
        drop(self.caller.send(vec![Err(error.clone()); self.keys.len()]));
    }

    /// The reads one by one.
    pub(super) fn into_commands(self) -> impl Iterator<Item = (CacheKey, Command)> {
        let Self { keys, lease, caller } = self;
        let gathering = Arc::new(Mutex::new(Gathering {
            answers: vec![None; keys.len()],
            missing: keys.len(),
            leases: Vec::new(),
            caller: Some(caller),
        }));
        keys.into_iter().enumerate().map(move |(index, key)| {
            let part = Part { gathering: Arc::clone(&gathering), index };
            (key, Command::Get { lease, asker: Asker::Batch(part) })
        })
    }
}

/// Who asked for a lookup.
#[derive(Debug)]
pub(super) enum Asker {
    One(Caller<Lookup>),
    Batch(Part),
}

impl Asker {
    /// Whether nobody waits for the answer any more.
    pub(super) fn is_gone(&self) -> bool {
        match self {
            Self::One(caller) => caller.is_closed(),
            Self::Batch(part) => part.is_gone(),
        }
    }

    /// Gives the answer. If the caller has gone away with leases, returns the
    /// requests that give them back: for as long as they last nobody else fills
    /// their keys.
    pub(super) fn answer(self, key: CacheKey, answer: Answer) -> Vec<Request> {
        match self {
            Self::One(caller) => match caller.send(answer) {
                Err(Ok(Lookup::Lease(cas))) => vec![Request::give_back(key, cas)],
                _ => Vec::new(),
            },
            Self::Batch(part) => part.answer(key, answer),
        }
    }
}

/// One of several reads.
#[derive(Debug)]
pub(super) struct Part {
    // All parts are answered by one task, so nobody waits for the lock.
    gathering: Arc<Mutex<Gathering>>,
    index: usize,
}

/// The answers so far.
#[derive(Debug)]
struct Gathering {
    answers: Vec<Option<Answer>>,
    missing: usize,
    /// What was won on the way.
    leases: Vec<(CacheKey, Cas)>,
    caller: Option<oneshot::Sender<Vec<Answer>>>,
}

impl Part {
    fn is_gone(&self) -> bool {
        let gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
        gathering.caller.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    /// The last answer sends them all.
    fn answer(self, key: CacheKey, answer: Answer) -> Vec<Request> {
        let mut gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(Lookup::Lease(cas)) = &answer {
            gathering.leases.push((key, *cas));
        }
        gathering.answers[self.index] = Some(answer);
        gathering.missing -= 1;
        if gathering.missing > 0 {
            return Vec::new();
        }
        let answers = std::mem::take(&mut gathering.answers).into_iter().flatten().collect();
        let sent = gathering.caller.take().map(|caller| caller.send(answers));
        if sent.is_some_and(|sent| sent.is_ok()) {
            return Vec::new();
        }
        let leases = gathering.leases.drain(..);
        leases.map(|(key, cas)| Request::give_back(key, cas)).collect()
    }
}
