//! The rows of `items` once more, with copies in the process.

use crate::item::Item;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

/// An [`Item`] whose copies do not expire while they are measured.
#[derive(Debug, Clone, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "items", cache_name = "near_items", ttl = "2h", near_ttl = "1h")]
pub struct NearItem {
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
        let Self { id, handle, owner, kind, active, score, title, note, created, revision } = self;
        (id, handle, owner, kind, active)
            == (&item.id, &item.handle, &item.owner, &item.kind, &item.active)
            && (score, title, note, created, revision)
                == (&item.score, &item.title, &item.note, &item.created, &item.revision)
    }
}
