//! The rows of `items` once more, with copies in the process.

use benches::item::Item;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

/// An [`Item`] whose copies do not expire while they are measured.
#[derive(Debug, Clone, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "items", database = Postgres, cache_name = "near_items", ttl = "2h", near_ttl = "1h")]
pub(crate) struct NearItem {
    #[primary_key]
    id: i64,
    #[orm(unique)]
    handle: String,
    owner: i64,
    kind: i32,
    active: bool,
    score: f64,
    title: String,
    note: String,
    created: i64,
    revision: i64,
}

impl PartialEq<Item> for NearItem {
    fn eq(&self, item: &Item) -> bool {
        self.id == item.id
            && self.handle == item.handle
            && self.owner == item.owner
            && self.kind == item.kind
            && self.active == item.active
            && self.score == item.score
            && self.title == item.title
            && self.note == item.note
            && self.created == item.created
            && self.revision == item.revision
    }
}
