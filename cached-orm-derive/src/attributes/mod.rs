//! The syntax of `#[orm(…)]`, `#[primary_key]` and `#[serde(…)]`: what was
//! written, and where. What it means together is `model`'s to judge.

mod container;
mod duration;
mod field;
mod item;
mod serde;

pub(crate) use container::{ContainerAttributes, ListedIndex, NegativeTtl};
pub(crate) use field::FieldAttributes;
pub(crate) use serde::SerdeAttributes;

use crate::names;
use item::Item;
use syn::Error;

const PRIMARY_KEY: &str = "primary_key";

/// Says what an option that does not belong here may have been meant for.
fn unknown(item: &Item, known: &[&str], elsewhere: &[&str], place: &str) -> Error {
    let name = item.name.to_string();
    let message = if name == PRIMARY_KEY {
        "write `#[primary_key]` at the field, outside of `#[orm(…)]`".to_owned()
    } else if elsewhere.contains(&name.as_str()) {
        format!("`{name}` belongs on {place}")
    } else {
        format!("unknown option `{name}`; {}", names::suggestion(&name, known))
    };
    Error::new(item.name.span(), message)
}
