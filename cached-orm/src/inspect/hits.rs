//! Entries that answer reads, for an audit to compare.

use super::Audit;
use crate::{
    Backend, CacheKey, Orm,
    coherence::{Lying, Value},
};

/// An entry that answers reads.
pub(super) struct Hit<A, C> {
    /// For what the cache was asked.
    pub(super) asked: A,
    pub(super) entry: Value,
    /// What the entry says.
    pub(super) content: C,
}

impl<DB: Backend> Orm<DB> {
    /// The entries under these keys that answer reads; the others are counted. `asked`
    /// has one item for each key. `read` tells what an entry says, if it answers.
    pub(super) async fn hits<A: Send, C: Send>(
        &self,
        asked: Vec<A>,
        keys: &[CacheKey],
        read: impl Fn(&A, &Value) -> Option<C> + Send,
        audit: &mut Audit,
    ) -> Vec<Hit<A, C>> {
        let found = self.coherence().look_at_many(keys).await;
        let mut hits = Vec::new();
        for (asked, found) in asked.into_iter().zip(found) {
            audit.asked += 1;
            let entry = match found {
                Ok(Lying::Value(entry)) if !entry.stale => entry,
                Ok(_) => {
                    audit.not_cached += 1;
                    continue;
                }
                Err(_) => {
                    audit.unanswered += 1;
                    continue;
                }
            };
            match read(&asked, &entry) {
                Some(content) => hits.push(Hit { asked, entry, content }),
                None => audit.not_cached += 1,
            }
        }
        hits
    }
}
