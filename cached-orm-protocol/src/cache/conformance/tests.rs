use super::suite;
#[cfg(feature = "embedded")]
use crate::cache::EmbeddedStore;
use crate::cache::{
    MemcachedStore,
    memcached::tests::{Memcached, options},
};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn memcached_conforms() {
    let server = Memcached::start(&[]).settle();
    let runtime = runtime();
    let entered = runtime.enter();
    let store = MemcachedStore::new(&options(server.address())).unwrap();
    drop(entered);
    suite(&runtime, &store, 200);
}

#[cfg(feature = "embedded")]
#[test]
fn embedded_conforms() {
    suite(&runtime(), &EmbeddedStore::new(64 << 20), 500);
}

#[cfg(feature = "test-kit")]
#[test]
fn memory_conforms() {
    suite(&runtime(), &crate::cache::MemoryStore::new(), 500);
}
