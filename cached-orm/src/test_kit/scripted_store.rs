use super::{Command, TestKit, cache_script::Admitted};
use crate::{
    CacheError, CacheKey, CacheStore, Cas, Deleted, Lookup, Over, Replaced, ServerReports,
    ServerStatus, StoreBatch, StoreFuture,
};
use bytes::Bytes;
use futures_util::future::join_all;
use std::{pin::Pin, sync::Arc, time::Duration};

/// A store, and what a test has become of it.
#[derive(Debug)]
pub(super) struct ScriptedStore {
    pub(super) kit: TestKit,
    pub(super) store: Arc<dyn CacheStore>,
}

impl ScriptedStore {
    async fn admit(&self, command: Command, key: &CacheKey) -> Result<Admitted<'_>, CacheError> {
        self.kit.counted(|counts| command.count(counts));
        self.kit.cache().admit(command, key).await
    }
}

impl CacheStore for ScriptedStore {
    fn get(&self, key: &CacheKey, lease: Option<Duration>) -> StoreFuture<'_, Lookup> {
        let key = key.clone();
        Box::pin(async move {
            let admitted = self.admit(Command::Get, &key).await?;
            let found = self.store.get(&key, admitted.lease(lease)).await;
            admitted.answer(found.map(|found| admitted.shown_lookup(found)))
        })
    }

    fn get_many(&self, keys: &[CacheKey], lease: Option<Duration>) -> StoreBatch<'_> {
        let keys = keys.to_vec();
        Box::pin(async move {
            let Some(admitted) = self.kit.cache().admit_all(&keys).await else {
                return join_all(keys.iter().map(|key| self.get(key, lease))).await;
            };
            self.kit.counted(|counts| counts.gets += keys.len() as u64);
            let found = self.store.get_many(&keys, admitted.lease(lease)).await;
            let shown = |found: Result<Lookup, _>| found.map(|found| admitted.shown_lookup(found));
            found.into_iter().map(shown).collect()
        })
    }

    fn fence(
        &self,
        key: &CacheKey,
        fence: Bytes,
        ttl: Duration,
        over: Over,
    ) -> StoreFuture<'_, Replaced> {
        let key = key.clone();
        Box::pin(async move {
            let admitted = self.admit(Command::Fence, &key).await?;
            let over = match over {
                Over::Version(cas) => Over::Version(admitted.own(cas)),
                over => over,
            };
            let fenced = self.store.fence(&key, fence, ttl, over).await;
            admitted.answer(fenced.map(|fenced| shown_replaced(&admitted, fenced)))
        })
    }

    fn replace(
        &self,
        key: &CacheKey,
        value: Bytes,
        ttl: Duration,
        cas: Cas,
    ) -> StoreFuture<'_, Replaced> {
        let key = key.clone();
        Box::pin(async move {
            let admitted = self.admit(Command::Replace, &key).await?;
            let replaced = self.store.replace(&key, value, ttl, admitted.own(cas)).await;
            admitted.answer(replaced.map(|replaced| shown_replaced(&admitted, replaced)))
        })
    }

    fn claim(&self, key: &CacheKey, below: Duration) -> StoreFuture<'_, Option<Cas>> {
        let key = key.clone();
        Box::pin(async move {
            let admitted = self.admit(Command::Claim, &key).await?;
            let claimed = self.store.claim(&key, below).await;
            admitted.answer(claimed.map(|claimed| claimed.map(|cas| admitted.shown(cas))))
        })
    }

    fn delete(&self, key: &CacheKey, cas: Cas) -> StoreFuture<'_, Deleted> {
        let key = key.clone();
        Box::pin(async move {
            let admitted = self.admit(Command::Delete, &key).await?;
            let deleted = self.store.delete(&key, admitted.own(cas)).await;
            admitted.answer(deleted)
        })
    }

    fn also(&self, key: &CacheKey) -> Option<&dyn CacheStore> {
        self.store.also(key)
    }

    fn server_name(&self, key: &CacheKey) -> Option<Arc<str>> {
        self.store.server_name(key)
    }

    fn servers(&self) -> ServerReports<'_> {
        Box::pin(async move {
            let answers = self.kit.cache().answers().await;
            let servers = self.store.servers().await.into_iter();
            let shown = |server: ServerStatus| match &answers {
                Ok(()) => server,
                Err(error) => ServerStatus::new(server.name, Err(error.clone())),
            };
            servers.map(shown).collect()
        })
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.store.close()
    }
}

fn shown_replaced(admitted: &Admitted<'_>, replaced: Replaced) -> Replaced {
    match replaced {
        Replaced::Stored(cas) => Replaced::Stored(admitted.shown(cas)),
        replaced => replaced,
    }
}
