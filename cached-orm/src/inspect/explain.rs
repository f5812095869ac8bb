use super::{Age, CacheContent, Explanation, InDatabase, NearCopy, PATIENCE};
use crate::{
    Backend, CacheError, CacheKey, CachePolicy, Error, Operation, Orm, Persist, PrimaryKey as _,
    Result,
    coherence::{Content, Lying, Source as _, Unreadable, Value, is_over},
    entry::{Kind, Signing, facts},
    read::RowSource,
    sql::{Loaded, differing_from_loaded},
};
use std::time::Duration;
use tokio::time::timeout;

/// How often a key is looked at that is written meanwhile.
pub(super) const ATTEMPTS: usize = 4;

impl<DB: Backend> Orm<DB> {
    /// What lies in the cache for the row with this primary key, and how it differs
    /// from the database's.
    ///
    /// It asks cache, database and outbox, and changes nothing. What does not answer
    /// is told as such, so this has no errors. A difference is told only if what lay
    /// in the cache lay there before and after the database was asked.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) {
    /// println!("{}", orm.explain::<User>(7).await);
    /// # }
    /// ```
    pub async fn explain<T: Persist<DB>>(&self, key: T::Key) -> Explanation {
        let operation = Operation::on::<T>("explain");
        let trigger_text =
            CacheKey::outbox_text(T::CACHE_NAME, |text| key.write_instance_key(text));
        let source = RowSource::<DB, T>::new(self, key, operation);
        let cache_key = source.key();
        let mut attempts = 1;
        loop {
            let found = self.coherence().look(cache_key).await;
            let loaded = match timeout(PATIENCE, source.load()).await {
                Ok(loaded) => loaded,
                Err(_) => Err(Error::Overloaded { operation, waited: PATIENCE }),
            };
            let pending = self.pending(cache_key, Some(&trigger_text)).await.ok().flatten();
            let again = self.coherence().look(cache_key).await;
            let lay_there = same_version(&found, &again);
            if !lay_there && attempts < ATTEMPTS {
                attempts += 1;
                continue;
            }
            let mut explanation = self.explanation(cache_key, found.as_ref());
            explanation.pending = pending;
            explanation.database = Some(match &loaded {
                Ok(Some(_)) => InDatabase::Row,
                Ok(None) => InDatabase::NoRow,
                Err(error) => InDatabase::Failed(error.to_string()),
            });
            if let Ok(Lying::Value(value)) = &found {
                explain_row(&mut explanation, &source, value, loaded, lay_there);
            }
            return explanation;
        }
    }

    /// What lies under a key of the cache, whatever it is of. For tools that know
    /// tables by name: the database's row is not asked for, but the outbox is.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) {
    /// println!("{}", orm.explain_key(&orm.row_key("users", &["7"])).await);
    /// # }
    /// ```
    pub async fn explain_key(&self, key: &CacheKey) -> Explanation {
        let found = self.coherence().look(key).await;
        let mut explanation = self.explanation(key, found.as_ref());
        let trigger_text = key.trigger_text(self.namespace());
        explanation.pending = self.pending(key, trigger_text.as_deref()).await.ok().flatten();
        explanation
    }

    /// The cache key of a row of which the table is known by name: its struct's
    /// `cache_name`, which is the table's name if it has no other, and the text of
    /// each part of the primary key.
    ///
    /// An integer's text is its digits, a `bool`'s `1` or `0`, that of bytes their
    /// hexadecimal digits in lower case; other types' as [`KeyKind`](crate::KeyKind)
    /// says.
    ///
    /// ```no_run
    /// # fn example(orm: cached_orm::Orm<cached_orm::Postgres>) {
    /// assert_eq!(orm.row_key("regions", &["AD", "06"]).as_str(), "shop:regions:(AD)(06)");
    /// # }
    /// ```
    pub fn row_key(&self, cache_name: &str, parts: &[&str]) -> CacheKey {
        CacheKey::of_parts(self.namespace(), cache_name, parts)
    }

    /// Rows of the outbox that name the key, by any of its texts; `None` if there is no
    /// outbox.
    pub(super) async fn pending(
        &self,
        key: &CacheKey,
        trigger_text: Option<&str>,
    ) -> Result<Option<u64>> {
        const PENDING: Operation = Operation::new("pending");
        let asking = async {
            let mut connection = self.own_connection(PENDING).await?;
            let lower = trigger_text.unwrap_or(key.as_str());
            // Not every database has hexadecimal digits in lower case.
            let upper = trigger_text.map_or_else(|| lower.to_owned(), with_upper_digits);
            let texts = [key.as_str(), lower, &upper];
            let namespace = self.namespace().name();
            let answer = match DB::exists(&mut connection).await {
                Ok(true) => DB::count_of_key(&mut connection, namespace, texts).await.map(Some),
                Ok(false) => Ok(None),
                Err(error) => Err(error),
            };
            connection.answered();
            let rows = answer.map_err(Error::database(PENDING))?;
            Ok(rows.map(|rows| u64::try_from(rows).unwrap_or_default()))
        };
        match timeout(PATIENCE, asking).await {
            Ok(pending) => pending,
            Err(_) => Err(Error::Overloaded { operation: PENDING, waited: PATIENCE }),
        }
    }

    /// What can be said without knowing the struct.
    pub(super) fn explanation(
        &self,
        key: &CacheKey,
        found: Result<&Lying, &CacheError>,
    ) -> Explanation {
        let near = self.coherence().near_age(key);
        let mut explanation = Explanation {
            key: key.to_string(),
            server: self.store().server_name(key).map(|name| name.to_string()),
            content: CacheContent::Nothing,
            reason: None,
            ttl: None,
            age: None,
            bytes: None,
            unpacked_bytes: None,
            is_compressed: None,
            fingerprint: None,
            is_own_shape: None,
            writers: None,
            near: near.map(|(age, is_used)| NearCopy { age, is_used }),
            pending: None,
            database: None,
            agrees: None,
            differing: Vec::new(),
        };
        match found {
            Err(error) => {
                explanation.content = CacheContent::Unreachable;
                explanation.reason = Some(error.to_string());
            }
            Ok(Lying::Nothing) => {}
            Ok(Lying::Lease(_)) => explanation.content = CacheContent::Lease,
            Ok(Lying::Fence { writers, ttl, .. }) => {
                explanation.content = CacheContent::Fence;
                explanation.writers = Some(*writers);
                explanation.ttl = *ttl;
                let lived = ttl.map(|left| self.coherence().fence_ttl().saturating_sub(left));
                explanation.age = lived.map(|age| Age { at_least: age, at_most: age });
            }
            Ok(Lying::Value(value)) => explanation.describe(key, value, self.signing()),
        }
        explanation
    }
}

impl Explanation {
    fn describe(&mut self, key: &CacheKey, value: &Value, signing: &Signing) {
        self.ttl = value.ttl;
        self.bytes = Some(value.bytes.len());
        match facts(&value.bytes, key, signing) {
            Err(reason) => self.is_unusable(reason),
            Ok(facts) => {
                self.content = match facts.kind {
                    Kind::Row => CacheContent::Row,
                    Kind::Absent => CacheContent::Absent,
                    Kind::Keys => CacheContent::Keys,
                };
                self.is_compressed = Some(facts.is_compressed);
                self.unpacked_bytes = Some(facts.unpacked);
                let has_shape = facts.kind != Kind::Absent;
                self.fingerprint = has_shape.then(|| format!("{:016x}", facts.fingerprint));
            }
        }
        if value.stale {
            self.is_unusable(Unreadable::Stale);
        }
    }

    fn is_unusable(&mut self, reason: Unreadable) {
        self.content = CacheContent::Unusable;
        self.reason = Some(reason.to_string());
    }
}

/// A trigger's text with its hexadecimal digits in upper case, and its name as it is.
fn with_upper_digits(text: &str) -> String {
    let (name, parts) = text.split_at(text.find('(').unwrap_or(text.len()));
    format!("{name}{}", parts.to_ascii_uppercase())
}

/// What can be said of a value by who knows the struct.
fn explain_row<DB: Backend, T: Persist<DB>>(
    explanation: &mut Explanation,
    source: &RowSource<DB, T>,
    value: &Value,
    loaded: Result<Option<Loaded<T>>>,
    lay_there: bool,
) {
    if let Some(fingerprint) = &explanation.fingerprint {
        explanation.is_own_shape = Some(*fingerprint == format!("{:016x}", T::FINGERPRINT));
    }
    if explanation.content == CacheContent::Row {
        explanation.age = value.ttl.map(|left| age(&T::POLICY, left));
    }
    let cached = match source.decode(&value.bytes) {
        Content::Unreadable(reason) => return explanation.is_unusable(reason),
        _ if value.stale => return,
        Content::Row(row) => Some(row),
        Content::Absent => None,
    };
    if cached.is_some() && is_over(value.ttl, T::POLICY.stale_for()) {
        explanation.content = CacheContent::Expired;
        return;
    }
    let Ok(loaded) = loaded else { return };
    if !lay_there {
        return;
    }
    explanation.agrees = Some(match (cached, loaded) {
        (Some(cached), Some(loaded)) => {
            let differing = differing_from_loaded::<DB, T>(&cached, &loaded);
            explanation.differing = differing.into_iter().map(str::to_owned).collect();
            explanation.differing.is_empty()
        }
        (cached, loaded) => cached.is_none() && loaded.is_none(),
    });
}

/// How long ago a row was stored that is going to live for `left`.
fn age(policy: &CachePolicy, left: Duration) -> Age {
    let (shortest, longest) = policy.row_ttls();
    let (at_least, at_most) = (shortest.saturating_sub(left), longest.saturating_sub(left));
    Age { at_least, at_most }
}

/// Whether one version lay there at both times.
pub(super) fn same_version(
    found: &Result<Lying, CacheError>,
    again: &Result<Lying, CacheError>,
) -> bool {
    match (found, again) {
        (Ok(found), Ok(again)) => found.cas() == again.cas(),
        _ => false,
    }
}
