/// How far a transaction sees the writes of others.
///
/// ```no_run
/// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
/// use cached_orm::Isolation;
///
/// let transaction = orm.begin_with(Isolation::RepeatableRead).await?;
/// # transaction.rollback().await }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// Every statement sees what was committed before it.
    ReadCommitted,
    /// All statements see what was committed before the first.
    RepeatableRead,
    /// As if transactions ran one after another.
    Serializable,
}
