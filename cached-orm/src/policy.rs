use std::time::Duration;

/// The longest life that memcached takes as a number of seconds.
const MAX_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

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
    /// most 30 days.
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
        self.spread_ttl() + self.stale_if_error.unwrap_or_default()
    }

    /// Between what and what [`row_ttl`](Self::row_ttl) is.
    pub(crate) fn row_ttls(&self) -> (Duration, Duration) {
        let (ttl, kept) = (self.ttl.min(MAX_TTL), self.stale_if_error.unwrap_or_default());
        (ttl.mul_f64(1.0 - self.ttl_jitter) + kept, ttl + kept)
    }

    pub(crate) const fn early(&self) -> Option<Duration> {
        self.early_refresh
    }

    pub(crate) const fn stale_for(&self) -> Option<Duration> {
        self.stale_if_error
    }

    /// The TTL of one entry that is stored now.
    pub(crate) fn spread_ttl(&self) -> Duration {
        let ttl = self.ttl.min(MAX_TTL);
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
    /// How long the row stays, without jitter.
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
    pub(crate) const fn over(self, mut policy: CachePolicy) -> CachePolicy {
        if let Some(ttl) = self.ttl {
            policy.ttl = ttl;
            policy.ttl_jitter = 0.0;
        }
        if self.min_compress_len.is_some() {
            policy.min_compress_len = self.min_compress_len;
        }
        policy
    }
}
