use super::{Coherence, Content, Event, Source};
use crate::key::CacheKey;
use bytes::Bytes;
use std::{
    any::{Any, TypeId},
    collections::{HashMap, hash_map::Entry as Slot},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{sync::oneshot, time::Instant};
use tracing::Instrument as _;

type LoadId = (CacheKey, TypeId);

/// Loads that fill nothing, at most one at a time for each key.
///
/// A read may use a load only if the load began after the read did. Who began to
/// read before it, and has waited for another process's fill meanwhile, joins the
/// one under way; who comes later waits for the next, which serves all who wait.
///
/// A load that takes longer than a lease lasts counts as hung, and is left to
/// itself: its connection may be dead, and the next has another.
#[derive(Default)]
pub(super) struct SharedLoads(Mutex<HashMap<LoadId, UnderWay>>);

/// The load of a key that is under way.
struct UnderWay {
    began: Instant,
    /// Tells it from every other load, such as one that has been left to itself
    /// or one of the same key that is just over.
    number: u64,
    /// Those whom it serves as well.
    joined: Vec<Box<dyn Any + Send>>,
    /// Those who want the next one.
    waiting: Vec<Box<dyn Any + Send>>,
}

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
    /// Loads the row and stores nothing, for a read that begins now.
    pub(super) async fn load_shared<S: Source>(
        self: &Arc<Self>,
        source: S,
    ) -> Result<Option<S::Row>, S::Error> {
        self.load_shared_since(source, Instant::now()).await
    }

    /// The same for a read that began before `since`.
    pub(super) async fn load_shared_since<S: Source>(
        self: &Arc<Self>,
        source: S,
        since: Instant,
    ) -> Result<Option<S::Row>, S::Error> {
        let (sender, receiver) = oneshot::channel::<Outcome<S>>();
        let id = (source.key().clone(), TypeId::of::<S>());
        if let Some((number, mut waiters)) = self.starts_load::<S>(&id, since, sender) {
            waiters.retain(|waiter| !waiter.is_closed());
            let running = Running { coherence: Arc::clone(self), id, number };
            tokio::spawn(running.run(source.clone(), waiters).in_current_span());
        }
        match receiver.await {
            Ok(Outcome::Row(row)) => Ok(row),
            Ok(Outcome::Failed(error)) => Err(error),
            Ok(Outcome::Entry(value)) => match source.decode(&value) {
                Content::Row(row) => {
                    self.count(&source, Event::Coalesced);
                    Ok(Some(row))
                }
                Content::Absent => {
                    self.count(&source, Event::Coalesced);
                    Ok(None)
                }
                Content::Unreadable(_) => Ok(self.load(&source).await?.map(S::row)),
            },
            Ok(Outcome::NotShared) => Ok(self.load(&source).await?.map(S::row)),
            Err(_) => Err(source.abandoned()),
        }
    }

    /// Joins the load of the key, or queues for the next. If the caller is to start
    /// it, returns its number and whom it serves.
    fn starts_load<S: Source>(
        &self,
        id: &LoadId,
        since: Instant,
        sender: Waiter<S>,
    ) -> Option<(u64, Vec<Waiter<S>>)> {
        let mut loads = self.shared_loads.lock();
        let now = Instant::now();
        match loads.entry(id.clone()) {
            Slot::Vacant(slot) => {
                let number = new_number();
                let (joined, waiting) = (Vec::new(), Vec::new());
                slot.insert(UnderWay { began: now, number, joined, waiting });
                Some((number, vec![sender]))
            }
            Slot::Occupied(mut slot) => {
                let load = slot.get_mut();
                let is_hung = now.duration_since(load.began) >= self.times.lease_ttl;
                // Of the same instant it cannot be told which was first.
                if since < load.began && !is_hung {
                    load.joined.push(Box::new(sender));
                    return None;
                }
                load.waiting.push(Box::new(sender));
                is_hung.then(|| {
                    load.number = new_number();
                    load.began = now;
                    load.waiting.append(&mut load.joined);
                    (load.number, take(&mut load.waiting))
                })
            }
        }
    }
}

fn new_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn take<S: Source>(waiters: &mut Vec<Box<dyn Any + Send>>) -> Vec<Waiter<S>> {
    let waiters = std::mem::take(waiters).into_iter();
    waiters.filter_map(|waiter| waiter.downcast().ok()).map(|waiter| *waiter).collect()
}

impl SharedLoads {
    fn lock(&self) -> MutexGuard<'_, HashMap<LoadId, UnderWay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that loads one key until nobody wants it any more.
struct Running {
    coherence: Arc<Coherence>,
    id: LoadId,
    number: u64,
}

impl Running {
    async fn run<S: Source>(self, source: S, mut waiters: Vec<Waiter<S>>) {
        while !waiters.is_empty() {
            let loaded = self.coherence.load(&source).await;
            waiters.append(&mut self.joined());
            deliver(&source, loaded, waiters);
            waiters = self.next();
        }
    }

    /// Those who joined the load.
    fn joined<S: Source>(&self) -> Vec<Waiter<S>> {
        let mut loads = self.coherence.shared_loads.lock();
        let load = loads.get_mut(&self.id).filter(|load| load.number == self.number);
        load.map(|load| take(&mut load.joined)).unwrap_or_default()
    }

    /// Those who came while the load was under way. If there are none the load
    /// is over, in the same step, so that nobody can be forgotten.
    fn next<S: Source>(&self) -> Vec<Waiter<S>> {
        let mut loads = self.coherence.shared_loads.lock();
        let Some(load) = loads.get_mut(&self.id).filter(|load| load.number == self.number) else {
            return Vec::new();
        };
        // Whoever joined since the last was delivered is served by the next as well.
        load.waiting.append(&mut load.joined);
        let mut waiters = take::<S>(&mut load.waiting);
        waiters.retain(|waiter| !waiter.is_closed());
        if waiters.is_empty() {
            loads.remove(&self.id);
        } else {
            load.began = Instant::now();
        }
        waiters
    }
}

/// Takes the load out of the map if its task has ended early.
impl Drop for Running {
    fn drop(&mut self) {
        let mut loads = self.coherence.shared_loads.lock();
        if loads.get(&self.id).is_some_and(|load| load.number == self.number) {
            loads.remove(&self.id);
        }
    }
}

fn deliver<S: Source>(
    source: &S,
    loaded: Result<Option<S::Loaded>, S::Error>,
    waiters: Vec<Waiter<S>>,
) {
    let mut waiters = waiters.into_iter();
    let Some(first) = waiters.next() else { return };
    // A waiter that went away takes nothing, hence the ignored results.
    match loaded {
        Ok(Some(loaded)) => {
            if waiters.len() > 0 {
                let entry = source.encode(Some(&loaded));
                for waiter in waiters {
                    let _ = waiter.send(match &entry {
                        Some(entry) => Outcome::Entry(entry.value.clone()),
                        None => Outcome::NotShared,
                    });
                }
            }
            let _ = first.send(Outcome::Row(Some(S::row(loaded))));
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
