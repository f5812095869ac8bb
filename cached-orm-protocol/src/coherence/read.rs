use super::{
    Coherence, Content, Source, TARGET, Unreadable,
    count::Event,
    fence::Fence,
    fill::{Joined, Over},
    near::Ticket,
};
use crate::{
    cache::{CacheError, Cas, Lookup},
    key::CacheKey,
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// What a reader does about an item.
enum Verdict<R> {
    /// The item answers.
    Answer(Option<R>),
    /// Load, and replace the item.
    Replace(Cas),
    /// A fence: load, and store nothing.
    Fenced,
    /// Nobody knows whose it is: load, and store nothing.
    Unknown,
}

impl Coherence {
    /// The row, from the cache or else from the database.
    ///
    /// A read that starts after a write was acknowledged returns nothing older
    /// than that write.
    pub async fn read<S: Source>(self: &Arc<Self>, source: S) -> Result<Option<S::Row>, S::Error> {
        if let Some(row) = self.read_near::<S>(source.key().as_str(), source.near_ttl()) {
            self.count(&source, Event::NearHit);
            return Ok(row);
        }
        let ticket = self.near.ticket(source.key(), source.near_ttl());
        let lookup = self.store.get(source.key(), Some(self.times.lease_ttl)).await;
        if let Ok(Lookup::Item { value, cas, stale, ttl, claimed }) = &lookup
            && let Some(row) = self.answer(&source, value, *stale, *ttl)
        {
            self.count(&source, Event::Hit);
            self.near.keep(&source, value, ticket);
            if row.is_some() {
                self.refresh_early(&source, *cas, *ttl, *claimed);
            }
            return Ok(row);
        }
        // In a place of its own: a hit has no use for what this takes.
        Box::pin(self.read_on(source, lookup, ticket)).await
    }

    /// What an item says, if it is one that answers.
    fn answer<S: Source>(
        &self,
        source: &S,
        value: &Bytes,
        stale: bool,
        ttl: Option<Duration>,
    ) -> Option<Option<S::Row>> {
        match self.content(source, value, stale, ttl)? {
            Content::Row(row) => Some(Some(row)),
            Content::Absent => Some(None),
            Content::Unreadable(_) => None,
        }
    }

    /// Goes on where the cache did not answer, but gave `lookup`.
    async fn read_on<S: Source>(
        self: &Arc<Self>,
        source: S,
        mut lookup: Result<Lookup, CacheError>,
        mut ticket: Option<Ticket>,
    ) -> Result<Option<S::Row>, S::Error> {
        // When somebody else's lease was first met.
        let mut waits_since = None;
        loop {
            match lookup {
                Err(error) => {
                    self.failed(error);
                    self.count(&source, Event::Miss);
                    return self.load_shared(source).await;
                }
                Ok(Lookup::Item { value, cas, stale, ttl, claimed }) => {
                    return match self.judge(&source, &value, cas, stale, ttl).await {
                        Verdict::Answer(row) => {
                            self.count(&source, Event::Hit);
                            self.near.keep(&source, &value, ticket);
                            if row.is_some() {
                                self.refresh_early(&source, cas, ttl, claimed);
                            }
                            Ok(row)
                        }
                        Verdict::Replace(cas) => {
                            self.fill_together(source, Over::Item(cas), ticket).await
                        }
                        Verdict::Fenced => {
                            self.near.drop_copy(source.key());
                            self.count(&source, Event::Fenced);
                            self.load_shared(source).await
                        }
                        Verdict::Unknown => {
                            self.near.drop_copy(source.key());
                            self.count(&source, Event::Miss);
                            self.load_shared(source).await
                        }
                    };
                }
                Ok(Lookup::Lease(cas)) => {
                    self.near.drop_copy(source.key());
                    self.count(&source, Event::Miss);
                    return self.fill(source, Over::Lease(cas), ticket).await.map(|(row, _)| row);
                }
                Ok(Lookup::Miss) => {
                    self.count(&source, Event::Miss);
                    return self.load_shared(source).await;
                }
                Ok(Lookup::Leased(_)) => {
                    let since = *waits_since.get_or_insert_with(Instant::now);
                    let give_up = since + self.times.lease_wait;
                    match self.join_fill(&source).await {
                        Joined::Answer(row) => {
                            self.count(&source, Event::Coalesced);
                            return Ok(row);
                        }
                        // What it stored can be asked for at once.
                        Joined::TooLate if Instant::now() < give_up => {}
                        Joined::Nothing if Instant::now() < give_up => {
                            sleep(self.times.lease_poll).await;
                        }
                        Joined::NotStored | Joined::TooLate | Joined::Nothing => {
                            self.count(&source, Event::Miss);
                            return self.load_shared_since(source, since).await;
                        }
                    }
                }
            }
            ticket = self.near.ticket(source.key(), source.near_ttl());
            lookup = self.store.get(source.key(), Some(self.times.lease_ttl)).await;
        }
    }

    /// Loads and replaces an item, unless this process is already at it: after
    /// a deploy that changes a struct, every hot key is unreadable at once.
    async fn fill_together<S: Source>(
        self: &Arc<Self>,
        source: S,
        over: Over,
        ticket: Option<Ticket>,
    ) -> Result<Option<S::Row>, S::Error> {
        match self.join_fill(&source).await {
            Joined::Answer(row) => {
                self.count(&source, Event::Coalesced);
                Ok(row)
            }
            Joined::Nothing => {
                self.count(&source, Event::Miss);
                self.fill(source, over, ticket).await.map(|(row, _)| row)
            }
            Joined::NotStored | Joined::TooLate => {
                self.count(&source, Event::Miss);
                self.load_shared(source).await
            }
        }
    }

    /// What a copy in this process says, if there is one that counts. The caller counts it.
    #[inline]
    pub fn read_near<S: Source>(&self, key: &str, ttl: Option<Duration>) -> Option<Option<S::Row>> {
        self.near.get::<S>(key, ttl)
    }

    /// Drops what this process has kept of a key, since it misleads.
    pub fn drop_near(&self, key: &CacheKey) {
        self.near.drop_copy(key);
    }

    /// The row, if the cache has it; the database is not asked.
    pub async fn peek<S: Source>(&self, source: &S) -> Result<Option<S::Row>, CacheError> {
        let lookup = self.store.get(source.key(), None).await;
        let lookup = lookup.map_err(|error| self.failed(error))?;
        let Lookup::Item { value, stale, ttl, .. } = lookup else { return Ok(None) };
        match self.content(source, &value, stale, ttl) {
            Some(Content::Row(row)) => Ok(Some(row)),
            Some(Content::Absent | Content::Unreadable(_)) | None => Ok(None),
        }
    }

    /// The row that lies in the cache, and for how long its time has been over, if it
    /// is; the database is not asked.
    pub async fn last_known<S: Source>(&self, source: &S) -> Option<(S::Row, Option<Duration>)> {
        let lookup = self.store.get(source.key(), None).await;
        let lookup = lookup.map_err(|error| self.failed(error)).ok()?;
        let Lookup::Item { value, stale: false, ttl, .. } = lookup else { return None };
        match self.content(source, &value, false, None)? {
            Content::Row(row) => {
                let over = ttl.zip(source.stale_for()).filter(|_| is_over(ttl, source.stale_for()));
                Some((row, over.map(|(ttl, stale_for)| stale_for.saturating_sub(ttl))))
            }
            Content::Absent | Content::Unreadable(_) => None,
        }
    }

    async fn judge<S: Source>(
        &self,
        source: &S,
        value: &Bytes,
        cas: Cas,
        stale: bool,
        ttl: Option<Duration>,
    ) -> Verdict<S::Row> {
        match self.content(source, value, stale, ttl) {
            None => Verdict::Fenced,
            Some(Content::Row(row)) => Verdict::Answer(Some(row)),
            Some(Content::Absent) => Verdict::Answer(None),
            Some(Content::Unreadable(reason)) => {
                self.note_unreadable(source, reason);
                match reason {
                    Unreadable::Format => Verdict::Unknown,
                    Unreadable::Foreign => self.confirm_foreign(source, value, cas).await,
                    _ => Verdict::Replace(cas),
                }
            }
        }
    }

    /// Counts an entry that is to be replaced.
    pub(super) fn note_unreadable<S: Source>(&self, source: &S, reason: Unreadable) {
        if reason != Unreadable::Expired {
            self.count(source, Event::Unreadable);
            tracing::debug!(target: TARGET, key = source.key().as_str(), ?reason, "an entry could not be used");
        }
    }

    /// What an item says that is going to live for `ttl`; `None` for a fence.
    pub(super) fn content<S: Source>(
        &self,
        source: &S,
        value: &Bytes,
        stale: bool,
        ttl: Option<Duration>,
    ) -> Option<Content<S::Row>> {
        if Fence::parse(value).is_some() {
            return None;
        }
        Some(match source.decode(value) {
            Content::Row(_) | Content::Absent if stale => Content::Unreadable(Unreadable::Stale),
            Content::Row(_) if is_over(ttl, source.stale_for()) => {
                Content::Unreadable(Unreadable::Expired)
            }
            content => content,
        })
    }

    /// A value that begins like nothing of ours may be a fence that was damaged
    /// on its way, and a fence must not be replaced. Only if a second look shows
    /// the same is it somebody's rubbish.
    async fn confirm_foreign<S: Source>(
        &self,
        source: &S,
        seen: &Bytes,
        seen_cas: Cas,
    ) -> Verdict<S::Row> {
        match self.store.get(source.key(), None).await {
            Ok(Lookup::Item { value, cas, .. }) if value == *seen && cas == seen_cas => {
                Verdict::Replace(cas)
            }
            Ok(_) => Verdict::Unknown,
            Err(error) => {
                self.failed(error);
                Verdict::Unknown
            }
        }
    }

    /// Loads the row anew and puts it in the cache, unless a fence or somebody
    /// else's lease lies there; says whether it did.
    pub async fn refresh<S: Source>(
        self: &Arc<Self>,
        source: S,
    ) -> Result<(Option<S::Row>, bool), S::Error> {
        let key = source.key().clone();
        let refreshed = match self.replaceable(&source).await {
            Some(over) => self.fill(source, over, None).await,
            None => self.load_shared(source).await.map(|row| (row, false)),
        };
        // What follows sees what this has seen.
        self.near.end(&key);
        refreshed
    }

    /// Loads the row anew, since what [`read`](Self::read) gave has turned out to
    /// be of no use, and puts it in that entry's place. Readers of one process do it
    /// together.
    pub async fn reread<S: Source>(
        self: &Arc<Self>,
        source: S,
    ) -> Result<Option<S::Row>, S::Error> {
        let ticket = self.near.ticket(source.key(), source.near_ttl());
        self.near.drop_copy(source.key());
        match self.replaceable(&source).await {
            // Whoever has won it must fill, or give it back.
            Some(over @ Over::Lease(_)) => {
                self.fill(source, over, ticket).await.map(|(row, _)| row)
            }
            Some(over @ Over::Item(_)) => self.fill_together(source, over, ticket).await,
            None => self.load_shared(source).await,
        }
    }

    /// What lies under the key, to be replaced by what is loaded from now on;
    /// `None` if that is a fence, somebody else's lease or unknown.
    async fn replaceable<S: Source>(&self, source: &S) -> Option<Over> {
        match self.store.get(source.key(), Some(self.times.lease_ttl)).await {
            Ok(Lookup::Lease(cas)) => Some(Over::Lease(cas)),
            Ok(Lookup::Item { value, cas, stale, .. }) => {
                match self.content(source, &value, stale, None) {
                    None | Some(Content::Unreadable(Unreadable::Format)) => None,
                    Some(Content::Unreadable(Unreadable::Foreign)) => {
                        match self.confirm_foreign(source, &value, cas).await {
                            Verdict::Replace(cas) => Some(Over::Item(cas)),
                            Verdict::Answer(_) | Verdict::Fenced | Verdict::Unknown => None,
                        }
                    }
                    Some(_) => Some(Over::Item(cas)),
                }
            }
            Ok(Lookup::Leased(_) | Lookup::Miss) => None,
            Err(error) => {
                self.failed(error);
                None
            }
        }
    }
}

/// Whether a row's time is over that is going to lie there for `ttl`, if it is kept
/// for `stale_for` afterwards.
pub fn is_over(ttl: Option<Duration>, stale_for: Option<Duration>) -> bool {
    ttl.zip(stale_for).is_some_and(|(ttl, stale_for)| ttl <= stale_for)
}
