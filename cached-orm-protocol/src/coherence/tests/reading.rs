use super::*;
use crate::{
    cache::{Lookup, Over, Replaced},
    coherence::fence::Fence,
};
use futures_util::future::join_all;
use tokio::task::JoinHandle;

type Reading = JoinHandle<Result<Option<u64>, &'static str>>;

fn start_reading(coherence: &Arc<Coherence>, row: &Row) -> Reading {
    let (coherence, row) = (Arc::clone(coherence), row.clone());
    tokio::spawn(async move { coherence.read(row).await })
}

async fn put_fence(coherence: &Coherence, row: &Row) -> Fence {
    let fence = Fence::new();
    let ttl = Duration::from_secs(60);
    let stored = coherence.store.fence(&row.key, fence.to_bytes(), ttl, Over::Anything);
    assert!(matches!(stored.await, Ok(Replaced::Stored(_))));
    fence
}

#[tokio::test]
async fn a_miss_fills_and_a_hit_does_not_load() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    assert_eq!(coherence.read(row.clone()).await, Ok(Some(7)));
    assert_eq!(coherence.read(row.clone()).await, Ok(Some(7)));
    assert_eq!(database.loads(), 1);
}

#[tokio::test]
async fn an_absent_row_is_remembered() {
    let (coherence, database) = (coherence(), Database::open(None));
    let row = Row::of(&database);
    assert_eq!(coherence.read(row.clone()).await, Ok(None));
    assert_eq!(coherence.read(row).await, Ok(None));
    assert_eq!(database.loads(), 1);
}

#[tokio::test]
async fn readers_of_a_cold_key_share_one_load() {
    let (coherence, database) = (coherence(), Database::held_up(Some(7)));
    let row = Row::of(&database);
    let readings: Vec<_> = (0..64).map(|_| start_reading(&coherence, &row)).collect();
    database.loads_begun(1).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    database.let_go(1);
    for reading in readings {
        assert_eq!(reading.await.expect("a reader"), Ok(Some(7)));
    }
    assert_eq!(database.loads(), 1);
}

/// Another process has won the lease, and takes longer than anybody waits.
#[tokio::test(start_paused = true)]
async fn readers_who_have_waited_for_another_process_share_one_load() {
    let (coherence, database) = (coherence(), Database::held_up(Some(7)));
    let row = Row::of(&database);
    let lease = coherence.store.get(&row.key, Some(Duration::from_secs(10))).await;
    assert!(matches!(lease, Ok(Lookup::Lease(_))));
    let readings: Vec<_> = (0..64).map(|_| start_reading(&coherence, &row)).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(database.loads(), 1);
    // Who begins only now needs a load of its own, which sees what was written.
    database.write(Some(8));
    let late = start_reading(&coherence, &row);
    tokio::time::sleep(Duration::from_millis(100)).await;
    database.let_go(2);
    for reading in readings {
        assert_eq!(reading.await.expect("a reader"), Ok(Some(7)));
    }
    assert_eq!(late.await.expect("a reader"), Ok(Some(8)));
    assert_eq!(database.loads(), 2);
}

#[tokio::test]
async fn a_reader_who_goes_away_does_not_fail_those_who_joined() {
    let (coherence, database) = (coherence(), Database::held_up(Some(7)));
    let row = Row::of(&database);
    let first = start_reading(&coherence, &row);
    database.loads_begun(1).await;
    let second = start_reading(&coherence, &row);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    first.abort();
    database.let_go(1);
    assert_eq!(second.await.expect("a reader"), Ok(Some(7)));
    assert_eq!(database.loads(), 1);
}

#[tokio::test]
async fn a_row_loaded_before_a_fence_is_not_stored_after_it() {
    let ((coherence, counted), database) = (counting(), Database::held_up(Some(7)));
    let row = Row::of(&database);
    let reading = start_reading(&coherence, &row);
    database.loads_begun(1).await;
    put_fence(&coherence, &row).await;
    database.write(Some(8));
    database.let_go(1);
    assert_eq!(reading.await.expect("a reader"), Ok(Some(7)));
    assert_eq!(coherence.peek(&row).await.expect("a store"), None);
    assert_eq!(counted.of(Event::FillRefused), 1);
}

/// The load that is under way began before the second reader did, and a write
/// may have been acknowledged between.
#[tokio::test]
async fn a_load_that_fills_nothing_serves_only_who_came_before_it() {
    let (coherence, database) = (coherence(), Database::held_up(Some(7)));
    let row = Row::of(&database);
    put_fence(&coherence, &row).await;
    let first = start_reading(&coherence, &row);
    database.loads_begun(1).await;
    database.write(Some(8));
    let others: Vec<_> = (0..16).map(|_| start_reading(&coherence, &row)).collect();
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    database.let_go(1);
    assert_eq!(first.await.expect("a reader"), Ok(Some(7)));
    database.let_go(1);
    for other in others {
        assert_eq!(other.await.expect("a reader"), Ok(Some(8)));
    }
    assert_eq!(database.loads(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_end_of_one_load_forgets_nobody_who_waits_for_the_next() {
    let coherence = over(Arc::new(crate::cache::UncachedStore));
    let row = Row::of(&Database::open(Some(1)));
    let readers = (0..4).map(|_| {
        let (coherence, row) = (Arc::clone(&coherence), row.clone());
        tokio::spawn(async move {
            for _ in 0..20_000 {
                assert_eq!(coherence.read(row.clone()).await, Ok(Some(1)));
            }
        })
    });
    for reader in join_all(readers).await {
        assert!(reader.is_ok());
    }
}

#[tokio::test]
async fn a_failed_load_gives_the_lease_back() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    database.gate.close();
    assert_eq!(coherence.read(row.clone()).await, Err("closed"));
    assert_eq!(coherence.store.get(&row.key, None).await.expect("a store"), Lookup::Miss);
}

#[tokio::test]
async fn rubbish_is_replaced_and_a_fence_is_not() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    for rubbish in [&b"somebody's"[..], b"row ?"] {
        let Ok(Lookup::Lease(cas)) =
            coherence.store.get(&row.key, Some(Duration::from_secs(1))).await
        else {
            panic!("no lease");
        };
        let rubbish = Bytes::from_static(rubbish);
        let stored = coherence.store.replace(&row.key, rubbish, Duration::from_secs(60), cas);
        assert!(matches!(stored.await, Ok(Replaced::Stored(_))));
        assert_eq!(coherence.read(row.clone()).await, Ok(Some(7)));
        assert_eq!(coherence.peek(&row).await.expect("a store"), Some(7));
        coherence.invalidate(&row.key).await.expect("a store");
    }
    put_fence(&coherence, &row).await;
    assert_eq!(coherence.read(row.clone()).await, Ok(Some(7)));
    assert_eq!(coherence.peek(&row).await.expect("a store"), None);
}

#[tokio::test]
async fn refresh_replaces_a_row_and_respects_a_lease_and_a_fence() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    assert_eq!(coherence.read(row.clone()).await, Ok(Some(7)));
    database.write(Some(8));
    assert_eq!(coherence.refresh(row.clone()).await, Ok((Some(8), true)));
    assert_eq!(coherence.peek(&row).await.expect("a store"), Some(8));

    coherence.invalidate(&row.key).await.expect("a store");
    let lease = coherence.store.get(&row.key, Some(Duration::from_secs(10))).await;
    assert!(matches!(lease, Ok(Lookup::Lease(_))));
    assert_eq!(coherence.refresh(row.clone()).await, Ok((Some(8), false)));

    put_fence(&coherence, &row).await;
    assert_eq!(coherence.refresh(row.clone()).await, Ok((Some(8), false)));
    assert_eq!(coherence.peek(&row).await.expect("a store"), None);
}

#[tokio::test]
async fn an_invalidation_takes_a_lease_away_too() {
    let (coherence, database) = (coherence(), Database::held_up(Some(7)));
    let row = Row::of(&database);
    let reading = start_reading(&coherence, &row);
    database.loads_begun(1).await;
    database.write(Some(8));
    coherence.invalidate(&row.key).await.expect("a store");
    database.let_go(1);
    assert_eq!(reading.await.expect("a reader"), Ok(Some(7)));
    assert_eq!(coherence.peek(&row).await.expect("a store"), None);
}
