//! What explains that an entry differs from the database.

use super::{Audit, AuditOptions, Disagreement};
use crate::{Backend, CacheError, CacheKey, Orm, Result, cache::Cas, coherence::Lying};
use serde::Serialize;
use tokio::time::sleep;

/// Why an entry differs from the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It was gone a moment later: a write came between.
    Overtaken,
    /// A row of the outbox names its key.
    Pending,
    /// Nothing explains it.
    Unexplained,
}

/// An entry that differs from what the database had after the entry was found.
pub(super) struct Suspect {
    pub(super) key: CacheKey,
    /// What triggers write for it into the outbox.
    pub(super) trigger_text: String,
    /// The version of the entry that was found.
    pub(super) version: Cas,
    pub(super) is_in_cache: bool,
    pub(super) is_in_database: bool,
    pub(super) columns: Vec<String>,
}

impl Suspect {
    fn is(&self, found: &Result<Lying, CacheError>) -> bool {
        found.as_ref().is_ok_and(|found| found.cas() == Some(self.version))
    }
}

impl<DB: Backend> Orm<DB> {
    /// Tells and counts what explains each difference.
    ///
    /// The order matters: whoever drains a row of the outbox takes the entry away
    /// first. So if there was no such row, and the entry is there still, there had been
    /// none.
    pub(super) async fn judge(
        &self,
        entity: &str,
        suspects: Vec<Suspect>,
        options: AuditOptions,
        audit: &mut Audit,
    ) -> Result<()> {
        if suspects.is_empty() {
            return Ok(());
        }
        let mut are_pending = Vec::with_capacity(suspects.len());
        for suspect in &suspects {
            let rows = self.pending(&suspect.key, Some(&suspect.trigger_text)).await?;
            are_pending.push(rows.is_some_and(|rows| rows > 0));
        }
        let keys: Vec<_> = suspects.iter().map(|suspect| suspect.key.clone()).collect();
        let after = self.coherence().look_at_many(&keys).await;
        // A writer whose fence the cache has dropped takes away, before it
        // acknowledges, what readers have put in its place.
        sleep(options.settle).await;
        let later = self.coherence().look_at_many(&keys).await;
        let looks = after.iter().zip(&later);
        for ((suspect, is_pending), (after, later)) in
            suspects.into_iter().zip(are_pending).zip(looks)
        {
            let verdict = match (suspect.is(after), is_pending) {
                (true, true) => Verdict::Pending,
                (true, false) if suspect.is(later) => Verdict::Unexplained,
                _ => Verdict::Overtaken,
            };
            self.count(verdict, entity, audit);
            let Suspect { key, is_in_cache, is_in_database, columns, .. } = suspect;
            let key = key.to_string();
            tracing::debug!(key, ?verdict, ?columns, "an entry differs from the database");
            if audit.differences.len() < options.most_told {
                let difference =
                    Disagreement { key, verdict, is_in_cache, is_in_database, columns };
                audit.differences.push(difference);
            }
        }
        Ok(())
    }

    fn count(&self, verdict: Verdict, entity: &str, audit: &mut Audit) {
        let counters = self.counters();
        match verdict {
            Verdict::Overtaken => {
                audit.overtaken += 1;
                counters.audits_overtaken.add_one();
            }
            Verdict::Pending => {
                audit.pending += 1;
                counters.audits_pending.add_one();
            }
            Verdict::Unexplained => {
                audit.unexplained += 1;
                counters.audits_unexplained.add_one();
                tracing::warn!(
                    entity,
                    "an entry differs from the database, and nothing explains it"
                );
            }
        }
    }
}
