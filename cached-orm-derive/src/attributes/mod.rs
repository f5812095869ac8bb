//! The syntax of `#[orm(…)]`, `#[primary_key]` and `#[serde(…)]`: what was
//! written, and where. What it means together is `model`'s to judge.

mod container;
mod duration;
mod field;
mod item;
mod serde;

pub(crate) use container::{Accepted, ContainerAttributes, ListedIndex, NegativeTtl};
pub(crate) use field::FieldAttributes;
pub(crate) use serde::SerdeAttributes;

use crate::names::{self, nearest};
use item::Item;
use syn::Error;

const PRIMARY_KEY: &str = "primary_key";

/// What other libraries call it, and how it is called here.
const ELSEWHERE_CALLED: [(&str, &str); 20] = [
    ("auto_increment", "generated"),
    ("autoincrement", "generated"),
    ("column_name", "column"),
    ("db", "database"),
    ("default", "generated"),
    ("expire", "ttl"),
    ("expires", "ttl"),
    ("id", PRIMARY_KEY),
    ("ignore", "skip"),
    ("key", PRIMARY_KEY),
    ("key_prefix", "cache_name"),
    ("pk", PRIMARY_KEY),
    ("prefix", "cache_name"),
    ("primary", PRIMARY_KEY),
    ("rename", "column"),
    ("rename", "table"),
    ("secret", "uncached"),
    ("sensitive", "uncached"),
    ("table_name", "table"),
    ("timeout", "ttl"),
];

/// Says what an option that does not belong here may have been meant for.
fn unknown(item: &Item, known: &[&str], elsewhere: &[&str], place: &str) -> Error {
    let name = item.name.to_string();
    let is_called = |option: &str| ELSEWHERE_CALLED.contains(&(name.as_str(), option));
    let message = if is_called(PRIMARY_KEY) || nearest(&name, &[PRIMARY_KEY]).is_some() {
        "write `#[primary_key]` at the field, outside of `#[orm(…)]`".to_owned()
    } else if elsewhere.contains(&name.as_str()) {
        format!("`{name}` belongs on {place}")
    } else if let Some(meant) = known.iter().find(|known| is_called(known)) {
        format!("unknown option `{name}`; did you mean `{meant}`?")
    } else if nearest(&name, known).is_none()
        && let Some(meant) = nearest(&name, elsewhere)
    {
        format!("unknown option `{name}`; did you mean `{meant}`, which belongs on {place}?")
    } else {
        format!("unknown option `{name}`; {}", names::suggestion(&name, known))
    };
    Error::new(item.name.span(), message)
}
