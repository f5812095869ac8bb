//! Futures that are dropped at a certain point.

use std::{
    env,
    future::poll_fn,
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Where a future is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// After so many polls,
    polls: usize,
    /// as soon as that is done, or when something has come that it waits for.
    at_once: bool,
}

impl Cut {
    /// Polls `future` whenever it has been woken, and drops it; what it gave if it
    /// got through.
    pub(crate) async fn apply<F: Future>(self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut left = self.polls;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if left == 0 && self.at_once => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

/// What a future gives that is not dropped; it must not hang.
pub(crate) async fn in_time<F: Future>(what: &str, future: F) -> F::Output {
    const DEADLINE: Duration = Duration::from_secs(60);
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what}: what follows hangs"))
}

/// Every point at which a future can be dropped, until it gets through.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    next: usize,
    is_through: bool,
}

impl Cuts {
    pub(crate) fn next(&mut self) -> Option<Cut> {
        const MOST: usize = 2_000;
        if self.is_through {
            return None;
        }
        assert!(self.next < MOST, "it never gets through");
        let cut = Cut { polls: 1 + self.next / 2, at_once: self.next.is_multiple_of(2) };
        // The short form takes turns between the two.
        self.next += if seconds().is_some() { 1 } else { 3 };
        Some(cut)
    }

    /// Notes whether the future got through.
    pub(crate) fn note<T>(&mut self, output: Option<&T>) {
        self.is_through = output.is_some();
    }
}

/// How long the long form is to run, if it is asked for.
pub(crate) fn seconds() -> Option<u64> {
    let seconds = env::var("CANCELLATION_SECONDS").ok()?;
    Some(seconds.parse().expect("CANCELLATION_SECONDS is a number of seconds"))
}

/// Whether what began then is to be done once more.
pub(crate) fn goes_on(began: Instant) -> bool {
    seconds().is_some_and(|seconds| began.elapsed() < Duration::from_secs(seconds))
}
