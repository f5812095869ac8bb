use super::{
    Coherence, Content, Source, TARGET,
    count::{Event, Meter},
    ended_early,
    near::Ticket,
};
use crate::{
    cache::{Cas, Replaced},
    key::CacheKey,
    steps::Step,
};
use bytes::Bytes;
use futures_util::FutureExt as _;
use std::{
    any::TypeId,
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::watch, time::timeout};
use tracing::Instrument as _;

/// Whether a fill was stored.
pub(crate) type Filled = bool;

/// What a fill is stored over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Over {
    /// A lease, which is given back if there is nothing to store.
    Lease(Cas),
    /// An item that was seen. Should the load fail, it stays.
    Item(Cas),
}

/// Where one fill stands.
#[derive(Clone)]
pub(super) enum Stage {
    /// The database is being asked.
    Loading,
    /// The fill may have been sent. Who comes now must not join: a write can be
    /// acknowledged between the storing and the reply to it.
    Storing,
    /// Stored. Good for everyone who joined while it was loading.
    Stored(Bytes),
    /// Over, with nothing stored.
    NotStored,
}

/// What became of an attempt to join a fill of this process.
pub(super) enum Joined<R> {
    /// The fill's row.
    Answer(Option<R>),
    /// The fill ended, and stored nothing.
    NotStored,
    /// The fill had been sent already; it is over now.
    TooLate,
    /// This process is not filling that key.
    Nothing,
}

type FillId = (CacheKey, TypeId);

/// The fills of this process that are under way.
#[derive(Default)]
pub(super) struct Fills(Mutex<HashMap<FillId, watch::Receiver<Stage>>>);

impl Fills {
    fn begin(&self, id: FillId) -> watch::Sender<Stage> {
        let (sender, receiver) = watch::channel(Stage::Loading);
        // A fill that lost its lease may still be under way: readers then join
        // the newer one, and it ends by itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, receiver);
        sender
    }

    fn get(&self, id: &FillId) -> Option<watch::Receiver<Stage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn end(&self, id: &FillId, sender: &watch::Sender<Stage>) {
        let mut fills = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if fills.get(id).is_some_and(|receiver| receiver.same_channel(&sender.subscribe())) {
            fills.remove(id);
        }
    }
}

/// A fill that is under way. Dropped, it is taken out of the map, however its task
/// ends.
pub(super) struct Ending<'f> {
    fills: &'f Fills,
    id: FillId,
    sender: watch::Sender<Stage>,
}

impl Ending<'_> {
    /// Tells those who joined.
    pub(super) fn reached(&self, stage: Stage) {
        self.sender.send_replace(stage);
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.fills.end(&self.id, &self.sender);
    }
}

impl Coherence {
    /// Loads the row and stores it over what the caller has seen or leased before;
    /// says whether it was stored. `ticket` is from before that; what is stored is
    /// kept in this process by it.
    ///
    /// The work is done by a task of its own, so that a caller who goes away
    /// does not fail those who joined.
    pub(super) async fn fill<S: Source>(
        self: &Arc<Self>,
        source: S,
        over: Over,
        ticket: Option<Ticket>,
    ) -> Result<(Option<S::Row>, Filled), S::Error> {
        let coherence = Arc::clone(self);
        let id = (source.key().clone(), TypeId::of::<S>());
        let sender = self.fills.begin(id.clone());
        let source_of_fill = source.clone();
        let filling = async move {
            let ending = Ending { fills: &coherence.fills, id, sender };
            let may_store = source_of_fill.may_store();
            let loaded = coherence.load(&source_of_fill).await;
            ending.reached(Stage::Storing);
            let row = loaded.as_ref().ok();
            let stored = coherence.store_loaded(&source_of_fill, row, may_store, over).await;
            if let Some(value) = &stored {
                coherence.near.keep(&source_of_fill, value, ticket);
            }
            coherence.steps.reach(Step::Filled).await;
            let filled = stored.is_some();
            ending.reached(stored.map_or(Stage::NotStored, Stage::Stored));
            loaded.map(|loaded| (loaded.map(S::row), filled))
        };
        let task = tokio::spawn(filling.in_current_span());
        task.await.unwrap_or_else(|ended| Err(ended_early(&ended, &source)))
    }

    /// Notes that the caller's task is filling the key.
    pub(super) fn begin_fill<S: Source>(&self, source: &S) -> Ending<'_> {
        let id = (source.key().clone(), TypeId::of::<S>());
        let sender = self.fills.begin(id.clone());
        Ending { fills: &self.fills, id, sender }
    }

    /// Whether this process is filling the key.
    pub(super) fn is_filling<S: Source>(&self, source: &S) -> bool {
        self.fills.get(&(source.key().clone(), TypeId::of::<S>())).is_some()
    }

    /// Loads, and counts it. A panic of the code that loads is an error of the load, so
    /// that it costs no lease, and whoever waits is told the truth.
    pub(super) async fn load<S: Source>(&self, source: &S) -> Result<Option<S::Loaded>, S::Error> {
        self.count(source, Event::Load);
        tracing::debug!(target: TARGET, key = source.key().as_str(), "a row is loaded");
        self.steps.reach(Step::Loading).await;
        let started = source.meter().and_then(Meter::start);
        // Boxed: rustc gives up on futures that are too deep, and this one is inside of the
        // program's.
        let loaded = AssertUnwindSafe(source.load().boxed()).catch_unwind().await;
        let loaded = loaded.unwrap_or_else(|_| Err(source.panicked()));
        if let Some(meter) = source.meter() {
            meter.loaded(started);
        }
        self.steps.reach(Step::Loaded).await;
        if loaded.is_err() {
            self.count(source, Event::LoadError);
        }
        loaded
    }

    /// Stores what was loaded, if it is to be stored; returns it if that is
    /// confirmed. Else gives the lease back, or takes the old item away, unless the
    /// load has failed. `may_store` is from before the load.
    pub(super) async fn store_loaded<S: Source>(
        &self,
        source: &S,
        loaded: Option<&Option<S::Loaded>>,
        may_store: bool,
        over: Over,
    ) -> Option<Bytes> {
        let key = source.key();
        let cas = match (over, loaded) {
            (Over::Item(_), None) => return None,
            (Over::Lease(cas) | Over::Item(cas), _) => cas,
        };
        if let Some(entry) =
            loaded.filter(|_| may_store).and_then(|row| source.encode(row.as_ref()))
        {
            match self.store.replace(key, entry.value.clone(), entry.ttl, cas).await {
                Ok(Replaced::Stored(_)) => {
                    self.count(source, Event::Fill);
                    return Some(entry.value);
                }
                Ok(Replaced::TooLarge) => self.count(source, Event::TooLarge),
                Ok(Replaced::Exists | Replaced::NotFound | Replaced::OtherIncarnation) => {
                    self.count(source, Event::FillRefused);
                    return None;
                }
                Err(error) => {
                    self.failed(error);
                    return None;
                }
            }
        }
        if let Err(error) = self.store.delete(key, cas).await {
            self.failed(error);
        }
        None
    }

    /// Waits for this process's fill of the key, and takes its row if it was
    /// still loading when the caller, who began earlier, came.
    pub(super) async fn join_fill<S: Source>(&self, source: &S) -> Joined<S::Row> {
        let Some(mut stage) = self.fills.get(&(source.key().clone(), TypeId::of::<S>())) else {
            return Joined::Nothing;
        };
        let in_time = matches!(*stage.borrow_and_update(), Stage::Loading);
        let last = stage.wait_for(|stage| matches!(stage, Stage::Stored(_) | Stage::NotStored));
        // A load that hangs must not hold up those who could do without it.
        let last = match timeout(self.times.lease_ttl, last).await {
            Ok(Ok(last)) => last.clone(),
            Ok(Err(_)) | Err(_) => return Joined::NotStored,
        };
        match last {
            Stage::Stored(value) if in_time => match source.decode(&value) {
                Content::Row(row) => Joined::Answer(Some(row)),
                Content::Absent => Joined::Answer(None),
                Content::Unreadable(_) => Joined::NotStored,
            },
            Stage::Stored(_) => Joined::TooLate,
            Stage::Loading | Stage::Storing | Stage::NotStored => Joined::NotStored,
        }
    }
}
