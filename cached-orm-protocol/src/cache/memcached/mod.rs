//! The store in memcached.
//!
//! A [`Router`] says which server has a key. A server has *lanes*: tasks that
//! own one connection each. A lane knows which incarnation of the server it
//! talks to, and so decides at the moment of sending whether a CAS token still
//! means something, and whether the server may give leases.

mod address;
mod alarm;
mod command;
mod connection;
#[cfg(any(fuzzing, test, feature = "testing"))]
pub(crate) mod fuzzing;
mod gets;
mod identity;
mod lane;
mod options;
mod peer;
mod reply;
mod request;
mod router;
mod server;
mod task;
#[cfg(test)]
pub(super) mod tests;

pub use options::MemcachedOptions;

use self::{
    address::Address,
    command::{Caller, Command},
    gets::{Answer, Asker, Gets},
    peer::Peer,
    request::Request,
    router::Router,
    server::{BATCH, Server},
};
use super::{
    CacheError, CacheStore, Cas, Deleted, Lookup, Over, Replaced, ServerReports, StoreBatch,
    StoreFuture,
};
use crate::key::CacheKey;
use bytes::Bytes;
use futures_util::future::join_all;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

/// Of events: by the crate that users name, and filter by.
const TARGET: &str = "cached_orm::cache::memcached";

/// memcached takes more seconds than this for a date. An entry that dies
/// earlier than asked is always safe; a date would need two clocks that agree.
const MAX_TTL: u32 = 60 * 60 * 24 * 30;

/// Keeps entries in one or more memcached servers.
#[derive(Debug)]
pub struct MemcachedStore {
    router: Router,
    servers: Vec<Server>,
    /// The ring on which writers fence as well.
    also: Option<Box<Self>>,
    closing: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl MemcachedStore {
    /// Starts the lanes and returns at once, whether or not a server is there.
    /// Must be called in a tokio runtime.
    ///
    /// # Errors
    /// An option can't work; the text says which and why.
    pub fn new(options: &MemcachedOptions) -> Result<Self, String> {
        Self::open(options, None)
    }

    /// The same servers by lanes of their own, on which a command may take so long.
    /// What one lane finds out of a server, whether it is down or back, all know.
    pub fn for_writes(
        &self,
        options: &MemcachedOptions,
        timeout: Duration,
    ) -> Result<Self, String> {
        Self::open(&options.for_writes(timeout), Some(self))
    }

    /// With the peers of another store of the same servers, if there is one.
    fn open(options: &MemcachedOptions, other: Option<&Self>) -> Result<Self, String> {
        let also = match options.for_also_fence() {
            Some(options) => {
                let other = other.and_then(|other| other.also.as_deref());
                Some(Box::new(Self::open(&options, other)?))
            }
            None => None,
        };
        let addresses = options::addresses(options)?;
        let names: Vec<String> = addresses.iter().map(Address::canonical).collect();
        let (closing, closed) = watch::channel(false);
        let mut tasks = Vec::new();
        let connections = options.connections_to_each(addresses.len());
        let start = |(index, address): (usize, &Address)| {
            let known = other.and_then(|other| other.servers.get(index));
            let peer = match known {
                Some(server) => Arc::clone(server.peer()),
                None => Arc::new(Peer::new(&address.canonical())),
            };
            Server::start(address, peer, options, connections, &closed, &mut tasks)
        };
        let servers = addresses.iter().enumerate().map(start).collect();
        Ok(Self {
            router: Router::new(names.iter().map(String::as_str)),
            servers,
            also,
            closing,
            tasks: Mutex::new(tasks),
        })
    }

    fn server_of(&self, key: &CacheKey) -> &Server {
        &self.servers[self.router.route(key.as_bytes())]
    }

    async fn call<T>(
        &self,
        key: CacheKey,
        command: impl FnOnce(Caller<T>) -> Command,
    ) -> Result<T, CacheError> {
        let (caller, answer) = oneshot::channel();
        let server = self.server_of(&key);
        server.send(Request::new(key, command(caller)))?;
        answer.await.unwrap_or_else(|_| Err(gone(server)))
    }

    /// Asks each server for its keys, by as few requests as may be.
    async fn get_batches(
        &self,
        keys: Vec<CacheKey>,
        lease: Option<u32>,
    ) -> Vec<Result<Lookup, CacheError>> {
        let mut of_servers = vec![Vec::new(); self.servers.len()];
        for (place, key) in keys.iter().enumerate() {
            of_servers[self.router.route(key.as_bytes())].push(place);
        }
        let mut batch = Batch { store: self, asked: Vec::new(), found: Vec::new(), keys };
        batch.found.resize_with(batch.keys.len(), || Ok(Lookup::Miss));
        for (server, places) in self.servers.iter().zip(&of_servers) {
            for places in places.chunks(BATCH) {
                let (caller, answer) = oneshot::channel();
                let keys = places.iter().map(|&place| batch.keys[place].clone()).collect();
                match server.send(Request::gets(Gets { keys, lease, caller })) {
                    Ok(()) => batch.asked.push((places.to_vec(), answer)),
                    Err(error) => batch.fail(places, &error),
                }
            }
        }
        while let Some((_, answer)) = batch.asked.last_mut() {
            let answer = answer.await;
            let Some((places, _)) = batch.asked.pop() else { break };
            match answer {
                Ok(found) => batch.note(&places, found),
                Err(_) => {
                    for place in places {
                        batch.found[place] = Err(gone(self.server_of(&batch.keys[place])));
                    }
                }
            }
        }
        std::mem::take(&mut batch.found)
    }
}

/// The answers to several requests, as they come. Dropped halfway, it gives back the
/// leases among them.
struct Batch<'s> {
    store: &'s MemcachedStore,
    /// What is still to be answered, and for which of the keys.
    asked: Vec<(Vec<usize>, oneshot::Receiver<Vec<Answer>>)>,
    found: Vec<Answer>,
    keys: Vec<CacheKey>,
}

impl Batch<'_> {
    fn note(&mut self, places: &[usize], found: Vec<Answer>) {
        for (&place, found) in places.iter().zip(found) {
            self.found[place] = found;
        }
    }

    fn fail(&mut self, places: &[usize], error: &CacheError) {
        places.iter().for_each(|&place| self.found[place] = Err(error.clone()));
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        // What comes after this is given back by the lane.
        for (places, mut answer) in std::mem::take(&mut self.asked) {
            answer.close();
            if let Ok(found) = answer.try_recv() {
                self.note(&places, found);
            }
        }
        for (key, found) in self.keys.iter().zip(&self.found) {
            if let Ok(Lookup::Lease(cas)) = found {
                let request = Request::give_back(key.clone(), *cas);
                // If the queue is full the lease ends by itself.
                drop(self.store.server_of(key).send(request));
            }
        }
    }
}

// Users choose it by a method of the builder.
#[doc(hidden)]
impl CacheStore for MemcachedStore {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        let lease = lease.map(seconds);
        Box::pin(
            self.call(key.clone(), move |caller| Command::Get { lease, asker: Asker::One(caller) }),
        )
    }

    fn get_many(&self, keys: &[CacheKey], lease: Option<Duration>) -> StoreBatch<'_> {
        Box::pin(self.get_batches(keys.to_vec(), lease.map(seconds)))
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        // memcached counts the ticks of its clock, of which the first may come
        // at once. A fence must not end early.
        let ttl = (seconds(ttl) + 1).min(MAX_TTL);
        Box::pin(self.call(key.clone(), move |caller| Command::Set {
            value: fence,
            ttl,
            over,
            caller,
        }))
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        let ttl = seconds(ttl);
        Box::pin(self.call(key.clone(), move |caller| Command::Set {
            value,
            ttl,
            over: Over::Version(cas),
            caller,
        }))
    }

    fn claim(&self, key: &CacheKey, below: Duration) -> StoreFuture<'_, Option<Cas>> {
        let below = seconds(below);
        Box::pin(self.call(key.clone(), move |caller| Command::Claim { below, caller }))
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        Box::pin(
            self.call(key.clone(), move |caller| Command::Delete {
                over: cas,
                caller: Some(caller),
            }),
        )
    }

    /// None if both lists have the key on the same server.
    fn also(&self, key: &CacheKey) -> Option<&dyn CacheStore> {
        let also = self.also.as_deref()?;
        let moves = also.server_of(key).peer().name() != self.server_of(key).peer().name();
        moves.then_some(also)
    }

    fn server_name(&self, key: &CacheKey) -> Option<Arc<str>> {
        Some(Arc::clone(self.server_of(key).peer().name()))
    }

    /// Those on which writers only fence follow those that are read from.
    fn servers(&self) -> ServerReports<'_> {
        let fenced = self.also.iter().flat_map(|also| &also.servers);
        let only_fenced = fenced.filter(|other| {
            self.servers.iter().all(|server| server.peer().name() != other.peer().name())
        });
        let all: Vec<_> = self.servers.iter().chain(only_fenced).map(Server::status).collect();
        Box::pin(join_all(all))
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            self.closing.send_replace(true);
            let tasks =
                std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            for task in tasks {
                // A lane that panicked has ended as well.
                drop(task.await);
            }
            if let Some(also) = &self.also {
                also.close().await;
            }
        })
    }
}

/// Only the end of the runtime ends a lane that has not answered.
fn gone(server: &Server) -> CacheError {
    server.peer().disconnected(io::ErrorKind::BrokenPipe.into())
}

/// Whole seconds, rounded up: at least 1, for 0 means "for ever" to memcached.
fn seconds(duration: Duration) -> u32 {
    let whole = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    u32::try_from(whole).unwrap_or(MAX_TTL).clamp(1, MAX_TTL)
}
