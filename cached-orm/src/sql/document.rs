//! Whether a JSON column's document is whole in the value that was read from it.
//!
//! What a row binds cannot tell: it goes through the same `Serialize` as the entry, which
//! may leave out what `Deserialize` reads.

use super::json::NotNull;
use serde::{Serialize, de::DeserializeOwned};
use serde_ignored::Path;
use serde_json::{Map, Number, Value};

/// Whether all that `T` reads in the document is in what serde writes of `value`. What
/// it ignores need not be there, and neither need a `null`.
///
/// What `T` reads by way of serde's buffer (`flatten`, `untagged`, an internal tag) counts
/// as read, all of it: which part is ignored then, serde does not show.
pub(super) fn comes_back<T: Serialize + DeserializeOwned>(document: &str, value: &T) -> bool {
    is_whole(document, value).unwrap_or(false)
}

fn is_whole<T: Serialize + DeserializeOwned>(text: &str, value: &T) -> serde_json::Result<bool> {
    let written_text = serde_json::to_string(value)?;
    if written_text == text {
        return Ok(true);
    }
    let mut document = serde_json::from_str(text)?;
    // Numbers as the value has them: parsed again, a float may be its neighbour. What is
    // too long for 64 bits there is text only.
    let mut written =
        serde_json::to_value(value).or_else(|_| serde_json::from_str(&written_text))?;
    if is_in(&document, &written) {
        return Ok(true);
    }
    leave_out_ignored::<T>(text, &mut document)?;
    if is_in(&document, &written) {
        return Ok(true);
    }
    sort(&mut document);
    sort(&mut written);
    Ok(is_in(&document, &written) && has_no_order::<T>(text, &written_text))
}

fn is_in(document: &Value, written: &Value) -> bool {
    match (document, written) {
        (Value::Object(document), Value::Object(written)) => {
            document.iter().all(|(name, value)| match written.get(name) {
                Some(written) => is_in(value, written),
                // As `skip_serializing_if = "Option::is_none"` does it.
                None => value.is_null(),
            })
        }
        (Value::Array(document), Value::Array(written)) => {
            let mut pairs = document.iter().zip(written);
            document.len() == written.len() && pairs.all(|(one, other)| is_in(one, other))
        }
        (Value::Number(document), Value::Number(written)) => is_same_number(document, written),
        _ => document == written,
    }
}

/// Whether two numbers have one value: a database may write `1e2` as `100`.
fn is_same_number(document: &Number, written: &Number) -> bool {
    if let (Some(one), Some(other)) = (document.as_i128(), written.as_i128()) {
        return one == other;
    }
    let (Some(one), Some(other)) = (document.as_f64(), written.as_f64()) else {
        return document == written;
    };
    if one == other {
        return one.is_sign_negative() == other.is_sign_negative();
    }
    // An `f32` stands for the shortest text that is read as it.
    let single = other as f32;
    f64::from(single) == other
        && serde_json::from_str::<f64>(&single.to_string()).is_ok_and(|short| short == one)
}

/// Takes out of the document what `T` ignores.
fn leave_out_ignored<T: DeserializeOwned>(
    text: &str,
    document: &mut Value,
) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let leave_out = |path: Path<'_>| {
        // An array's places are not moved.
        if let Path::Map { parent, key } = &path
            && let Some(holder) = holder(document, parent, key)
        {
            holder.remove(key);
        }
    };
    serde_ignored::deserialize::<_, _, NotNull<T>>(&mut deserializer, leave_out).map(drop)
}

/// What is at a path.
fn at<'d>(document: &'d mut Value, path: &Path<'_>) -> Option<&'d mut Value> {
    match path {
        Path::Root => Some(document),
        Path::Some { parent } | Path::NewtypeStruct { parent } => at(document, parent),
        Path::NewtypeVariant { parent } => only_member(at(document, parent)?.as_object_mut()?),
        Path::Map { parent, key } => holder(document, parent, key)?.get_mut(key),
        Path::Seq { parent, index } => match at(document, parent)? {
            Value::Object(variant) => only_member(variant)?,
            array => array,
        }
        .get_mut(index),
    }
}

/// The object at a path that has the key. A path does not name an enum's variant with
/// fields, so it may be the object in the one there; `None` if both have the key.
fn holder<'d>(
    document: &'d mut Value,
    path: &Path<'_>,
    key: &str,
) -> Option<&'d mut Map<String, Value>> {
    let object = at(document, path)?.as_object_mut()?;
    let is_in_variant = object.len() == 1
        && object
            .values()
            .any(|fields| fields.as_object().is_some_and(|map| map.contains_key(key)));
    match (object.contains_key(key), is_in_variant) {
        (true, false) => Some(object),
        (false, true) => only_member(object)?.as_object_mut(),
        _ => None,
    }
}

fn only_member(object: &mut Map<String, Value>) -> Option<&mut Value> {
    if object.len() == 1 { object.values_mut().next() } else { None }
}

/// Puts all arrays in one order.
fn sort(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(sort);
            items.sort_by_cached_key(Value::to_string);
        }
        Value::Object(members) => members.values_mut().for_each(sort),
        _ => {}
    }
}

/// Whether the type writes another order each time the document is read, as a `HashSet`
/// does. A `Vec` that is written sorted does not come back.
fn has_no_order<T: Serialize + DeserializeOwned>(text: &str, written: &str) -> bool {
    const TRIES: usize = 32;
    let again = || {
        let NotNull(value) = serde_json::from_str::<NotNull<T>>(text)?;
        serde_json::to_string(&value)
    };
    (1..TRIES).any(|_| again().is_ok_and(|again| again != written))
}

#[cfg(test)]
mod tests;
