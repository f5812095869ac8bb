//! What of JSON is NULL: a value that serde writes as an absent option, and no other.
//!
//! So `None` is NULL, and what is in a `Some` is JSON, JSON's own `null` included. Which
//! of them a value is, serde tells; the type's name does not, since it may be an alias
//! or a newtype.
#![cfg_attr(
    not(any(feature = "postgres", feature = "mysql", feature = "sqlite")),
    allow(dead_code, reason = "only databases have columns")
)]

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned, Visitor, value},
    forward_to_deserialize_any,
    ser::Impossible,
};
use std::fmt;

/// Whether the value is an option without a value.
pub(crate) fn is_none<T: Serialize + ?Sized>(value: &T) -> bool {
    value.serialize(IsNone).is_ok()
}

/// The option without a value, if the type is one.
pub(crate) fn none<T: DeserializeOwned>() -> Option<T> {
    T::deserialize(Absent).ok()
}

/// What is not NULL: if it is an option, it has a value, which may be JSON's `null`.
pub(crate) struct NotNull<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NotNull<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Present(deserializer)).map(Self)
    }
}

/// Gives an option without a value, and nothing else.
struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
        Err(de::Error::custom("NULL"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Gives what another gives, and to who asks for an option, one with a value.
struct Present<D>(D);

macro_rules! forward {
    ($($method:ident($($name:ident: $ty:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $ty,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Present<D> {
    type Error = D::Error;

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self.0)
    }

    forward! {
        deserialize_any() deserialize_bool()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str()
        deserialize_string() deserialize_bytes() deserialize_byte_buf() deserialize_unit()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_seq() deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier() deserialize_ignored_any()
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// Takes an option without a value, and nothing else.
struct IsNone;

/// Said of everything else.
#[derive(Debug)]
struct HasValue;

impl fmt::Display for HasValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it has a value")
    }
}

impl std::error::Error for HasValue {}

impl serde::ser::Error for HasValue {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! has_value {
    ($($method:ident($($ty:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $ty),*) -> Result<$ok, HasValue> {
            Err(HasValue)
        }
    )*};
}

type Nothing = Impossible<(), HasValue>;

impl Serializer for IsNone {
    type Ok = ();
    type Error = HasValue;
    type SerializeSeq = Nothing;
    type SerializeTuple = Nothing;
    type SerializeTupleStruct = Nothing;
    type SerializeTupleVariant = Nothing;
    type SerializeMap = Nothing;
    type SerializeStruct = Nothing;
    type SerializeStructVariant = Nothing;

    fn serialize_none(self) -> Result<(), HasValue> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), HasValue> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), HasValue> {
        Err(HasValue)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), HasValue> {
        Err(HasValue)
    }

    has_value! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_i128(i128) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_u128(u128) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Nothing;
        serialize_tuple(usize) -> Nothing;
        serialize_tuple_struct(&'static str, usize) -> Nothing;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Nothing;
        serialize_map(Option<usize>) -> Nothing;
        serialize_struct(&'static str, usize) -> Nothing;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Nothing;
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<(), HasValue> {
        Err(HasValue)
    }

    fn is_human_readable(&self) -> bool {
        // As JSON is.
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{NotNull, is_none, none};
    use serde::{Deserialize, Serialize, de::DeserializeOwned};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(Option<i32>);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    type Alias = Option<Vec<i32>>;

    #[test]
    fn none_is_what_serde_writes_as_an_absent_option() {
        assert!(is_none(&None::<i32>) && is_none(&Wrapped(None)));
        assert!(!is_none(&Some(1)) && !is_none(&Some(None::<i32>)));
        // JSON's `null`, and no option.
        assert!(!is_none(&()) && !is_none(&Unit));
        assert!(!is_none(&0) && !is_none("") && !is_none(&Vec::<i32>::new()));
    }

    #[test]
    fn none_is_read_by_options_only() {
        assert_eq!(none::<Alias>(), Some(None));
        assert_eq!(none::<Wrapped>(), Some(Wrapped(None)));
        assert_eq!(none::<Option<Option<i32>>>(), Some(None));
        assert_eq!(none::<()>(), None);
        assert_eq!(none::<String>(), None);
        assert_eq!(none::<Vec<i32>>(), None);
    }

    #[test]
    fn what_is_there_is_some() {
        fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
            rmp_serde::from_slice(bytes).ok().map(|NotNull(value)| value)
        }
        assert_eq!(read(&[0xc0]), Some(Some(())));
        assert_eq!(read(&[0xc0]), Some(Some(None::<i32>)));
        assert_eq!(read(&[7]), Some(Some(Some(7))));
        assert_eq!(read::<Alias>(&[0xc0]), None);
    }
}
