/// What an [`Orm`](crate::Orm) has sent, by kind.
///
/// Hits, misses, loads and fills are counted by
/// [`Orm::statistics`](crate::Orm::statistics).
///
/// ```
/// # async fn example(kit: cached_orm::test_kit::TestKit) {
/// let counts = kit.counts();
/// assert_eq!(counts.statements, 1, "one SELECT, and not one for each row");
/// assert_eq!((counts.gets, counts.replaces), (3, 3));
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// SQL statements that read or write rows. What goes along with them is not
    /// counted: BEGIN and COMMIT, questions to the catalog, the outbox; nor is SQL of
    /// your own.
    pub statements: u64,
    /// Keys looked up in the cache, those of a batch one by one.
    pub gets: u64,
    /// Fences.
    pub fences: u64,
    /// Entries stored over something that was seen before: fills, and written rows
    /// that take their fences' places.
    pub replaces: u64,
    /// Attempts to be the one who loads a row anew before it expires.
    pub claims: u64,
    /// Entries, leases and fences taken away.
    pub deletes: u64,
}

impl Counts {
    /// All commands that the cache was sent, those included that have failed.
    ///
    /// ```
    /// use cached_orm::test_kit::TestKit;
    ///
    /// let counts = TestKit::new().counts();
    /// assert_eq!(counts.commands(), counts.gets);
    /// ```
    pub fn commands(&self) -> u64 {
        self.gets + self.fences + self.replaces + self.claims + self.deletes
    }
}
