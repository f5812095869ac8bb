use super::{Afterwards, Coherence, commit::IsOver, fencing::Fencing};
use crate::cache::CacheError;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// The pauses between two questions about a transaction's end.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Coherence {
    /// Keeps the keys of a transaction fenced whose COMMIT has an unknown
    /// outcome, until the transaction is over.
    ///
    /// It never puts its rows in the cache, for the row locks may be gone. They
    /// may have been gone even before the fences were put, if the database had
    /// ended the transaction; a fence may then lie in the place of the next
    /// writer's, who needs it. So the fences are left to expire, unless the
    /// transaction is known to have been committed; but for those that are shared,
    /// which take nobody's place.
    pub(super) async fn keep_fenced<T: Afterwards>(
        self: Arc<Self>,
        mut fencing: Fencing,
        mut database: T,
    ) {
        let fence = fencing.fence.without_write_through();
        let keys: Vec<_> = fencing.touched().into_iter().map(|touched| touched.key).collect();
        let was_committed = loop {
            // One that fails is set by the next turn, or was never lost.
            let errors = self.renew(&mut fencing, fence).await;
            if is_closed(&errors) {
                return;
            }
            match over_within(&mut database, self.times.commit_window).await {
                IsOver::Committed => break true,
                IsOver::Ended => break false,
                IsOver::NotYet => {}
                IsOver::NeverKnown => return,
            }
        };
        let mut pause = FIRST_PAUSE;
        // Fences end by themselves; an old row that a reader has stored in the
        // place of a lost one does not.
        loop {
            let errors = self.clear_unreleased(&fencing, was_committed).await;
            if errors.is_empty() || is_closed(&errors) || fencing.enlist(&keys, &mut database).await
            {
                return;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn is_closed(errors: &[CacheError]) -> bool {
    errors.iter().any(|error| matches!(error, CacheError::Closed))
}

/// Asks for that long whether the transaction is over.
async fn over_within<T: Afterwards>(database: &mut T, time: Duration) -> IsOver {
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let over = database.is_over().await;
        if over != IsOver::NotYet || began.elapsed() + pause >= time {
            return over;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
