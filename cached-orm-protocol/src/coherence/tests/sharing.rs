//! Fences that several transactions hold at once.

use super::committing::{Ending, Outbox, Writing, is_fence, lies};
use super::stores::{Altering, Failing, Noting, failing};
use super::*;
use crate::{
    cache::{Lookup, Over, Replaced},
    coherence::{
        fence::{Fence, Token},
        shared_fence::SharedFence,
    },
};
use tokio::time::sleep;

fn journal(row: &Row) -> Journal {
    let mut journal = Journal::default();
    journal.touch_shared(row.key.clone());
    journal
}

/// A transaction of a row of its own, that is fenced.
async fn fence(coherence: &Coherence, row: &Row) -> Fencing {
    let fencing = coherence.fence(journal(row), &mut Outbox::default()).await;
    fencing.ok().expect("fenced")
}

async fn release(coherence: &Coherence, fencing: Fencing) {
    assert_eq!(coherence.release(fencing, Outbox::default()).await, 0);
}

/// The tokens that lie under the key.
async fn tokens(coherence: &Coherence, row: &Row) -> Option<SharedFence> {
    match lies(coherence, row).await {
        Lookup::Item { value, .. } => SharedFence::parse(&value),
        _ => None,
    }
}

async fn put(coherence: &Coherence, row: &Row, value: Bytes) {
    let ttl = coherence.times.fence_ttl;
    let stored = coherence.store.fence(&row.key, value, ttl, Over::Anything).await;
    assert!(matches!(stored, Ok(Replaced::Stored(_))));
}

async fn evict(coherence: &Coherence, row: &Row) {
    let (Lookup::Item { cas, .. } | Lookup::Leased(cas)) = lies(coherence, row).await else {
        panic!("nothing to evict")
    };
    coherence.store.delete(&row.key, cas).await.expect("a store");
}

#[tokio::test]
async fn a_fence_stays_until_its_last_transaction_is_over() {
    for is_first_first in [true, false] {
        let (coherence, database) = (coherence(), Database::open(Some(7)));
        let row = Row::of(&database);
        assert_eq!(coherence.read(row.clone()).await, Ok(Some(7)));
        let (one, other) = (fence(&coherence, &row).await, fence(&coherence, &row).await);
        database.write(Some(8));
        let (ends, stays) = if is_first_first { (one, other) } else { (other, one) };
        release(&coherence, ends).await;
        assert_eq!(coherence.read(row.clone()).await, Ok(Some(8)));
        // It was not stored: the other may still commit.
        database.write(Some(9));
        assert_eq!(coherence.read(row.clone()).await, Ok(Some(9)));
        release(&coherence, stays).await;
        assert_eq!(lies(&coherence, &row).await, Lookup::Miss);
        assert_eq!(coherence.read(row.clone()).await, Ok(Some(9)));
        assert!(matches!(lies(&coherence, &row).await, Lookup::Item { .. }));
    }
}

#[tokio::test]
async fn many_transactions_share_one_fence() {
    let (coherence, database) = (coherence(), Database::open(Some(0)));
    let row = Row::of(&database);
    let transactions = (1..=100).map(|value| {
        let (coherence, row) = (Arc::clone(&coherence), row.clone());
        let writing = Writing::new(&row, Some(value), Ending::Commits);
        tokio::spawn(async move { coherence.commit(writing, journal(&row)).await })
    });
    for transaction in futures_util::future::join_all(transactions).await {
        assert!(matches!(transaction, Ok(Ok(0))));
    }
    assert_eq!(coherence.read(row).await, Ok(database.read()));
}

/// Two round trips before COMMIT and one after, and two more for each time that
/// another comes between.
#[tokio::test]
async fn what_a_shared_fence_costs() {
    let store = Arc::new(Noting::new());
    let coherence = over(Arc::clone(&store) as Arc<dyn CacheStore>);
    let row = Row::of(&Database::open(Some(7)));
    let one = fence(&coherence, &row).await;
    assert_eq!(store.commands(), ["get", "fence"]);
    release(&coherence, one).await;
    assert_eq!(store.commands(), ["delete"]);

    let (one, other) = (fence(&coherence, &row).await, fence(&coherence, &row).await);
    assert_eq!(store.commands(), ["get", "fence", "get", "fence"]);
    release(&coherence, other).await;
    assert_eq!(store.commands(), ["fence"]);
    release(&coherence, one).await;
    assert_eq!(store.commands(), ["delete", "get", "delete"]);
}

#[tokio::test]
async fn touching_a_list_twice_is_one_token() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let mut twice = journal(&row);
    twice.touch_shared(row.key.clone());
    let fencing = coherence.fence(twice, &mut Outbox::default()).await.ok().expect("fenced");
    assert_eq!(fencing.len(), 1);
    let one = SharedFence::of(fencing.own[0]);
    assert_eq!(tokens(&coherence, &row).await, Some(one));
}

#[tokio::test]
async fn what_was_rolled_back_leaves_the_others_their_fence() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let other = fence(&coherence, &row).await;
    let writing = Writing::new(&row, Some(8), Ending::Refused);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row)).await;
    assert!(matches!(outcome, Err(CommitFailure::RolledBack(_))));
    assert_eq!(tokens(&coherence, &row).await, Some(SharedFence::of(other.own[0])));
}

#[tokio::test(start_paused = true)]
async fn a_token_stays_until_the_outcome_is_known_and_lies_beside_others() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let outbox = Outbox::default();
    let writing = Writing::new(&row, Some(8), Ending::Unknown).with(&outbox);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row)).await;
    assert!(matches!(outcome, Err(CommitFailure::Unknown(_))));
    for _ in 0..4 {
        // Evicted, it is put again.
        evict(&coherence, &row).await;
        sleep(coherence.times.fence_ttl).await;
        assert!(is_fence(&lies(&coherence, &row).await));
    }
    let next = fence(&coherence, &row).await;
    outbox.is_over.store(true, Ordering::SeqCst);
    sleep(coherence.times.commit_window * 2).await;
    assert_eq!(tokens(&coherence, &row).await, Some(SharedFence::of(next.own[0])));
    release(&coherence, next).await;
    assert_eq!(lies(&coherence, &row).await, Lookup::Miss);
}

#[tokio::test(start_paused = true)]
async fn the_token_of_a_writer_that_died_ends_with_its_fence() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    drop(fence(&coherence, &row).await);
    sleep(coherence.times.fence_ttl / 2).await;
    let next = fence(&coherence, &row).await;
    release(&coherence, next).await;
    sleep(coherence.times.fence_ttl * 3 / 4).await;
    assert!(is_fence(&lies(&coherence, &row).await));
    sleep(coherence.times.fence_ttl / 2).await;
    assert_eq!(coherence.read(row.clone()).await, Ok(Some(7)));
    assert!(matches!(lies(&coherence, &row).await, Lookup::Item { .. }));
}

/// Others write all the time, and keep the fence.
#[tokio::test(start_paused = true)]
async fn the_token_of_a_writer_that_died_ends_even_if_others_write_on() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let (life, pause) = (coherence.times.fence_ttl, Duration::from_secs(1));
    let died = tokio::time::Instant::now();
    drop(fence(&coherence, &row).await);
    while is_fence(&lies(&coherence, &row).await) {
        assert!(died.elapsed() < life * 2);
        let next = fence(&coherence, &row).await;
        sleep(pause).await;
        release(&coherence, next).await;
    }
    assert!(died.elapsed() > life);
}

/// It does not count as one that has died.
#[tokio::test(start_paused = true)]
async fn the_token_of_a_commit_that_takes_long_stays() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let writing = Writing::new(&row, Some(8), Ending::CommitsLate);
    let committing = tokio::spawn(Arc::clone(&coherence).commit(writing, journal(&row)));
    // It takes three lives of a fence.
    for _ in 0..170 {
        sleep(Duration::from_secs(1)).await;
        let next = fence(&coherence, &row).await;
        release(&coherence, next).await;
        assert!(is_fence(&lies(&coherence, &row).await));
    }
    assert!(matches!(committing.await, Ok(Ok(0))));
    assert_eq!(lies(&coherence, &row).await, Lookup::Miss);
}

#[tokio::test]
async fn what_came_in_the_place_of_a_lost_fence_is_taken_away() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    for is_leased_only in [true, false] {
        let fencing = fence(&coherence, &row).await;
        evict(&coherence, &row).await;
        if is_leased_only {
            let lease = coherence.store.get(&row.key, Some(coherence.times.lease_ttl)).await;
            assert!(matches!(lease, Ok(Lookup::Lease(_))));
        } else {
            assert_eq!(coherence.read(row.clone()).await, Ok(Some(7)));
        }
        release(&coherence, fencing).await;
        assert_eq!(lies(&coherence, &row).await, Lookup::Miss);
    }
}

#[tokio::test]
async fn in_the_place_of_a_lost_fence_that_of_another_is_left() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let one = fence(&coherence, &row).await;
    evict(&coherence, &row).await;
    let other = fence(&coherence, &row).await;
    release(&coherence, one).await;
    assert_eq!(tokens(&coherence, &row).await, Some(SharedFence::of(other.own[0])));
}

#[tokio::test]
async fn an_invalidation_keeps_every_token() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let (one, other) = (fence(&coherence, &row).await, fence(&coherence, &row).await);
    coherence.invalidate(&row.key).await.expect("a store");
    let both = SharedFence::of(one.own[0]).with(other.own[0]);
    assert_eq!(tokens(&coherence, &row).await, Some(both));
    release(&coherence, one).await;
    release(&coherence, other).await;
    assert_eq!(lies(&coherence, &row).await, Lookup::Miss);
}

/// The command is carried out, or not, when its writer has given up.
#[tokio::test]
async fn a_fence_that_comes_late_takes_nobodys_place() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let (late, ttl) = (Token::new(), coherence.times.fence_ttl);
    let seen = lies(&coherence, &row).await;
    assert_eq!(seen, Lookup::Miss);
    let next = fence(&coherence, &row).await;
    let fence = SharedFence::of(late).to_bytes();
    let stored = coherence.store.fence(&row.key, fence.clone(), ttl, Over::Nothing).await;
    assert!(matches!(stored, Ok(Replaced::Exists)));
    release(&coherence, next).await;
    // Or it is alone, and its writer takes it away.
    let stored = coherence.store.fence(&row.key, fence, ttl, Over::Nothing).await;
    assert!(matches!(stored, Ok(Replaced::Stored(_))));
    coherence.leave_fence(&row.key, &[late]).await.expect("a store");
    assert_eq!(lies(&coherence, &row).await, Lookup::Miss);
}

#[tokio::test]
async fn a_list_that_cannot_be_fenced_goes_to_the_outbox_or_fails_the_write() {
    for outbox in [Outbox::installed(), Outbox::default()] {
        let (store, coherence) = failing();
        let database = Database::open(Some(7));
        let row = Row::of(&database);
        store.fails.store(true, Ordering::SeqCst);
        let writing = Writing::new(&row, Some(8), Ending::Commits).with(&outbox);
        let outcome = Arc::clone(&coherence).commit(writing, journal(&row)).await;
        if outbox.keys().is_empty() {
            assert!(matches!(outcome, Err(CommitFailure::NotFenced(_))));
            assert_eq!(database.read(), Some(7));
        } else {
            assert!(matches!(outcome, Ok(0)));
            assert_eq!(outbox.keys(), [row.key]);
        }
    }
}

#[tokio::test]
async fn a_release_without_an_answer_goes_to_the_outbox() {
    let (store, coherence): (Arc<Failing>, _) = failing();
    let database = Database::open(Some(7));
    let row = Row::of(&database);
    let outbox = Outbox::installed();
    let writing = Writing::new(&row, Some(8), Ending::CommitsWithout(store)).with(&outbox);
    let outcome = Arc::clone(&coherence).commit(writing, journal(&row)).await;
    assert!(matches!(outcome, Ok(0)));
    assert_eq!(outbox.keys(), [row.key]);
}

/// Others come first each time: then the fence has to stay until it expires.
#[tokio::test]
async fn a_fence_under_contention_stays() {
    let database = Database::open(Some(7));
    let row = Row::of(&database);
    let coherence = over(Arc::new(Altering::always()));
    let other = Token::new();
    put(&coherence, &row, SharedFence::of(other).to_bytes()).await;
    let fencing = fence(&coherence, &row).await;
    let own = fencing.own[0];
    let fence = tokens(&coherence, &row).await.expect("a fence");
    assert!(fence.has_any(&[own]) && !fence.has_any(&[other]));
    release(&coherence, fencing).await;
    // Neither could it be taken away; it protects whoever it lies over.
    assert!(tokens(&coherence, &row).await.is_some());
}

/// Bytes that changed on their way are not taken for somebody's rubbish.
#[tokio::test]
async fn a_fence_that_is_damaged_on_its_way_is_kept() {
    let database = Database::open(Some(7));
    let row = Row::of(&database);
    let other = Token::new();
    let coherence = over(Arc::new(Altering::damaging(1)));
    put(&coherence, &row, SharedFence::of(other).to_bytes()).await;
    let fencing = fence(&coherence, &row).await;
    let both = tokens(&coherence, &row).await.expect("a fence");
    assert!(both.has_any(&[other]) && both.has_any(&[fencing.own[0]]));
    release(&coherence, fencing).await;
    assert_eq!(tokens(&coherence, &row).await, Some(SharedFence::of(other)));
    // Rubbish does not keep anybody from fencing.
    put(&coherence, &row, Bytes::from_static(b"rubbish")).await;
    let fencing = fence(&coherence, &row).await;
    assert_eq!(tokens(&coherence, &row).await, Some(SharedFence::of(fencing.own[0])));
}

#[tokio::test]
async fn a_fence_of_a_later_version_is_respected() {
    let (coherence, database) = (coherence(), Database::open(Some(7)));
    let row = Row::of(&database);
    let later = [&Fence::new().to_bytes()[..], b"and more"].concat();
    put(&coherence, &row, later.into()).await;
    let fencing = fence(&coherence, &row).await;
    release(&coherence, fencing).await;
    assert!(is_fence(&lies(&coherence, &row).await));
}
