//! Waiting for conditions, and futures that are dropped halfway.

use futures_util::poll;
use std::{fmt::Debug, future::Future, pin::pin, task::Poll, time::Duration};
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

/// Polls once and drops; the future must not be through by then.
pub(crate) async fn cancel<T: Debug>(future: impl Future<Output = T>) {
    let outcome = poll!(pin!(future));
    assert!(outcome.is_pending(), "it was not to be cancelled in time: {outcome:?}");
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
