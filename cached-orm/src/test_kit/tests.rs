use super::{MemoryStore, TestKit};
use cached_orm_protocol::cache::conformance::suite;
use std::{sync::Arc, time::Duration};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_store_behind_a_script_conforms() {
    let kit = TestKit::new();
    let scripted = kit.before(Arc::new(MemoryStore::new()));
    // From now on its tokens are not those that are shown.
    runtime().block_on(kit.cache().restart(Duration::ZERO)).unwrap();
    suite(&runtime(), &*scripted, 500);
}
