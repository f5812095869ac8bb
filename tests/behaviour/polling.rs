//! Waiting for conditions, and futures that are dropped halfway.

use futures_util::poll;
use std::{future::Future, pin::pin, task::Poll, time::Duration};
use tokio::time::{Instant, sleep};

const DEADLINE: Duration = Duration::from_secs(20);

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {DEADLINE:?}: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Polls once and drops. Whether it was in time: on a busy machine the answer may
/// be there already.
pub(crate) async fn cancelled<T>(future: impl Future<Output = T>) -> bool {
    poll!(pin!(future)).is_pending()
}

/// Polls up to so many times, with a little time in between, and drops. Whether
/// it got through.
pub(crate) async fn cancel_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(outcome) = poll!(&mut future) {
            return Some(outcome);
        }
        sleep(Duration::from_micros(300)).await;
    }
    None
}
