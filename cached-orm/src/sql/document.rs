//! Whether a JSON column's document is whole in the value that was read from it.
//!
//! What a row binds cannot tell: it goes through the same `Serialize` as the entry, which
//! may leave out what `Deserialize` reads.

mod ignored;
mod order;
mod written;

pub(super) use self::order::settle;

use self::{order::sorted, written::Whole};
use super::json::NotNull;
use serde::{Deserialize as _, Serialize, de::DeserializeOwned};
use serde_json::{Number, Value};

/// Whether all that `T` reads in the document is in what serde writes of `value`. What
/// it ignores need not be there, and neither need a `null` of a field that is skipped.
///
/// What `T` reads by way of serde's buffer (`flatten`, `untagged`, an internal tag) counts
/// as read, all of it: which part is ignored then, serde does not show.
pub(super) fn comes_back<T: Serialize + DeserializeOwned>(document: &str, value: &T) -> bool {
    is_whole(document, value).unwrap_or(false)
}

fn is_whole<T: Serialize + DeserializeOwned>(text: &str, value: &T) -> serde_json::Result<bool> {
    if serde_json::to_string(value)? == text {
        return Ok(true);
    }
    let mut document: Value = serde_json::from_str(text)?;
    let mut written = written(value)?;
    if is_in(&document, &written) {
        return Ok(true);
    }
    let all = document.clone();
    ignored::leave_out::<T>(text, &mut document)?;
    // What a type ignores makes no difference to what it writes.
    if document != all && !writes::<T>(&document, &written)? {
        return Ok(false);
    }
    Ok(is_in(&document, &written) || is_in_some_order::<T>(text, &mut document, &mut written)?)
}

fn written<T: Serialize>(value: &T) -> serde_json::Result<Value> {
    // Numbers as the value has them: parsed again, a float may be its neighbour. What is
    // too long for 64 bits there is text only.
    let value = Whole(value);
    serde_json::to_value(&value).or_else(|_| serde_json::from_str(&serde_json::to_string(&value)?))
}

/// Whether this is written of the document, in some order.
fn writes<T: Serialize + DeserializeOwned>(
    document: &Value,
    expected: &Value,
) -> serde_json::Result<bool> {
    // As a text a float may be its neighbour, and not all is read from anything else.
    let NotNull(value) = NotNull::<T>::deserialize(document)
        .or_else(|_| serde_json::from_str(&document.to_string()))?;
    let written = written(&value)?;
    Ok(written == *expected || sorted(&written) == sorted(expected))
}

/// Whether all is there but for the order of arrays that have none.
fn is_in_some_order<T: Serialize + DeserializeOwned>(
    text: &str,
    document: &mut Value,
    written: &mut Value,
) -> serde_json::Result<bool> {
    const TRIES: usize = 32;
    if !is_in(&sorted(document), &sorted(written)) {
        return Ok(false);
    }
    for _ in 1..TRIES {
        let NotNull(again) = serde_json::from_str::<NotNull<T>>(text)?;
        settle(document, written, &mut self::written(&again)?);
        if is_in(document, written) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_in(document: &Value, written: &Value) -> bool {
    match (document, written) {
        (Value::Object(document), Value::Object(written)) => document
            .iter()
            .all(|(name, value)| written.get(name).is_some_and(|written| is_in(value, written))),
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

#[cfg(test)]
mod tests;
