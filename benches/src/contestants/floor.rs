//! What lies under cached-orm: its own connections without rows, and sockets by hand.
//! They read the entries that it has stored, and hold them against the bytes that
//! were there beforehand.

use super::raw_socket::Socket;
use benches::{
    Result,
    contestant::{ManyReader, Reader},
    item::{Wanted, WorkingSet},
};
use bytes::Bytes;
use cached_orm::{CacheKey, Lookup, MemcachedOrm as _, Orm, Postgres};
use sqlx::PgPool;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The entries of a working set, in its order.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(super) keys: Vec<CacheKey>,
    values: Vec<Bytes>,
}

impl Stored {
    /// What lies in the store of `orm`, which must have read the whole set.
    pub(crate) async fn by(orm: &Orm<Postgres>, set: &WorkingSet) -> Result<Arc<Self>> {
        let mut stored = Self { keys: Vec::new(), values: Vec::new() };
        for wanted in set.0.iter() {
            let key = wanted.item.get_cache_key(orm);
            let Some(value) = value(orm.store().get(&key, None).await?) else {
                return Err(format!("nothing lies under {key}, although it was read").into());
            };
            stored.keys.push(key);
            stored.values.push(Bytes::copy_from_slice(&value));
        }
        Ok(Arc::new(stored))
    }

    pub(super) fn is_right(&self, wanted: &Wanted, value: &Bytes) -> bool {
        self.values[wanted.place] == *value
    }
}

fn value(lookup: Lookup) -> Option<Bytes> {
    match lookup {
        Lookup::Item { value, .. } => Some(value),
        _ => None,
    }
}

/// How long an answer may take: here no database could give it instead.
const TIMEOUT: Duration = Duration::from_secs(5);

/// cached-orm's connections to memcached, and nothing of its rows.
#[derive(Debug)]
pub(crate) struct BareLanes {
    orm: Orm<Postgres>,
    stored: Arc<Stored>,
}

impl BareLanes {
    /// To the server at `address`, for what is stored there.
    pub(crate) async fn connect(
        pool: &PgPool,
        address: &str,
        stored: &Arc<Stored>,
    ) -> Result<Self> {
        let orm = Orm::builder(pool.clone()).memcached([address]).timeout(TIMEOUT).build().await?;
        Ok(Self { orm, stored: Arc::clone(stored) })
    }
}

impl Reader for BareLanes {
    type Row = Bytes;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Bytes>> {
        Ok(value(self.orm.store().get(&self.stored.keys[wanted.place], None).await?))
    }

    fn is_right(&self, wanted: &Wanted, value: &Bytes) -> bool {
        self.stored.is_right(wanted, value)
    }

    fn loads(&self) -> u64 {
        0
    }
}

impl ManyReader for BareLanes {
    async fn read_many(&self, wanted: &[&Wanted]) -> Result<Vec<Option<Bytes>>> {
        let keys = wanted.iter().map(|wanted| self.stored.keys[wanted.place].clone());
        let lookups = self.orm.store().get_many(&keys.collect::<Vec<_>>(), None).await;
        lookups.into_iter().map(|lookup| Ok(value(lookup?))).collect()
    }
}

/// A socket for each reader: it writes, and waits for what it has asked for.
#[derive(Debug)]
pub(crate) struct PingPong {
    address: String,
    idle: Mutex<Vec<Socket>>,
    stored: Arc<Stored>,
}

impl PingPong {
    /// To the server at `address`.
    pub(crate) fn new(address: &str, stored: &Arc<Stored>) -> Self {
        let (address, stored) = (address.to_owned(), Arc::clone(stored));
        Self { address, idle: Mutex::default(), stored }
    }

    async fn socket(&self) -> Result<Socket> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(socket) => Ok(socket),
            None => Socket::connect(&self.address).await,
        }
    }

    fn give_back(&self, socket: Socket) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
    }
}

impl Reader for PingPong {
    type Row = Bytes;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Bytes>> {
        let mut socket = self.socket().await?;
        let mut found = None;
        socket.ask([&self.stored.keys[wanted.place]], |value| found = value).await?;
        self.give_back(socket);
        Ok(found)
    }

    fn is_right(&self, wanted: &Wanted, value: &Bytes) -> bool {
        self.stored.is_right(wanted, value)
    }

    fn loads(&self) -> u64 {
        0
    }
}

impl ManyReader for PingPong {
    async fn read_many(&self, wanted: &[&Wanted]) -> Result<Vec<Option<Bytes>>> {
        let mut socket = self.socket().await?;
        let mut found = Vec::with_capacity(wanted.len());
        let keys = wanted.iter().map(|wanted| &self.stored.keys[wanted.place]);
        socket.ask(keys, |value| found.push(value)).await?;
        self.give_back(socket);
        Ok(found)
    }
}
