//! Arrays that have no order: those of a `HashSet` come in another one each time that the
//! document is read. A `Vec` that is written sorted does not, wherever it is.

use serde_json::Value;
use std::collections::BTreeMap;

/// Puts the arrays in one order in both, the document and what is written of it, that
/// come in another in `again`, which is written of the same document.
pub(in crate::sql) fn settle(document: &mut Value, written: &mut Value, again: &mut Value) {
    match (document, written, again) {
        (Value::Object(document), Value::Object(written), Value::Object(again)) => {
            for (name, value) in document {
                if let (Some(written), Some(again)) = (written.get_mut(name), again.get_mut(name)) {
                    settle(value, written, again);
                }
            }
        }
        (Value::Array(document), Value::Array(written), Value::Array(again)) => {
            if is_in_another_order(written, again) {
                sort_items(document);
                sort_items(written);
                sort_items(again);
            }
            for ((value, written), again) in document.iter_mut().zip(written).zip(again) {
                settle(value, written, again);
            }
        }
        _ => {}
    }
}

/// Whether the items are the same and their places are not. In which order an item's own
/// arrays are says nothing of that.
fn is_in_another_order(one: &[Value], other: &[Value]) -> bool {
    if one == other {
        return false;
    }
    let texts = |items: &[Value]| -> Vec<_> { items.iter().map(unordered_text).collect() };
    let (mut one, mut other) = (texts(one), texts(other));
    if one == other {
        return false;
    }
    one.sort_unstable();
    other.sort_unstable();
    one == other
}

fn sort_items(items: &mut [Value]) {
    items.sort_by_cached_key(|item| (unordered_text(item), item.to_string()));
}

fn unordered_text(value: &Value) -> String {
    sorted(value).to_string()
}

/// The same with all arrays and objects in one order.
pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(sorted).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(members) => {
            // Not in the order of a `Map`, which a feature of serde_json may keep.
            let members: BTreeMap<_, _> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            Value::Object(members.into_iter().collect())
        }
        scalar => scalar.clone(),
    }
}
