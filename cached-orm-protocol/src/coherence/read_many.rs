use super::{
    COMMANDS_AT_ONCE, Coherence, Content, Source, Unreadable,
    count::{Event, Meter},
    ended_early,
    fill::{Ending, Joined, Over, Stage},
    near::Ticket,
};
use crate::{
    cache::{CacheError, Cas, Lookup},
    steps::Step,
};
use bytes::Bytes;
use futures_util::{FutureExt as _, future::join_all};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

/// A row of a batch, or that there is none, and where it comes from.
#[derive(Debug)]
pub struct Found<R> {
    /// The row, if there is one.
    pub row: Option<R>,
    /// Where that comes from.
    pub origin: Origin,
}

/// Where a row of a batch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The cache had it, or got it from another reader meanwhile.
    Cache,
    /// The database, and now the cache has it.
    Filled,
    /// The database, and it could not be stored.
    Database,
}

impl Coherence {
    /// What [`read`](Self::read) gives for each of `sources`, which are different
    /// and no more than [`Source::load_many`] takes; in their order.
    ///
    /// The cache is asked once for all of them. What it does not have is loaded at
    /// once, and stored at once.
    ///
    /// The work is done by a task of its own, so that a caller who goes away leaves
    /// no lease behind.
    pub async fn read_many<S: Source>(
        self: &Arc<Self>,
        sources: Vec<S>,
    ) -> Result<Vec<Found<S::Row>>, S::Error> {
        let Some(first) = sources.first().cloned() else { return Ok(Vec::new()) };
        let found: Vec<_> = sources.iter().map(|source| self.found_near(source)).collect();
        let batch = self.begin_batch(sources, found);
        if batch.found.iter().all(Option::is_some) {
            return Ok(batch.found.into_iter().flatten().collect());
        }
        let task = tokio::spawn(batch.read().in_current_span());
        task.await.unwrap_or_else(|ended| Err(ended_early(&ended, &first)))
    }

    /// Loads all of `sources` anew, since what [`read_many`](Self::read_many) gave for
    /// them has turned out to be of no use, and puts it in those entries' places.
    pub async fn reread_many<S: Source>(
        self: &Arc<Self>,
        sources: Vec<S>,
    ) -> Result<Vec<Found<S::Row>>, S::Error> {
        let Some(first) = sources.first().cloned() else { return Ok(Vec::new()) };
        sources.iter().for_each(|source| self.near.drop_copy(source.key()));
        let found = sources.iter().map(|_| None).collect();
        let task = tokio::spawn(self.begin_batch(sources, found).reread().in_current_span());
        task.await.unwrap_or_else(|ended| Err(ended_early(&ended, &first)))
    }

    fn begin_batch<S: Source>(
        self: &Arc<Self>,
        sources: Vec<S>,
        found: Vec<Option<Found<S::Row>>>,
    ) -> Batch<S> {
        if let Some(first) = sources.first() {
            self.count(first, Event::Batch);
            if let Some(meter) = first.meter() {
                meter.batch_of(sources.len());
            }
        }
        let tickets = vec![None; sources.len()];
        Batch { coherence: Arc::clone(self), sources, found, tickets }
    }

    fn found_near<S: Source>(&self, source: &S) -> Option<Found<S::Row>> {
        let row = self.read_near::<S>(source.key().as_str(), source.near_ttl())?;
        self.count(source, Event::NearHit);
        Some(Found { row, origin: Origin::Cache })
    }
}

/// The reads of one batch. They are told by their places in it.
struct Batch<S: Source> {
    coherence: Arc<Coherence>,
    sources: Vec<S>,
    found: Vec<Option<Found<S::Row>>>,
    /// From when the cache was last asked.
    tickets: Vec<Option<Ticket>>,
}

/// What is to be done about those that the cache did not answer.
#[derive(Default)]
struct Todo {
    /// Load, and store over what was seen or won.
    fill: Vec<(usize, Over)>,
    /// Load, and store nothing.
    load: Vec<usize>,
    /// Somebody is filling them.
    wait: Vec<usize>,
}

/// A value that begins like nothing of ours.
struct Foreign {
    place: usize,
    value: Bytes,
    cas: Cas,
}

impl<S: Source> Batch<S> {
    /// Counts for all of it: it is of one operation, and not empty.
    fn count(&self, event: Event, times: u64) {
        match self.sources.first() {
            Some(first) => self.coherence.count_some(first, event, times),
            None => self.coherence.meter.count(event, times),
        }
    }

    async fn read(mut self) -> Result<Vec<Found<S::Row>>, S::Error> {
        let mut asking: Vec<usize> =
            (0..self.sources.len()).filter(|&place| self.found[place].is_none()).collect();
        let mut give_up = None;
        while !asking.is_empty() {
            let mut todo = self.ask(&asking).await;
            let lease_wait = self.coherence.times.lease_wait;
            if Instant::now() >= *give_up.get_or_insert_with(|| Instant::now() + lease_wait) {
                self.count(Event::Miss, todo.wait.len() as u64);
                todo.load.append(&mut todo.wait);
            }
            // Before waiting for others: they may be waiting for these.
            self.load_and_fill(todo.fill, todo.load).await?;
            asking = self.await_others(todo.wait).await?;
        }
        // Each was answered, or it would be asked for still.
        Ok(self.found.into_iter().flatten().collect())
    }

    /// As [`Coherence::reread`], for all of them at once.
    async fn reread(mut self) -> Result<Vec<Found<S::Row>>, S::Error> {
        let places: Vec<_> = (0..self.sources.len()).collect();
        let (mut fill, mut load) = (Vec::new(), Vec::new());
        for (place, answer) in self.get(&places).await {
            match answer {
                Some(Ok(Lookup::Lease(cas))) => fill.push((place, Over::Lease(cas))),
                Some(Ok(Lookup::Item { value, cas, stale, .. })) => {
                    match self.content(place, &value, stale, None) {
                        // What may be a fence is not replaced.
                        None
                        | Some(Content::Unreadable(Unreadable::Format | Unreadable::Foreign)) => {
                            load.push(place);
                        }
                        Some(_) => fill.push((place, Over::Item(cas))),
                    }
                }
                Some(Ok(Lookup::Leased(_) | Lookup::Miss)) | None => load.push(place),
                Some(Err(error)) => {
                    self.coherence.failed(error);
                    load.push(place);
                }
            }
        }
        self.load_and_fill(fill, load).await?;
        Ok(self.found.into_iter().flatten().collect())
    }

    /// What the cache says of the sources at these places; nothing of those that it
    /// does not answer.
    async fn get(&mut self, places: &[usize]) -> Vec<(usize, Option<Result<Lookup, CacheError>>)> {
        let coherence = Arc::clone(&self.coherence);
        for &place in places {
            let source = &self.sources[place];
            self.tickets[place] = coherence.near.ticket(source.key(), source.near_ttl());
        }
        let keys: Vec<_> = places.iter().map(|&place| self.sources[place].key().clone()).collect();
        let answers = coherence.store.get_many(&keys, Some(coherence.times.lease_ttl)).await;
        let answers = answers.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        places.iter().copied().zip(answers).collect()
    }

    fn answer(&mut self, place: usize, row: Option<S::Row>, origin: Origin) {
        self.found[place] = Some(Found { row, origin });
    }

    /// As [`Coherence::content`]. If a type's code panics there, the leases that were won
    /// with the same batch must not be lost for it.
    fn content(
        &self,
        place: usize,
        value: &Bytes,
        stale: bool,
        ttl: Option<Duration>,
    ) -> Option<Content<S::Row>> {
        let content = || self.coherence.content(&self.sources[place], value, stale, ttl);
        catch_unwind(AssertUnwindSafe(content))
            .unwrap_or(Some(Content::Unreadable(Unreadable::Body)))
    }

    /// Asks the cache for the sources at these places.
    async fn ask(&mut self, places: &[usize]) -> Todo {
        let coherence = Arc::clone(&self.coherence);
        let mut todo = Todo::default();
        let mut foreign = Vec::new();
        let (mut hits, mut misses, mut fenced) = (0, 0, 0);
        for (place, answer) in self.get(places).await {
            match answer {
                Some(Ok(Lookup::Item { value, cas, stale, ttl, claimed })) => {
                    let content = self.content(place, &value, stale, ttl);
                    if let Some(Content::Row(_) | Content::Absent) = content {
                        coherence.near.keep(&self.sources[place], &value, self.tickets[place]);
                    }
                    match content {
                        Some(Content::Row(row)) => {
                            hits += 1;
                            coherence.refresh_early(&self.sources[place], cas, ttl, claimed);
                            self.answer(place, Some(row), Origin::Cache);
                        }
                        Some(Content::Absent) => {
                            hits += 1;
                            self.answer(place, None, Origin::Cache);
                        }
                        Some(Content::Unreadable(reason)) => {
                            coherence.note_unreadable(&self.sources[place], reason);
                            match reason {
                                Unreadable::Format => {
                                    misses += 1;
                                    todo.load.push(place);
                                }
                                Unreadable::Foreign => foreign.push(Foreign { place, value, cas }),
                                _ => self.replace(place, cas, &mut todo),
                            }
                        }
                        None => {
                            fenced += 1;
                            todo.load.push(place);
                        }
                    }
                }
                Some(Ok(Lookup::Lease(cas))) => {
                    misses += 1;
                    todo.fill.push((place, Over::Lease(cas)));
                }
                Some(Ok(Lookup::Leased(_))) => todo.wait.push(place),
                Some(Ok(Lookup::Miss)) => {
                    misses += 1;
                    todo.load.push(place);
                }
                Some(Err(error)) => {
                    coherence.failed(error);
                    misses += 1;
                    todo.load.push(place);
                }
                None => {
                    misses += 1;
                    todo.load.push(place);
                }
            }
        }
        self.count(Event::Hit, hits);
        self.count(Event::Miss, misses);
        self.count(Event::Fenced, fenced);
        self.confirm_foreign(foreign, &mut todo).await;
        todo
    }

    /// As [`Coherence::fill_together`]: another reader of this process may be
    /// at it.
    fn replace(&self, place: usize, cas: Cas, todo: &mut Todo) {
        if self.coherence.is_filling(&self.sources[place]) {
            todo.wait.push(place);
        } else {
            self.count(Event::Miss, 1);
            todo.fill.push((place, Over::Item(cas)));
        }
    }

    /// As [`Coherence::confirm_foreign`], for all of them at once.
    async fn confirm_foreign(&self, foreign: Vec<Foreign>, todo: &mut Todo) {
        if foreign.is_empty() {
            return;
        }
        let keys: Vec<_> =
            foreign.iter().map(|seen| self.sources[seen.place].key().clone()).collect();
        let answers = self.coherence.store.get_many(&keys, None).await;
        let mut answers = answers.into_iter();
        for seen in foreign {
            match answers.next() {
                Some(Ok(Lookup::Item { value, cas, .. }))
                    if value == seen.value && cas == seen.cas =>
                {
                    self.replace(seen.place, cas, todo);
                }
                other => {
                    if let Some(Err(error)) = other {
                        self.coherence.failed(error);
                    }
                    self.count(Event::Miss, 1);
                    todo.load.push(seen.place);
                }
            }
        }
    }

    /// Loads all of them at once, and then stores those to be filled.
    async fn load_and_fill(
        &mut self,
        fill: Vec<(usize, Over)>,
        load: Vec<usize>,
    ) -> Result<(), S::Error> {
        let places: Vec<_> = fill.iter().map(|(place, _)| *place).chain(load).collect();
        if places.is_empty() {
            return Ok(());
        }
        let coherence = Arc::clone(&self.coherence);
        let sources: Vec<_> = places.iter().map(|&place| self.sources[place].clone()).collect();
        let filling = fill.iter().map(|(place, _)| coherence.begin_fill(&self.sources[*place]));
        let filling: Vec<Ending<'_>> = filling.collect();
        self.count(Event::Load, sources.len() as u64);
        self.count(Event::BatchLoad, 1);
        coherence.steps.reach(Step::Loading).await;
        let may_store: Vec<_> = sources.iter().map(S::may_store).collect();
        let meter = self.sources.first().and_then(S::meter);
        let started = meter.and_then(Meter::start);
        let loaded = AssertUnwindSafe(S::load_many(&sources).boxed()).catch_unwind().await;
        let loaded = loaded.unwrap_or_else(|_| Err(sources[0].panicked()));
        if let Some(meter) = meter {
            meter.loaded(started);
        }
        coherence.steps.reach(Step::Loaded).await;
        if loaded.is_err() {
            self.count(Event::LoadError, 1);
        }
        let rows = loaded.as_ref().map_or(&[][..], |rows| rows);
        let mut filled = Vec::with_capacity(fill.len());
        for (at, fills) in fill.chunks(COMMANDS_AT_ONCE).enumerate() {
            let first = at * COMMANDS_AT_ONCE;
            let stores = fills.iter().zip(first..).map(|((place, over), nth)| {
                filling[nth].reached(Stage::Storing);
                let source = &self.sources[*place];
                coherence.store_loaded(source, rows.get(nth), may_store[nth], *over)
            });
            for (stored, nth) in join_all(stores).await.into_iter().zip(first..) {
                if let Some(value) = &stored {
                    let place = places[nth];
                    coherence.near.keep(&self.sources[place], value, self.tickets[place]);
                }
                filled.push(stored.is_some());
                filling[nth].reached(stored.map_or(Stage::NotStored, Stage::Stored));
            }
        }
        if !filled.is_empty() {
            coherence.steps.reach(Step::Filled).await;
        }
        let filled = filled.into_iter().chain(std::iter::repeat(false));
        for ((place, loaded), filled) in places.into_iter().zip(loaded?).zip(filled) {
            let origin = if filled { Origin::Filled } else { Origin::Database };
            self.answer(place, loaded.map(S::row), origin);
        }
        Ok(())
    }

    /// Joins those that this process fills, and lets others have some time. Returns
    /// what is to be asked for again.
    async fn await_others(&mut self, waiting: Vec<usize>) -> Result<Vec<usize>, S::Error> {
        if waiting.is_empty() {
            return Ok(waiting);
        }
        let coherence = Arc::clone(&self.coherence);
        let joins = waiting.iter().map(|&place| coherence.join_fill(&self.sources[place]));
        let joined = join_all(joins).await;
        let (mut again, mut load) = (Vec::new(), Vec::new());
        let mut pause = true;
        for (place, joined) in waiting.into_iter().zip(joined) {
            match joined {
                Joined::Answer(row) => {
                    self.count(Event::Coalesced, 1);
                    self.answer(place, row, Origin::Cache);
                }
                Joined::NotStored => load.push(place),
                // What it stored can be asked for at once.
                Joined::TooLate => {
                    pause = false;
                    again.push(place);
                }
                Joined::Nothing => again.push(place),
            }
        }
        self.count(Event::Miss, load.len() as u64);
        self.load_and_fill(Vec::new(), load).await?;
        if pause && !again.is_empty() {
            sleep(coherence.times.lease_poll).await;
        }
        Ok(again)
    }
}
