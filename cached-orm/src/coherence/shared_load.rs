use super::{Coherence, Content, Source};
use crate::key::CacheKey;
use bytes::Bytes;
use std::{
    any::{Any, TypeId},
    collections::{HashMap, hash_map::Entry as Slot},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::oneshot;

type LoadId = (CacheKey, TypeId);

/// Loads that fill nothing, at most one at a time for each key.
///
/// A read may use a load only if the load began after the read did. So who
/// comes while one is under way waits for the next, which serves all who wait.
#[derive(Debug, Default)]
pub(super) struct SharedLoads(Mutex<HashMap<LoadId, Waiting>>);

/// A load is under way; these want the next.
type Waiting = Vec<Box<dyn Any + Send>>;

type Waiter<S> = oneshot::Sender<Outcome<S>>;

/// What a load gives to one who waited for it.
enum Outcome<S: Source> {
    /// The row itself, for the first.
    Row(Option<S::Row>),
    /// The row's entry, for the others.
    Entry(Bytes),
    Failed(S::Error),
    /// The row cannot be copied; ask for yourself.
    NotShared,
}

impl Coherence {
    /// Loads the row and stores nothing.
    pub(super) async fn load_shared<S: Source>(
        self: &Arc<Self>,
        source: S,
    ) -> Result<Option<S::Row>, S::Error> {
        let (sender, receiver) = oneshot::channel::<Outcome<S>>();
        let id = (source.key().clone(), TypeId::of::<S>());
        let starts = {
            let mut loads = self.shared_loads.0.lock().unwrap_or_else(PoisonError::into_inner);
            match loads.entry(id.clone()) {
                Slot::Vacant(slot) => {
                    slot.insert(Waiting::new());
                    Some(sender)
                }
                Slot::Occupied(mut slot) => {
                    slot.get_mut().push(Box::new(sender));
                    None
                }
            }
        };
        if let Some(sender) = starts {
            let running = Running { coherence: Arc::clone(self), id, listed: true };
            tokio::spawn(running.run(source.clone(), vec![sender]));
        }
        match receiver.await {
            Ok(Outcome::Row(row)) => Ok(row),
            Ok(Outcome::Failed(error)) => Err(error),
            Ok(Outcome::Entry(value)) => match source.decode(&value) {
                Content::Row(row) => {
                    self.counters.coalesced.add_one();
                    Ok(Some(row))
                }
                Content::Absent => {
                    self.counters.coalesced.add_one();
                    Ok(None)
                }
                Content::Unreadable(_) => self.load(&source).await,
            },
            Ok(Outcome::NotShared) => self.load(&source).await,
            Err(_) => Err(source.abandoned()),
        }
    }
}

/// The task that loads one key until nobody wants it any more.
struct Running {
    coherence: Arc<Coherence>,
    id: LoadId,
    /// Whether the load is in the map, to be taken out however the task ends.
    listed: bool,
}

impl Running {
    async fn run<S: Source>(mut self, source: S, mut waiters: Vec<Waiter<S>>) {
        while !waiters.is_empty() {
            let loaded = self.coherence.load(&source).await;
            deliver(&source, loaded, waiters);
            waiters = self.next();
        }
    }

    /// Those who came while the load was under way. If there are none the load
    /// is over, in the same step, so that nobody can be forgotten.
    fn next<S: Source>(&mut self) -> Vec<Waiter<S>> {
        let mut loads =
            self.coherence.shared_loads.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = loads.get_mut(&self.id).map(std::mem::take).unwrap_or_default();
        let waiters: Vec<Waiter<S>> = waiting
            .into_iter()
            .filter_map(|waiter| waiter.downcast::<Waiter<S>>().ok())
            .map(|waiter| *waiter)
            .filter(|waiter| !waiter.is_closed())
            .collect();
        if waiters.is_empty() {
            loads.remove(&self.id);
            self.listed = false;
        }
        waiters
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.listed {
            let loads = &self.coherence.shared_loads.0;
            loads.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        }
    }
}

fn deliver<S: Source>(
    source: &S,
    loaded: Result<Option<S::Row>, S::Error>,
    waiters: Vec<Waiter<S>>,
) {
    let mut waiters = waiters.into_iter();
    let Some(first) = waiters.next() else { return };
    // A waiter that went away takes nothing, hence the ignored results.
    match loaded {
        Ok(Some(row)) => {
            if waiters.len() > 0 {
                let entry = source.encode(Some(&row));
                for waiter in waiters {
                    let _ = waiter.send(match &entry {
                        Some(entry) => Outcome::Entry(entry.value.clone()),
                        None => Outcome::NotShared,
                    });
                }
            }
            let _ = first.send(Outcome::Row(Some(row)));
        }
        Ok(None) => {
            for waiter in waiters.chain([first]) {
                let _ = waiter.send(Outcome::Row(None));
            }
        }
        Err(error) => {
            for waiter in waiters.chain([first]) {
                let _ = waiter.send(Outcome::Failed(error.clone()));
            }
        }
    }
}
