use super::{Coherence, Content, Source, Unreadable, fence::Fence, fill::Joined, near::Ticket};
use crate::{
    cache::{Cas, Lookup},
    key::CacheKey,
};
use bytes::Bytes;
use std::sync::Arc;
use tokio::time::{Instant, sleep};

/// What a reader does about an item.
enum Verdict<R> {
    /// The item answers.
    Answer(Option<R>),
    /// Load, and replace the item.
    Replace(Cas),
    /// Load, and store nothing.
    LoadOnly,
}

impl Coherence {
    /// The row, from the cache or else from the database.
    ///
    /// A read that starts after a write was acknowledged returns nothing older
    /// than that write.
    pub(crate) async fn read<S: Source>(
        self: &Arc<Self>,
        source: S,
    ) -> Result<Option<S::Row>, S::Error> {
        if let Some(row) = self.near_answer(&source) {
            self.counters.near_hits.add_one();
            return Ok(row);
        }
        let mut give_up = None;
        loop {
            let ticket = self.near.ticket(source.key(), source.near_ttl());
            let lookup = match self.store.get(source.key(), Some(self.times.lease_ttl)).await {
                Ok(lookup) => lookup,
                Err(error) => {
                    self.failed(error);
                    return self.load_shared(source).await;
                }
            };
            match lookup {
                Lookup::Item { value, cas, stale } => {
                    return match self.judge(&source, &value, cas, stale).await {
                        Verdict::Answer(row) => {
                            self.counters.hits.add_one();
                            self.near.keep(source.key(), &value, ticket);
                            Ok(row)
                        }
                        Verdict::Replace(cas) => self.replace_unreadable(source, cas, ticket).await,
                        Verdict::LoadOnly => {
                            self.near.drop_copy(source.key());
                            self.counters.fenced.add_one();
                            self.load_shared(source).await
                        }
                    };
                }
                Lookup::Lease(cas) => {
                    self.near.drop_copy(source.key());
                    self.counters.misses.add_one();
                    return self.fill(source, cas, ticket).await.map(|(row, _)| row);
                }
                Lookup::Miss => {
                    self.counters.misses.add_one();
                    return self.load_shared(source).await;
                }
                Lookup::Leased(_) => {
                    let give_up =
                        *give_up.get_or_insert_with(|| Instant::now() + self.times.lease_wait);
                    match self.join_fill(&source).await {
                        Joined::Answer(row) => {
                            self.counters.coalesced.add_one();
                            return Ok(row);
                        }
                        // What it stored can be asked for at once.
                        Joined::TooLate if Instant::now() < give_up => {}
                        Joined::Nothing if Instant::now() < give_up => {
                            sleep(self.times.lease_poll).await;
                        }
                        Joined::NotStored | Joined::TooLate | Joined::Nothing => {
                            self.counters.misses.add_one();
                            return self.load_shared(source).await;
                        }
                    }
                }
            }
        }
    }

    /// Loads and replaces an item, unless this process is already at it: after
    /// a deploy that changes a struct, every hot key is unreadable at once.
    async fn replace_unreadable<S: Source>(
        self: &Arc<Self>,
        source: S,
        cas: Cas,
        ticket: Option<Ticket>,
    ) -> Result<Option<S::Row>, S::Error> {
        match self.join_fill(&source).await {
            Joined::Answer(row) => {
                self.counters.coalesced.add_one();
                Ok(row)
            }
            Joined::Nothing => {
                self.counters.misses.add_one();
                self.fill(source, cas, ticket).await.map(|(row, _)| row)
            }
            Joined::NotStored | Joined::TooLate => {
                self.counters.misses.add_one();
                self.load_shared(source).await
            }
        }
    }

    /// What a copy in this process says, if there is one that counts.
    pub(super) fn near_answer<S: Source>(&self, source: &S) -> Option<Option<S::Row>> {
        let value = self.near.get(source.key(), source.near_ttl())?;
        match source.decode(&value) {
            Content::Row(row) => Some(Some(row)),
            Content::Absent => Some(None),
            // Of another struct on the same table.
            Content::Unreadable(_) => None,
        }
    }

    /// Drops what this process has kept of a key, since it misleads.
    pub(crate) fn drop_near(&self, key: &CacheKey) {
        self.near.drop_copy(key);
    }

    /// The row, if the cache has it; the database is not asked.
    pub(crate) async fn peek<S: Source>(
        &self,
        source: &S,
    ) -> Result<Option<S::Row>, crate::CacheError> {
        let lookup =
            self.store.get(source.key(), None).await.map_err(|error| self.failed(error))?;
        let Lookup::Item { value, stale: false, .. } = lookup else { return Ok(None) };
        if Fence::parse(&value).is_some() {
            return Ok(None);
        }
        match source.decode(&value) {
            Content::Row(row) => Ok(Some(row)),
            Content::Absent | Content::Unreadable(_) => Ok(None),
        }
    }

    async fn judge<S: Source>(
        &self,
        source: &S,
        value: &Bytes,
        cas: Cas,
        stale: bool,
    ) -> Verdict<S::Row> {
        match self.content(source, value, stale) {
            None => Verdict::LoadOnly,
            Some(Content::Row(row)) => Verdict::Answer(Some(row)),
            Some(Content::Absent) => Verdict::Answer(None),
            Some(Content::Unreadable(reason)) => {
                self.counters.unreadable.add_one();
                tracing::debug!(?reason, "an entry could not be used");
                match reason {
                    Unreadable::Format => Verdict::LoadOnly,
                    Unreadable::Foreign => self.confirm_foreign(source, value, cas).await,
                    _ => Verdict::Replace(cas),
                }
            }
        }
    }

    /// What an item says; `None` for a fence.
    pub(super) fn content<S: Source>(
        &self,
        source: &S,
        value: &Bytes,
        stale: bool,
    ) -> Option<Content<S::Row>> {
        if Fence::parse(value).is_some() {
            return None;
        }
        Some(match source.decode(value) {
            Content::Row(_) | Content::Absent if stale => Content::Unreadable(Unreadable::Stale),
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
            Ok(_) => Verdict::LoadOnly,
            Err(error) => {
                self.failed(error);
                Verdict::LoadOnly
            }
        }
    }

    /// Loads the row anew and puts it in the cache, unless a fence or somebody
    /// else's lease lies there; says whether it did.
    pub(crate) async fn refresh<S: Source>(
        self: &Arc<Self>,
        source: S,
    ) -> Result<(Option<S::Row>, bool), S::Error> {
        let key = source.key().clone();
        let refreshed = match self.replaceable(&source).await {
            Some(cas) => self.fill(source, cas, None).await,
            None => self.load_shared(source).await.map(|row| (row, false)),
        };
        // What follows sees what this has seen.
        self.near.end(&key);
        refreshed
    }

    /// Loads the row anew, since what [`read`](Self::read) gave has turned out to
    /// be of no use, and puts it in that entry's place. Readers of one process do it
    /// together.
    pub(crate) async fn reread<S: Source>(
        self: &Arc<Self>,
        source: S,
    ) -> Result<Option<S::Row>, S::Error> {
        let ticket = self.near.ticket(source.key(), source.near_ttl());
        self.near.drop_copy(source.key());
        match self.replaceable(&source).await {
            Some(cas) => self.replace_unreadable(source, cas, ticket).await,
            None => self.load_shared(source).await,
        }
    }

    /// What lies under the key, to be replaced by what is loaded from now on;
    /// `None` if that is a fence, somebody else's lease or unknown.
    async fn replaceable<S: Source>(&self, source: &S) -> Option<Cas> {
        match self.store.get(source.key(), Some(self.times.lease_ttl)).await {
            Ok(Lookup::Lease(cas)) => Some(cas),
            Ok(Lookup::Item { value, cas, stale }) => match self.content(source, &value, stale) {
                None | Some(Content::Unreadable(Unreadable::Format)) => None,
                Some(Content::Unreadable(Unreadable::Foreign)) => {
                    match self.confirm_foreign(source, &value, cas).await {
                        Verdict::Replace(cas) => Some(cas),
                        Verdict::Answer(_) | Verdict::LoadOnly => None,
                    }
                }
                Some(_) => Some(cas),
            },
            Ok(Lookup::Leased(_) | Lookup::Miss) => None,
            Err(error) => {
                self.failed(error);
                None
            }
        }
    }
}
