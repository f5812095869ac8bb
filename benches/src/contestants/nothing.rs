//! What the measuring itself costs.

use benches::{
    Result,
    contestant::Reader,
    item::{Item, Wanted},
};

/// Hands out copies of the rows that are expected, and asks nobody.
#[derive(Debug)]
pub(super) struct Nothing;

impl Reader for Nothing {
    type Row = Item;

    async fn read(&self, wanted: &Wanted) -> Result<Option<Item>> {
        Ok(Some(wanted.item.clone()))
    }

    fn is_right(&self, wanted: &Wanted, row: &Item) -> bool {
        *row == wanted.item
    }

    fn loads(&self) -> u64 {
        0
    }
}
