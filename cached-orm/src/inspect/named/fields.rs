//! What an entry has in its fields, for who does not know its struct.

use super::value::{Fields, Value};
use crate::{
    CacheKey, KeyKind,
    entry::{
        Signing,
        body::{Form, is_shallow, values_of},
        row_body,
    },
};
use serde::Deserialize as _;

/// A row's fields by name; `None` if its entry has no names, and does not have these, or
/// if they are nested too deep to be read.
pub(super) fn fields(
    value: &[u8],
    key: &CacheKey,
    names: &[&str],
    signing: &Signing,
) -> Option<Vec<(String, Value)>> {
    let (form, body) = row_body(value, key, signing)?;
    match form {
        Form::Named | Form::Readable if is_shallow(&body) => {
            rmp_serde::from_slice::<Fields>(&body).ok().map(|Fields(fields)| fields)
        }
        Form::Named | Form::Readable => None,
        Form::Compact => {
            let mut rest = values_of(&body, names)?;
            let mut values = rmp_serde::Deserializer::new(&mut rest);
            let field =
                |name: &&str| Some(((*name).to_owned(), Value::deserialize(&mut values).ok()?));
            let fields = names.iter().map(field).collect::<Option<Vec<_>>>()?;
            rest.is_empty().then_some(fields)
        }
    }
}

/// Whether an entry's fields can be read.
#[cfg(any(fuzzing, test))]
pub(crate) fn has_fields(value: &[u8], key: &CacheKey, names: &[&str], signing: &Signing) -> bool {
    fields(value, key, names, signing).is_some()
}

/// How a field compares with its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// Both have one value.
    Alike,
    /// They have different ones.
    Different,
    /// There is no telling.
    Unknown,
}

/// Compares a field with the text of its column.
pub(super) fn compare(field: &Value, column: Option<&str>, kind: KeyKind) -> Compared {
    let is_alike = match (field, column, kind) {
        // A column that is not cached is written like NULL.
        (Value::Nil, _, _) => return Compared::Unknown,
        (_, None, _) => false,
        (Value::Integer(number), Some(text), KeyKind::Integer | KeyKind::Bool) => {
            number.to_string() == text
        }
        (Value::Bool(is_true), Some(text), KeyKind::Integer | KeyKind::Bool) => {
            *is_true == (text != "0")
        }
        (Value::Text(text), Some(other), KeyKind::Text) => text == other,
        (Value::Bytes(bytes), Some(digits), KeyKind::Bytes | KeyKind::Uuid) => {
            are_digits_of(digits, bytes.iter().map(|byte| Some(*byte)))
        }
        (Value::List(items), Some(digits), KeyKind::Bytes) => {
            let byte = |item: &Value| match item {
                Value::Integer(number) => u8::try_from(*number).ok(),
                _ => None,
            };
            if items.iter().any(|item| byte(item).is_none()) {
                return Compared::Unknown;
            }
            are_digits_of(digits, items.iter().map(byte))
        }
        _ => return Compared::Unknown,
    };
    if is_alike { Compared::Alike } else { Compared::Different }
}

fn are_digits_of(digits: &str, bytes: impl Iterator<Item = Option<u8>>) -> bool {
    let written: String = bytes.flatten().map(|byte| format!("{byte:02x}")).collect();
    digits.bytes().filter(|digit| *digit != b'-').eq(written.bytes())
}
