//! Rows that are loaded anew before they expire, and writes beside that.

use super::*;
use crate::{
    cache::{Lookup, Over},
    coherence::fence::Fence,
};
use tokio::task::yield_now;

/// A row that is always near its end.
#[derive(Clone)]
struct Short(Row);

impl Source for Short {
    type Row = u64;
    type Loaded = u64;
    type Error = &'static str;
    type Meter = ();

    fn key(&self) -> &CacheKey {
        self.0.key()
    }

    fn load(&self) -> impl Future<Output = Result<Option<u64>, &'static str>> + Send {
        self.0.load()
    }

    fn row(loaded: u64) -> u64 {
        loaded
    }

    fn decode(&self, value: &Bytes) -> Content<u64> {
        self.0.decode(value)
    }

    fn encode(&self, row: Option<&u64>) -> Option<Entry> {
        self.0.encode(row)
    }

    fn early_refresh(&self) -> Option<Duration> {
        Some(Duration::from_secs(120))
    }

    fn abandoned(&self) -> &'static str {
        self.0.abandoned()
    }

    fn panicked(&self) -> &'static str {
        self.0.panicked()
    }
}

/// The database shows 2; the cache has 1, and a load that began when it was read.
async fn loading() -> (Arc<Database>, Arc<Coherence>, Short) {
    let (database, coherence) = (Database::held_up(Some(1)), coherence());
    let source = Short(Row::of(&database));
    database.let_go(1);
    assert_eq!(coherence.read(source.clone()).await, Ok(Some(1)));
    database.write(Some(2));
    for _ in 0..100 {
        assert_eq!(coherence.read(source.clone()).await, Ok(Some(1)));
        yield_now().await;
    }
    database.loads_begun(2).await;
    (database, coherence, source)
}

async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[tokio::test]
async fn one_load_serves_all_readers_and_takes_the_rows_place() {
    let (database, coherence, source) = loading().await;
    database.let_go(1);
    settle().await;
    assert_eq!(coherence.peek(&source).await.unwrap(), Some(2));
    assert_eq!(database.loads(), 2);
}

#[tokio::test]
async fn a_write_meanwhile_is_not_undone() {
    let (database, coherence, source) = loading().await;
    let fence = Fence::new().to_bytes();
    let ttl = Duration::from_secs(60);
    let put = coherence.store().fence(source.key(), fence.clone(), ttl, Over::Anything);
    put.await.unwrap();
    database.write(Some(3));
    database.let_go(1);
    settle().await;
    let found = coherence.store().get(source.key(), None).await.unwrap();
    assert!(matches!(&found, Lookup::Item { value, .. } if *value == fence), "{found:?}");
}

#[tokio::test]
async fn a_load_that_fails_leaves_the_row() {
    let (database, coherence, source) = loading().await;
    database.gate.close();
    settle().await;
    for _ in 0..100 {
        assert_eq!(coherence.read(source.clone()).await, Ok(Some(1)));
        yield_now().await;
    }
    assert_eq!(database.loads(), 2, "nobody tries again");
}
