//! sqlx and no cache: every read is the database's.

use benches::{
    Result,
    contestant::{ManyReader, Reader, UniqueReader, Writer},
    item::{Item, Wanted},
};
use cached_orm::{MySql, Postgres, Sqlite};
use sqlx::{PgPool, Pool};
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT id, handle, owner, kind, active, score, title, note, created, revision ",
            "FROM items WHERE ",
            $condition
        )
    };
}

const BY_NUMBERED_ID: &str = select!("id = $1");
const BY_ID: &str = select!("id = ?");
const BY_HANDLE: &str = select!("handle = $1");
const BY_IDS: &str = select!("id = ANY($1)");
const UPDATE: &str = "UPDATE items SET handle = $2, owner = $3, kind = $4, active = $5, \
    score = $6, title = $7, note = $8, created = $9, revision = $10 WHERE id = $1 \
    RETURNING id, handle, owner, kind, active, score, title, note, created, revision";

/// The row with this id.
pub(super) async fn select(pool: &PgPool, id: i64) -> Result<Option<Item>, sqlx::Error> {
    sqlx::query_as(BY_NUMBERED_ID).bind(id).fetch_optional(pool).await
}

/// The row with this handle.
pub(super) async fn select_by_handle(pool: &PgPool, handle: &str) -> Result<Option<Item>> {
    Ok(sqlx::query_as(BY_HANDLE).bind(handle).fetch_optional(pool).await?)
}

/// The rows with these ids, by one statement.
pub(super) async fn select_many(pool: &PgPool, ids: Vec<i64>) -> Result<HashMap<i64, Item>> {
    let rows: Vec<Item> = sqlx::query_as(BY_IDS).bind(ids).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Writes every column of the row, in a transaction, and has the row come back.
pub(super) async fn update(pool: &PgPool, row: Item) -> Result<Item> {
    let mut transaction = pool.begin().await?;
    let written = sqlx::query_as(UPDATE)
        .bind(row.id)
        .bind(row.handle)
        .bind(row.owner)
        .bind(row.kind)
        .bind(row.active)
        .bind(row.score)
        .bind(row.title)
        .bind(row.note)
        .bind(row.created)
        .bind(row.revision)
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(written)
}

/// A pool and nothing before it.
#[derive(Debug)]
pub(crate) struct Plain<DB: sqlx::Database> {
    pub(super) pool: Pool<DB>,
    loads: AtomicU64,
}

impl<DB: sqlx::Database> Plain<DB> {
    /// On this pool.
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        Self { pool, loads: AtomicU64::new(0) }
    }

    /// Counts rows that the database is asked for.
    pub(super) fn loading(&self, rows: usize) {
        self.loads.fetch_add(rows as u64, Ordering::Relaxed);
    }
}

macro_rules! reader {
    ($database:ty, $by_id:expr) => {
        impl Reader for Plain<$database> {
            type Row = Item;

            async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
                self.loading(1);
                let query = sqlx::query_as($by_id).bind(wanted.item.id);
                Ok(query.fetch_optional(&self.pool).await?)
            }

            fn is_right(&self, wanted: &Wanted, row: &Item) -> bool {
                *row == wanted.item
            }

            fn loads(&self) -> u64 {
                self.loads.load(Ordering::Relaxed)
            }
        }
    };
}

reader!(Postgres, BY_NUMBERED_ID);
reader!(MySql, BY_ID);
reader!(Sqlite, BY_ID);

impl ManyReader for Plain<Postgres> {
    async fn read_many(&self, wanted: &[&Wanted]) -> Result<Vec<Option<Item>>> {
        self.loading(wanted.len());
        let ids = wanted.iter().map(|wanted| wanted.item.id).collect();
        let rows = select_many(&self.pool, ids).await?;
        // A key may have been asked for twice.
        Ok(wanted.iter().map(|wanted| rows.get(&wanted.item.id).cloned()).collect())
    }
}

impl UniqueReader for Plain<Postgres> {
    async fn read_by_handle(&self, wanted: &Wanted) -> Result<Option<Item>> {
        self.loading(1);
        select_by_handle(&self.pool, &wanted.item.handle).await
    }
}

impl Writer for Plain<Postgres> {
    async fn write(&self, row: Item) -> Result<()> {
        update(&self.pool, row).await?;
        Ok(())
    }
}
