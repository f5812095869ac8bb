use super::{Lines, Verdict, hits::Hit, verdict::Suspect};
use crate::{
    Backend, CacheKey, Operation, Orm, Persist, PrimaryKey as _, Result,
    coherence::{Content, Source as _, Value, is_over},
    read::{RowSource, at_once},
    sql::differing_from_loaded,
};
use serde::Serialize;
use std::{collections::HashSet, fmt, time::Duration};
use tokio::time::sleep;

/// How an [`audit`](Orm::audit) is done.
///
/// ```
/// use cached_orm::AuditOptions;
/// use std::time::Duration;
///
/// let options = AuditOptions::default().settle(Duration::from_secs(1)).most_told(10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditOptions {
    pub(super) settle: Duration,
    pub(super) most_told: usize,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { settle: Duration::from_millis(100), most_told: 100 }
    }
}

impl AuditOptions {
    /// How long after the cache the database is asked; and how long an entry must
    /// lie there, differing, to count as unexplained. Default: 100 ms.
    #[must_use]
    pub const fn settle(mut self, time: Duration) -> Self {
        self.settle = time;
        self
    }

    /// Of how many entries that differ the report tells key and columns. All are
    /// counted. Default: 100.
    #[must_use]
    pub const fn most_told(mut self, entries: usize) -> Self {
        self.most_told = entries;
        self
    }
}

/// What an [`audit`](Orm::audit) has found. It prints as a table, and serializes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Audit {
    /// Keys that were asked for: the sum of the following counts.
    pub asked: u64,
    /// Keys for which the cache had nothing to compare: nothing, a lease, a fence, an
    /// entry of another shape, or a row whose time is over.
    pub not_cached: u64,
    /// Keys for which the cache did not answer.
    pub unanswered: u64,
    /// Entries that said what the database says.
    pub agreed: u64,
    /// Entries that differed and were gone a moment later: a write came between.
    pub overtaken: u64,
    /// Entries that differ, while a row of the outbox names their key: the cache has
    /// still to be told.
    pub pending: u64,
    /// Entries that differ and that nothing explains: SQL past this crate without
    /// triggers, a database that was restored, or a broken promise.
    pub unexplained: u64,
    /// The first of those that differ.
    pub differences: Vec<Disagreement>,
}

/// An entry that differs from the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Disagreement {
    /// The key in the cache.
    pub key: String,
    /// What became of it, or explains it.
    pub verdict: Verdict,
    /// Whether the cache says that there is a row.
    pub is_in_cache: bool,
    /// Whether the database has one.
    pub is_in_database: bool,
    /// The columns in which they differ, if both have one.
    pub columns: Vec<String>,
}

impl Audit {
    /// Entries that were compared with the database.
    pub const fn compared(&self) -> u64 {
        self.agreed + self.overtaken + self.pending + self.unexplained
    }
}

impl<DB: Backend> Orm<DB> {
    /// Compares what the cache has for these primary keys with the database, some
    /// moments later, and tells for each difference what explains it. `progress` is
    /// called after every chunk of keys, of which there are as many as in
    /// [`fetch_many`](crate::MemcachedOrm::fetch_many).
    ///
    /// An entry is compared if a read would be answered by it. Nothing is put in the
    /// cache or taken out of it. Copies in processes (`near_ttl`) and entries of
    /// indexes, which are only hints, are not looked at.
    ///
    /// Writes may go on meanwhile, and are never taken for something unexplained: a
    /// writer's fence takes the entry's place before its COMMIT. So an entry that has
    /// one version before and after the database was asked was not written while it
    /// lay there; if it differs, and the outbox had no row for it in between, nobody
    /// is going to correct it.
    ///
    /// # Errors
    /// [`Error::Database`](crate::Error::Database) if the rows or the outbox cannot be
    /// read.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// use cached_orm::AuditOptions;
    ///
    /// let audit = orm.audit::<User>(1..=10_000, AuditOptions::default(), |_| {}).await?;
    /// println!("{audit}");
    /// assert_eq!(audit.unexplained, 0);
    /// # Ok(()) }
    /// ```
    pub async fn audit<T: Persist<DB>>(
        &self,
        keys: impl IntoIterator<Item = T::Key, IntoIter: Send> + Send,
        options: AuditOptions,
        mut progress: impl FnMut(&Audit) + Send,
    ) -> Result<Audit> {
        let mut keys = keys.into_iter();
        let mut audit = Audit::default();
        loop {
            let chunk: Vec<_> = keys.by_ref().take(at_once::<T>()).collect();
            if chunk.is_empty() {
                return Ok(audit);
            }
            let hits = self.row_hits::<T>(chunk, &mut audit).await;
            if !hits.is_empty() {
                sleep(options.settle).await;
                let suspects = self.row_suspects(hits, &mut audit).await?;
                self.judge(T::NAME, suspects, options, &mut audit).await?;
            }
            progress(&audit);
        }
    }

    /// The entries of these keys that answer reads; each key is taken once.
    async fn row_hits<T: Persist<DB>>(
        &self,
        keys: Vec<T::Key>,
        audit: &mut Audit,
    ) -> Vec<Hit<RowSource<DB, T>, Option<T>>> {
        let operation = Operation::on::<T>("audit");
        let mut seen = HashSet::new();
        let sources: Vec<_> = keys
            .into_iter()
            .map(|key| RowSource::<DB, T>::new(self, key, operation))
            .filter(|source| seen.insert(source.key().clone()))
            .collect();
        let cache_keys: Vec<_> = sources.iter().map(|source| source.key().clone()).collect();
        let read = |source: &RowSource<DB, T>, entry: &Value| match source.decode(&entry.bytes) {
            Content::Row(_) if is_over(entry.ttl, T::POLICY.stale_for()) => None,
            Content::Row(row) => Some(Some(row)),
            Content::Absent => Some(None),
            Content::Unreadable(_) => None,
        };
        self.hits(sources, &cache_keys, read, audit).await
    }

    /// Those among them that differ from the database; those that agree are counted.
    async fn row_suspects<T: Persist<DB>>(
        &self,
        hits: Vec<Hit<RowSource<DB, T>, Option<T>>>,
        audit: &mut Audit,
    ) -> Result<Vec<Suspect>> {
        let sources: Vec<_> = hits.iter().map(|hit| hit.asked.clone()).collect();
        let loaded = RowSource::load_many(&sources).await?;
        let mut suspects = Vec::new();
        for (hit, loaded) in hits.into_iter().zip(loaded) {
            let Hit { asked: source, entry, content: cached } = hit;
            let (is_in_cache, is_in_database) = (cached.is_some(), loaded.is_some());
            let columns = match (cached, loaded) {
                (Some(cached), Some(loaded)) => {
                    let differing = differing_from_loaded::<DB, T>(&cached, &loaded);
                    differing.into_iter().map(str::to_owned).collect()
                }
                _ => Vec::new(),
            };
            if is_in_cache == is_in_database && columns.is_empty() {
                audit.agreed += 1;
                self.counters().audits_agreed.add_one();
                continue;
            }
            suspects.push(Suspect {
                key: source.key().clone(),
                trigger_text: CacheKey::outbox_text(T::CACHE_NAME, |text| {
                    source.row_key().write_instance_key(text);
                }),
                version: entry.cas,
                is_in_cache,
                is_in_database,
                columns,
            });
        }
        Ok(suspects)
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines(f);
        lines.line("asked", self.asked)?;
        lines.line("not cached", self.not_cached)?;
        lines.line("unanswered", self.unanswered)?;
        lines.line("agreed", self.agreed)?;
        lines.line("overtaken", self.overtaken)?;
        lines.line("pending", self.pending)?;
        lines.line("unexplained", self.unexplained)?;
        for difference in &self.differences {
            let Disagreement { key, verdict, is_in_cache, is_in_database, columns } = difference;
            let what = match (is_in_cache, is_in_database) {
                (true, false) => "a row in the cache, none in the database".to_owned(),
                (false, true) => "a row in the database, \"no such row\" in the cache".to_owned(),
                _ => columns.join(", "),
            };
            lines.line("", format_args!("{key}: {verdict:?}: {what}"))?;
        }
        Ok(())
    }
}
