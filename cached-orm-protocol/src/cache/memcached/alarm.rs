use std::pin::Pin;
use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is set seldom. To set one for each batch would cost more than the
/// batch's own system calls; so it is left as it is as long as it fires early enough,
/// and set to the batch's end only if it has fired before that.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Waits until `deadline`. Dropped before that, it is as good as new.
    pub(super) async fn wait(&mut self, deadline: Instant) {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        loop {
            sleep.as_mut().await;
            if Instant::now() >= deadline {
                return;
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::{advance, timeout};

    #[tokio::test(start_paused = true)]
    async fn it_fires_at_each_deadline_and_not_before() {
        let mut alarm = Alarm::default();
        for millis in [50, 20, 20, 100, 1] {
            let begun = Instant::now();
            let wait = Duration::from_millis(millis);
            alarm.wait(begun + wait).await;
            assert_eq!(begun.elapsed(), wait);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_not_waited_for_does_not_ring_for_the_next() {
        let mut alarm = Alarm::default();
        for _ in 0..10 {
            let deadline = Instant::now() + Duration::from_millis(50);
            let done = timeout(Duration::from_millis(30), alarm.wait(deadline)).await;
            assert!(done.is_err());
            advance(Duration::from_millis(7)).await;
        }
    }
}
