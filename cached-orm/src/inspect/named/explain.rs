use super::super::{
    CacheContent, Explanation, InDatabase, PATIENCE,
    explain::{ATTEMPTS, same_version},
};
use crate::{Backend, CacheKey, Error, NamedTable, Operation, Orm, Result};
use tokio::time::timeout;

const EXPLAIN: Operation = Operation::new("explain");

impl<DB: Backend> Orm<DB> {
    /// What lies in the cache for the row with this primary key of a table that is
    /// known by its name, and whether the database has the row. The parts of the key
    /// are written as in [`row_key`](Self::row_key).
    ///
    /// `agrees` tells whether one says that there is a row and the other that there is
    /// none; if both have it, `None`, since without the struct nobody knows whether it
    /// is the same. The age is not told: it depends on the struct's lifetimes, and on
    /// the writers' `fence_ttl`.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the table or the key is not as it is described.
    /// What does not answer is told as such.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
    /// use cached_orm::NamedTable;
    ///
    /// println!("{}", orm.explain_row(&NamedTable::new("regions"), &["AD", "06"]).await?);
    /// # Ok(()) }
    /// ```
    pub async fn explain_row(&self, table: &NamedTable, key: &[&str]) -> Result<Explanation> {
        let parts: Vec<_> = key.iter().map(|part| (*part).to_owned()).collect();
        let cache_name = table.cache_name_or_table();
        let cache_key = CacheKey::of_parts(self.namespace(), cache_name, key);
        let trigger_text = CacheKey::outbox_text_of_parts(cache_name, &parts);
        let mut attempts = 1;
        loop {
            let found = self.coherence().look(&cache_key).await;
            let database = match timeout(PATIENCE, self.has_row(table, &parts)).await {
                Ok(Ok(true)) => InDatabase::Row,
                Ok(Ok(false)) => InDatabase::NoRow,
                Ok(Err(error @ Error::Configuration(_))) => return Err(error),
                Ok(Err(error)) => InDatabase::Failed(error.to_string()),
                Err(_) => {
                    let error = Error::Overloaded { operation: EXPLAIN, waited: PATIENCE };
                    InDatabase::Failed(error.to_string())
                }
            };
            let pending = self.pending(&cache_key, Some(&trigger_text)).await.ok().flatten();
            let lay_there = same_version(&found, &self.coherence().look(&cache_key).await);
            if !lay_there && attempts < ATTEMPTS {
                attempts += 1;
                continue;
            }
            let mut explanation = self.explanation(&cache_key, found.as_ref());
            explanation.pending = pending;
            explanation.age = None;
            if explanation.content == CacheContent::Row && table.is_over(explanation.ttl) {
                explanation.content = CacheContent::Expired;
            }
            explanation.agrees = match (explanation.content, &database) {
                _ if !lay_there => None,
                (CacheContent::Row, InDatabase::NoRow) => Some(false),
                (CacheContent::Absent, InDatabase::Row) => Some(false),
                (CacheContent::Absent, InDatabase::NoRow) => Some(true),
                _ => None,
            };
            explanation.database = Some(database);
            return Ok(explanation);
        }
    }

    async fn has_row(&self, table: &NamedTable, parts: &Vec<String>) -> Result<bool> {
        let mut connection = self.load_connection(EXPLAIN).await?;
        let has_row = async {
            let known = table.find::<DB>(&mut connection, EXPLAIN).await?;
            known.check(parts).map_err(|reason| {
                Error::Configuration(format!("{EXPLAIN} of `{}`: {reason}", table.name()))
            })?;
            let rows = known.load::<DB>(&mut connection, &[parts], &[]).await;
            rows.map(|rows| rows.contains_key(parts)).map_err(Error::database(EXPLAIN))
        }
        .await;
        connection.answered();
        has_row
    }
}
