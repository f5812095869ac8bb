use std::time::Duration;

/// The longest life that memcached takes as a number of seconds. More would be a date,
/// whose end depends on the server's clock, and which it stops to take in 2038.
const MAX_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// What a row's own time has of that at least, and what follows it has too.
const HALF_OF_IT: Duration = Duration::from_secs(15 * 24 * 60 * 60);

/// How long an entity's rows stay in the cache, and in what form.
///
/// The derive writes it from `#[orm(ttl = …, ttl_jitter = …, negative_ttl = …,
/// min_compress_len = …)]`:
///
/// ```
/// use cached_orm::CachePolicy;
/// use std::time::Duration;
///
/// const POLICY: CachePolicy = CachePolicy::DEFAULT.ttl(Duration::from_secs(600)).ttl_jitter(0.2);
/// # assert_ne!(POLICY, CachePolicy::DEFAULT);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CachePolicy {
    ttl: Duration,
    ttl_jitter: f64,
    negative_ttl: Option<Duration>,
    min_compress_len: Option<usize>,
    near_ttl: Option<Duration>,
    early_refresh: Option<Duration>,
    stale_if_error: Option<Duration>,
}

impl CachePolicy {
    /// An hour, spread by a tenth; absent rows for five seconds; no compression;
    /// no copies in the process.
    ///
    /// ```
    /// use cached_orm::CachePolicy;
    /// use std::time::Duration;
    ///
    /// assert_eq!(CachePolicy::DEFAULT, CachePolicy::DEFAULT.ttl(Duration::from_secs(3600)));
    /// ```
    pub const DEFAULT: Self = Self {
        ttl: Duration::from_secs(3600),
        ttl_jitter: 0.1,
        negative_ttl: Some(Duration::from_secs(5)),
        min_compress_len: None,
        near_ttl: None,
        early_refresh: None,
        stale_if_error: None,
    };

    /// How long a row stays. Whole seconds, rounded up; at least one, and at
    /// most 30 days, together with [`stale_if_error`](Self::stale_if_error).
    ///
    /// ```
    /// use cached_orm::CachePolicy;
    /// use std::time::Duration;
    ///
    /// const POLICY: CachePolicy = CachePolicy::DEFAULT.ttl(Duration::from_secs(600));
    /// ```
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// The part of the TTL by which it is shortened at random, from 0 to 1, so
    /// that rows filled together do not expire together.
    ///
    /// ```
    /// use cached_orm::CachePolicy;
    ///
    /// const POLICY: CachePolicy = CachePolicy::DEFAULT.ttl_jitter(0.2);
    /// ```
    #[must_use]
    pub const fn ttl_jitter(mut self, part: f64) -> Self {
        // NaN fits into no range.
        self.ttl_jitter = if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) };
        self
    }

    /// How long "no such row" is remembered; `None` for not at all.
    ///
    /// ```
    /// use cached_orm::CachePolicy;
    ///
    /// const POLICY: CachePolicy = CachePolicy::DEFAULT.negative_ttl(None);
    /// ```
    #[must_use]
    pub const fn negative_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.negative_ttl = ttl;
        self
    }

    /// Compress values of that many bytes and more, if it makes them smaller;
    /// `None` for never. Without the feature `lz4` nothing is compressed.
    ///
    /// ```
    /// use cached_orm::CachePolicy;
    ///
    /// const POLICY: CachePolicy = CachePolicy::DEFAULT.min_compress_len(Some(1024));
    /// ```
    #[must_use]
    pub const fn min_compress_len(mut self, bytes: Option<usize>) -> Self {
        self.min_compress_len = bytes;
        self
    }

    /// How long a copy of what the cache has said answers in this process, without
    /// the cache being asked; `None` for not at all.
    ///
    /// Reads may then be that much older than what another process has written.
    /// What is written through the same [`Orm`](crate::Orm) is seen at once.
    ///
    /// ```
    /// use cached_orm::CachePolicy;
    /// use std::time::Duration;
    ///
    /// const POLICY: CachePolicy = CachePolicy::DEFAULT.near_ttl(Some(Duration::from_secs(1)));
    /// ```
    #[must_use]
    pub const fn near_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.near_ttl = ttl;
        self
    }

    /// A hit on a row that lives no longer than this has one reader load the row anew,
    /// in the background, while all are answered at once; `None` for never.
    ///
    /// Shorter than the TTL, and longer than a load takes.
    ///
    /// ```
    /// use cached_orm::CachePolicy;
    /// use std::time::Duration;
    ///
    /// const POLICY: CachePolicy = CachePolicy::DEFAULT.early_refresh(Some(Duration::from_secs(30)));
    /// ```
    #[must_use]
    pub const fn early_refresh(mut self, before: Option<Duration>) -> Self {
        self.early_refresh = before;
        self
    }

    /// How much longer than its TTL a row lies in the cache, for
    /// [`fetch_or_stale`](crate::MemcachedOrm::fetch_or_stale) to give should the
    /// database fail; `None` for not at all. All other reads load it anew.
    ///
    /// Nothing lies in memcached for more than 30 days. If this and the TTL are more
    /// together, the TTL is cut, to 15 days at least, and then this.
    ///
    /// ```
    /// use cached_orm::CachePolicy;
    /// use std::time::Duration;
    ///
    /// const POLICY: CachePolicy = CachePolicy::DEFAULT.stale_if_error(Some(Duration::from_secs(3600)));
    /// ```
    #[must_use]
    pub const fn stale_if_error(mut self, time: Option<Duration>) -> Self {
        self.stale_if_error = time;
        self
    }

    /// How long a row lies in the cache that is stored now.
    pub(crate) fn row_ttl(&self) -> Duration {
        self.spread_ttl() + self.times().1
    }

    /// Between what and what [`row_ttl`](Self::row_ttl) is.
    pub(crate) fn row_ttls(&self) -> (Duration, Duration) {
        let (ttl, kept) = self.times();
        (ttl.mul_f64(1.0 - self.ttl_jitter) + kept, ttl + kept)
    }

    /// The TTL, and for how long the row lies there afterwards: not more together than
    /// the cache takes. Whether a row's time is over is told by what it is still going
    /// to lie there, so all that read it must come to the same.
    fn times(&self) -> (Duration, Duration) {
        let (ttl, kept) = (self.ttl.min(MAX_TTL), self.stale_if_error.unwrap_or_default());
        if kept <= MAX_TTL - ttl {
            return (ttl, kept);
        }
        let kept = kept.min(HALF_OF_IT.max(MAX_TTL - ttl));
        (MAX_TTL - kept, kept)
    }

    /// Always shorter than the TTL, even if that was cut.
    pub(crate) fn early(&self) -> Option<Duration> {
        // Asked with each hit, and most entities have none.
        let early = self.early_refresh?;
        let (ttl, _) = self.times();
        Some(if early < ttl { early } else { ttl / 2 })
    }

    pub(crate) fn stale_for(&self) -> Option<Duration> {
        // As above.
        self.stale_if_error?;
        Some(self.times().1).filter(|kept| !kept.is_zero())
    }

    /// The TTL of one entry that is stored now.
    pub(crate) fn spread_ttl(&self) -> Duration {
        let (ttl, _) = self.times();
        ttl.mul_f64(1.0 - self.ttl_jitter * rand::random::<f64>())
    }

    pub(crate) const fn absent_ttl(&self) -> Option<Duration> {
        self.negative_ttl
    }

    pub(crate) const fn near_for(&self) -> Option<Duration> {
        self.near_ttl
    }

    pub(crate) const fn compress_from(&self) -> Option<usize> {
        self.min_compress_len
    }
}

/// What [`set_cached_instance`](crate::MemcachedOrm::set_cached_instance)
/// does otherwise than the entity's [`CachePolicy`].
///
/// ```
/// use cached_orm::SetOptions;
/// use std::time::Duration;
///
/// let options = SetOptions::default().ttl(Duration::from_secs(60)).min_compress_len(1024);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetOptions {
    ttl: Option<Duration>,
    min_compress_len: Option<usize>,
}

impl SetOptions {
    /// How long the row stays, without jitter: 30 days at most, less what the entity's
    /// [`stale_if_error`](CachePolicy::stale_if_error) is.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Compress the row from that many bytes up, if it makes it smaller.
    /// Without the feature `lz4` nothing is compressed.
    #[must_use]
    pub const fn min_compress_len(mut self, bytes: usize) -> Self {
        self.min_compress_len = Some(bytes);
        self
    }

    /// The entity's policy with these options.
    pub(crate) fn over(self, mut policy: CachePolicy) -> CachePolicy {
        if let Some(ttl) = self.ttl {
            // Who reads it knows the entity's policy only.
            policy.stale_if_error = policy.stale_for();
            policy.ttl = ttl.min(MAX_TTL - policy.stale_if_error.unwrap_or_default());
            policy.ttl_jitter = 0.0;
        }
        if self.min_compress_len.is_some() {
            policy.min_compress_len = self.min_compress_len;
        }
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn policy(ttl: Duration, kept: Option<Duration>) -> CachePolicy {
        CachePolicy::DEFAULT.ttl(ttl).ttl_jitter(0.0).stale_if_error(kept)
    }

    #[test]
    fn what_lies_too_long_for_the_cache_is_cut_in_the_middle_at_most() {
        for (ttl, kept, is) in [
            (1, 2, (1, 2)),
            (30, 0, (30, 0)),
            (60, 0, (30, 0)),
            (20, 10, (20, 10)),
            (30, 7, (23, 7)),
            (20, 12, (18, 12)),
            (30, 30, (15, 15)),
            (60, 90, (15, 15)),
            (1, 90, (1, 29)),
            (15, 15, (15, 15)),
        ] {
            let policy = policy(DAY * ttl, (kept > 0).then_some(DAY * kept));
            let (own, after) = policy.times();
            assert_eq!((own, after), (DAY * is.0, DAY * is.1), "{ttl} and {kept}");
            assert_eq!(policy.stale_for().unwrap_or_default(), after);
            assert_eq!(policy.row_ttl(), own + after);
        }
    }

    #[test]
    fn times_without_end_are_no_trouble() {
        let policy = policy(Duration::MAX, Some(Duration::MAX)).early_refresh(Some(Duration::MAX));
        assert_eq!(policy.row_ttl(), MAX_TTL);
        assert!(policy.early() < Some(policy.times().0));
        let options = SetOptions::default().ttl(Duration::MAX);
        assert_eq!(options.over(policy).row_ttl(), MAX_TTL);
    }

    fn time() -> impl Strategy<Value = Duration> {
        prop_oneof![
            (0..100_u64).prop_map(Duration::from_secs),
            (0..100_u32).prop_map(|days| DAY * days),
            (0..10_u64).prop_map(|off| MAX_TTL - Duration::from_secs(5) + Duration::from_secs(off)),
        ]
    }

    proptest! {
        /// What lies there for as long as memcached says is over when the row's time is,
        /// for whoever knows the entity, and not before.
        #[test]
        fn a_row_is_over_when_its_own_time_is(
            ttl in time(),
            kept in proptest::option::of(time()),
            jitter in 0.0..=1.0,
            asked in proptest::option::of(time()),
        ) {
            let entity = policy(ttl, kept).ttl_jitter(jitter);
            let stored = match asked {
                Some(ttl) => SetOptions::default().ttl(ttl).over(entity),
                None => entity,
            };
            let after = entity.stale_for().unwrap_or_default();
            let lies = stored.row_ttl();
            prop_assert!(lies <= MAX_TTL);
            prop_assert!(lies >= after);
            let own = lies - after;
            prop_assert!(own <= asked.unwrap_or(ttl));
            if jitter == 0.0 && asked.is_none() && kept.is_none() {
                prop_assert_eq!(own, ttl.min(MAX_TTL));
            }
        }
    }
}
