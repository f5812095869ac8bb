//! In which columns a cached row and the database's are different.

use crate::{Backend, Entity, Persist, entry::body::Form, uncached::unloaded};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use std::{fmt, slice};

/// The columns in which `cached` is not as `loaded`: their names, and never their
/// values. A field that has another name than its column is told by the column's.
pub(super) fn differing<DB: Backend, T: Persist<DB>>(cached: &T, loaded: T) -> Vec<String> {
    // As if it had come through the cache, so that what serde leaves out or rounds
    // is no difference.
    let loaded = through_the_cache(unloaded(loaded));
    let (Some(of_cached), Some(of_loaded)) = (fields(cached), fields(&loaded)) else {
        return Vec::new();
    };
    if of_cached == of_loaded {
        return Vec::new();
    }
    let (cached, mut loaded) = if keeps_order(&loaded) {
        (of_cached, of_loaded)
    } else {
        (sorted(of_cached), sorted(of_loaded))
    };
    let columns = columns(T::SELECT, DB::quote("a").chars().next().unwrap_or('"'));
    let count = cached.len();
    let name_of = |place: usize, field: String| {
        let is_column = columns.contains(&field);
        match columns.get(place) {
            Some(column) if !is_column && columns.len() == count => column.clone(),
            _ => field,
        }
    };
    let mut differing = Vec::new();
    for (place, (name, value)) in cached.into_iter().enumerate() {
        let other = loaded.iter().position(|(other, _)| *other == name);
        if other.is_none_or(|other| loaded.remove(other).1 != value) {
            differing.push(name_of(place, name));
        }
    }
    differing.extend(loaded.into_iter().map(|(name, _)| name));
    differing
}

/// The row as a reader of its entry has it.
fn through_the_cache<T: Entity>(row: T) -> T {
    let mut body = Vec::new();
    let Some(form) = row.write_body(&mut body) else { return row };
    T::read_body(form, &body).unwrap_or(row)
}

/// Whether the row is written alike each time. One with a `HashSet` is not, except by
/// chance.
fn keeps_order<T: Entity>(row: &T) -> bool {
    const TRIES: usize = 32;
    (0..TRIES).all(|_| row.write_body(&mut Vec::new()) == Some(Form::Compact))
}

fn sorted(fields: Vec<(String, Value)>) -> Vec<(String, Value)> {
    fields.into_iter().map(|(name, value)| (name, value.sorted())).collect()
}

/// A row's fields by name, in their order.
fn fields<T: Entity>(row: &T) -> Option<Vec<(String, Value)>> {
    let mut bytes = Vec::new();
    T::write_bodies(slice::from_ref(row), &mut bytes)?;
    let rows: Vec<Fields> = rmp_serde::from_slice(&bytes).ok()?;
    rows.into_iter().next().map(|Fields(fields)| fields)
}

/// The names between SELECT and FROM, all of which are quoted.
fn columns(select: &str, quote: char) -> Vec<String> {
    let mut columns = Vec::new();
    let mut rest = select;
    while let Some((before, after)) = rest.split_once(quote) {
        if before.contains(" FROM ") {
            break;
        }
        let mut name = String::new();
        rest = after;
        while let Some((part, after)) = rest.split_once(quote) {
            name.push_str(part);
            rest = after;
            match after.strip_prefix(quote) {
                Some(after) => {
                    name.push(quote);
                    rest = after;
                }
                None => break,
            }
        }
        columns.push(name);
    }
    columns
}

/// What serde has written, of whatever type.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Integer(i128),
    Float(u64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    /// In the order of the keys.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// With every list in one order.
    fn sorted(self) -> Self {
        match self {
            Self::List(items) => {
                let mut items: Vec<_> = items.into_iter().map(Self::sorted).collect();
                items.sort();
                Self::List(items)
            }
            Self::Map(pairs) => {
                let pairs = pairs.into_iter().map(|(key, value)| (key.sorted(), value.sorted()));
                let mut pairs: Vec<_> = pairs.collect();
                pairs.sort();
                Self::Map(pairs)
            }
            other => other,
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

macro_rules! visit {
    ($($method:ident($ty:ty) -> $make:expr;)+) => {$(
        fn $method<E>(self, value: $ty) -> Result<Value, E> {
            Ok($make(value))
        }
    )+};
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    visit! {
        visit_bool(bool) -> Value::Bool;
        visit_i64(i64) -> |value| Value::Integer(i128::from(value));
        visit_u64(u64) -> |value| Value::Integer(i128::from(value));
        visit_f64(f64) -> |value: f64| Value::Float(value.to_bits());
        visit_str(&str) -> |value: &str| Value::Text(value.to_owned());
        visit_bytes(&[u8]) -> |value: &[u8]| Value::Bytes(value.to_owned());
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(pair) = pairs.next_entry()? {
            map.push(pair);
        }
        map.sort();
        Ok(Value::Map(map))
    }
}

/// A struct's fields, in its own order.
pub(super) struct Fields(pub(super) Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsOf;

        impl<'de> Visitor<'de> for FieldsOf {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a struct")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = pairs.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsOf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_select_are_those_before_from() {
        let names = |sql, quote| columns(sql, quote);
        assert_eq!(names(r#"SELECT "id", "na""me" FROM "users""#, '"'), ["id", "na\"me"]);
        assert_eq!(names("SELECT `id`, `a FROM b` FROM `shop`.`users`", '`'), ["id", "a FROM b"]);
    }
}
