//! The synthetic table: ten columns, about 200 bytes a row, each row made of its id.

use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A row. Every contestant reads it in this form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, sqlx::FromRow, MemcachedOrm)]
#[orm(table = "items", ttl = "1h")]
pub struct Item {
    /// The primary key.
    #[primary_key]
    pub id: i64,
    /// Unique.
    #[orm(unique)]
    pub handle: String,
    /// A number of up to seven digits.
    pub owner: i64,
    /// A small number.
    pub kind: i32,
    /// True for every third row.
    pub active: bool,
    /// A fraction that binary can say exactly.
    pub score: f64,
    /// About 40 bytes.
    pub title: String,
    /// About 80 bytes.
    pub note: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Counted up by writes.
    pub revision: i64,
}

impl Item {
    /// The row with this id, as the table is filled with it.
    pub fn of(id: i64) -> Self {
        Self {
            id,
            handle: format!("user-{id:08}"),
            owner: id * 7919 % 1_000_003,
            kind: (id % 17) as i32,
            active: id % 3 == 0,
            score: id as f64 / 8.0,
            title: format!("Item number {id} of the table of items"),
            note: format!(
                "The quick brown fox jumps over the lazy dog and rests by the river, day {}",
                id % 1000
            ),
            created: 1_700_000_000 + id,
            revision: 1,
        }
    }
}

/// What is going to be asked for, and the answer.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its place in the working set.
    pub place: usize,
    /// The row as the table was filled with it.
    pub item: Item,
}

/// The rows that are read again and again.
#[derive(Debug, Clone)]
pub struct WorkingSet(pub Arc<Vec<Wanted>>);

impl WorkingSet {
    /// `count` rows, spread over a table of `rows`.
    pub fn new(count: usize, rows: i64) -> Self {
        let stride = (rows / count as i64).max(1);
        let wanted = |place: usize| Wanted { place, item: Item::of(1 + place as i64 * stride) };
        Self(Arc::new((0..count).map(wanted).collect()))
    }
}
