//! PostgreSQL by sqlx, for those who have to ask it themselves.

use benches::{Result, item::Item};
use sqlx::{PgPool, Postgres, QueryBuilder, postgres::PgPoolOptions};
use std::sync::atomic::{AtomicU64, Ordering};

/// Connections of each pool, to whichever server; as in the harness's own process.
pub(crate) const CONNECTIONS: u32 = 32;
/// Rows in one statement: it may have 65,535 parameters.
const CHUNK: usize = 5_000;

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

    /// Makes these rows as they are here, whether they are there or not.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn replace(&self, rows: &[&Item]) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        for rows in rows.chunks(CHUNK) {
            let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
            let delete = sqlx::query("DELETE FROM items WHERE id = ANY($1)").bind(ids);
            delete.execute(&mut *transaction).await?;
            let mut insert = QueryBuilder::<Postgres>::new(
                "INSERT INTO items \
                 (id, handle, owner, kind, active, score, title, note, created, revision) ",
            );
            insert.push_values(rows, |mut values, row| {
                values
                    .push_bind(row.id)
                    .push_bind(&row.handle)
                    .push_bind(row.owner)
                    .push_bind(row.kind)
                    .push_bind(row.active)
                    .push_bind(row.score)
                    .push_bind(&row.title)
                    .push_bind(&row.note)
                    .push_bind(row.created)
                    .push_bind(row.revision);
            });
            insert.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    /// How many rows were asked for so far.
    pub(crate) fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}
