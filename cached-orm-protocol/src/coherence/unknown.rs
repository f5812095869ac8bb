use super::{Afterwards, Coherence, commit::IsOver, fencing::Fencing};
use crate::cache::CacheError;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::{sleep, timeout_at};

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
        fencing.forbid_write_through();
        let keys: Vec<_> = fencing.touched().into_iter().map(|touched| touched.key).collect();
        let was_committed = {
            let mut ending = pin!(end_of(&mut database));
            loop {
                // One that fails is set by the next turn, or was never lost.
                let errors = self.renew(&mut fencing).await;
                if is_closed(&errors) {
                    return;
                }
                // The database may not answer either: fences do not wait for it.
                let renewal = fencing.since + self.times.renew_after;
                match timeout_at(renewal, &mut ending).await {
                    Ok(Some(was_committed)) => break was_committed,
                    Ok(None) => return,
                    Err(_) => {}
                }
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

/// Asks until the transaction is over; says whether it was committed, for certain.
/// `None` if that will never be known.
async fn end_of<T: Afterwards>(database: &mut T) -> Option<bool> {
    let mut pause = FIRST_PAUSE;
    loop {
        match database.is_over().await {
            IsOver::Committed => return Some(true),
            IsOver::Ended => return Some(false),
            IsOver::NeverKnown => return None,
            IsOver::NotYet => sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
