//! PostgreSQL by sqlx, for those who have to ask it themselves.

use benches::{Result, item::Item};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::sync::atomic::{AtomicU64, Ordering};

/// As many as the pools of memcached connections have.
const CONNECTIONS: u32 = 16;

/// The table `items`.
#[derive(Debug)]
pub(crate) struct Database {
    pool: PgPool,
    loads: AtomicU64,
}

impl Database {
    /// A pool of connections of its own.
    ///
    /// # Errors
    /// The database does not answer.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
        Ok(Self { pool, loads: AtomicU64::new(0) })
    }

    /// The row with this id.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn select(&self, id: i64) -> sqlx::Result<Option<Item>> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        sqlx::query_as(
            "SELECT id, handle, owner, kind, active, score, title, note, created, revision \
             FROM items WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await
    }

    /// Writes every column of a row that is there, in a transaction.
    ///
    /// # Errors
    /// What the database says, or that the row is not there.
    pub(crate) async fn update(&self, row: &Item) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query(
            "UPDATE items SET handle = $2, owner = $3, kind = $4, active = $5, score = $6, \
             title = $7, note = $8, created = $9, revision = $10 WHERE id = $1",
        )
        .bind(row.id)
        .bind(&row.handle)
        .bind(row.owner)
        .bind(row.kind)
        .bind(row.active)
        .bind(row.score)
        .bind(&row.title)
        .bind(&row.note)
        .bind(row.created)
        .bind(row.revision)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() != 1 {
            return Err(sqlx::Error::RowNotFound);
        }
        transaction.commit().await
    }

    /// How many rows were asked for so far.
    pub(crate) fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}
