//! Rows for those that write: each contestant has its own, so that none meets what
//! another has written. They lie past the end of what everybody reads.

use crate::stage::Stage;
use benches::{
    Result,
    item::{Item, Wanted, WorkingSet},
};
use sqlx::{PgPool, Postgres, QueryBuilder};
use std::sync::Arc;

/// Rows in one statement: it may have 65,535 parameters.
const CHUNK: usize = 5_000;

/// As many rows as the working set has, in PostgreSQL, as they were made: those of
/// the contestant with this number.
pub(super) async fn own_rows(stage: &Stage, pool: &PgPool, number: i64) -> Result<WorkingSet> {
    let count = stage.set.0.len();
    let first = stage.plan.rows + 1 + number * count as i64;
    let wanted = |place: usize| Wanted { place, item: Item::of(first + place as i64) };
    let set: Vec<_> = (0..count).map(wanted).collect();
    let mut transaction = pool.begin().await?;
    sqlx::query("DELETE FROM items WHERE id BETWEEN $1 AND $2")
        .bind(first)
        .bind(first + count as i64 - 1)
        .execute(&mut *transaction)
        .await?;
    for chunk in set.chunks(CHUNK) {
        let mut insert = QueryBuilder::<Postgres>::new(
            "INSERT INTO items (id, handle, owner, kind, active, score, title, note, created, revision) ",
        );
        insert.push_values(chunk, |mut row, Wanted { item, .. }| {
            row.push_bind(item.id)
                .push_bind(&item.handle)
                .push_bind(item.owner)
                .push_bind(item.kind)
                .push_bind(item.active)
                .push_bind(item.score)
                .push_bind(&item.title)
                .push_bind(&item.note)
                .push_bind(item.created)
                .push_bind(item.revision);
        });
        insert.build().execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(WorkingSet(Arc::new(set)))
}
