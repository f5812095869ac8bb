//! How a row's fields lie in an entry.
//!
//! A struct's fields are written one after another, behind a hash of their names
//! (the compact form): reading names costs more than reading what they name, and
//! they take a fifth of a small row. The hash is held to the names that the reader
//! expects, in their order, so that no field is taken for another, whatever the
//! struct's `Serialize` and `Deserialize` do. What is not such a struct, or does not
//! come back from this form as it was, is written as MessagePack with names; and what
//! does not come back from that either, in the forms that types have for people: serde
//! takes what is in a tagged, untagged or flattened type for that, in whatever form it
//! was written, so that a UUID or an address in one does not come back otherwise.
//!
//! Inside a field there are names in any case: nobody knows what a reader expects
//! there.

mod nesting;

pub(crate) use self::nesting::is_shallow;

use rmp_serde::{decode, encode};
use serde::{
    Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, SeqAccess, Visitor},
    forward_to_deserialize_any,
    ser::{Impossible, SerializeStruct},
};
use std::{cell::Cell, ptr};

const HASH: usize = size_of::<u64>();

/// In which form a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// MessagePack with names.
    Named,
    /// A hash of the names, and the values.
    Compact,
    /// MessagePack with names, and every type in its form for people.
    Readable,
}

impl Form {
    /// In the order in which they are tried.
    pub(crate) const ALL: [Self; 3] = [Self::Compact, Self::Named, Self::Readable];
}

/// Appends the body; `None` if serde cannot write it, or not in this form.
pub(crate) fn write<T: Serialize>(value: &T, form: Form, entry: &mut Vec<u8>) -> Option<()> {
    let written = match form {
        Form::Compact => value.serialize(Compact(entry)),
        Form::Named => encode::write_named(entry, value),
        Form::Readable => {
            let writer = rmp_serde::Serializer::new(entry).with_struct_map();
            value.serialize(&mut writer.with_human_readable())
        }
    };
    written.ok()
}

/// Reads a body; `None` if it is not one of a `T`, or if it is nested too deep.
pub(crate) fn read<T: DeserializeOwned>(form: Form, body: &[u8]) -> Option<T> {
    match form {
        Form::Compact => T::deserialize(Body::open(body)?).ok(),
        _ if !is_shallow(body) => None,
        Form::Named => rmp_serde::from_slice(body).ok(),
        Form::Readable => {
            let mut reader = rmp_serde::Deserializer::from_read_ref(body).with_human_readable();
            T::deserialize(&mut reader).ok()
        }
    }
}

/// The values of a compact body, one after another in MessagePack, if its fields have
/// these names in this order.
pub(crate) fn values_of<'b>(body: &'b [u8], names: &[&str]) -> Option<&'b [u8]> {
    let body = Body::open(body)?;
    let names = names.iter().fold(0, |before, name| hash(before, name));
    (names == body.hash).then_some(body.values)
}

/// Folds one more name into the hash of those before it. It is done for every name
/// and read, and nobody chooses names to deceive it: so it is a simple one.
fn hash(before: u64, name: &str) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(before, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    // The length keeps neighbours apart.
    mix(mix(hash, u64::from_le_bytes(last)), name.len() as u64)
}

/// The hash of a struct's names. A thread remembers that of the struct before, since
/// the next is most often the same; names that are static stay where they are.
fn hash_of(names: &'static [&'static str]) -> u64 {
    thread_local! {
        static LAST: Cell<(&'static [&'static str], u64)> = const { Cell::new((&[], 0)) };
    }
    let (last, known) = LAST.get();
    if ptr::eq(last, names) {
        return known;
    }
    let hash = names.iter().fold(0, |before, name| hash(before, name));
    LAST.set((names, hash));
    hash
}

/// Writes a struct, and refuses everything else.
struct Compact<'e>(&'e mut Vec<u8>);

/// The fields of a struct, as they are written.
struct Fields<'e> {
    entry: &'e mut Vec<u8>,
    hash_at: usize,
    hash: u64,
}

impl SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = encode::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), encode::Error> {
        self.hash = hash(self.hash, name);
        value.serialize(&mut rmp_serde::Serializer::new(&mut *self.entry).with_struct_map())
    }

    fn skip_field(&mut self, _: &'static str) -> Result<(), encode::Error> {
        Err(not_compact())
    }

    fn end(self) -> Result<(), encode::Error> {
        self.entry[self.hash_at..][..HASH].copy_from_slice(&self.hash.to_le_bytes());
        Ok(())
    }
}

fn not_compact() -> encode::Error {
    serde::ser::Error::custom("not a struct with all of its fields")
}

macro_rules! refuse {
    ($($method:ident($($argument:ty),*);)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<(), encode::Error> {
            Err(not_compact())
        }
    )*};
}

macro_rules! refuse_compound {
    ($($method:ident($($argument:ty),*) -> $compound:ident;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<Self::$compound, encode::Error> {
            Err(not_compact())
        }
    )*};
}

impl<'e> Serializer for Compact<'e> {
    type Ok = ();
    type Error = encode::Error;
    type SerializeSeq = Impossible<(), encode::Error>;
    type SerializeTuple = Impossible<(), encode::Error>;
    type SerializeTupleStruct = Impossible<(), encode::Error>;
    type SerializeTupleVariant = Impossible<(), encode::Error>;
    type SerializeMap = Impossible<(), encode::Error>;
    type SerializeStruct = Fields<'e>;
    type SerializeStructVariant = Impossible<(), encode::Error>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'e>, encode::Error> {
        let hash_at = self.0.len();
        self.0.extend_from_slice(&[0; HASH]);
        Ok(Fields { entry: self.0, hash_at, hash: 0 })
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    refuse! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), encode::Error> {
        Err(not_compact())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<(), encode::Error> {
        Err(not_compact())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), encode::Error> {
        Err(not_compact())
    }

    refuse_compound! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }
}

/// Reads a struct, and refuses everything else.
struct Body<'b> {
    hash: u64,
    values: &'b [u8],
}

impl<'b> Body<'b> {
    fn open(body: &'b [u8]) -> Option<Self> {
        let (hash, values) = body.split_first_chunk::<HASH>()?;
        let hash = u64::from_le_bytes(*hash);
        is_shallow(values).then_some(Self { hash, values })
    }
}

impl<'de> Deserializer<'de> for Body<'de> {
    type Error = decode::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, decode::Error> {
        if hash_of(names) != self.hash {
            return Err(decode::Error::custom("other fields"));
        }
        let mut values = rmp_serde::Deserializer::from_read_ref(self.values);
        visitor.visit_seq(Values { values: &mut values, left: names.len() })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, decode::Error> {
        Err(decode::Error::custom("not a struct"))
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier
        ignored_any
    }
}

struct Values<'v, 'b> {
    values: &'v mut rmp_serde::Deserializer<decode::ReadRefReader<'b, [u8]>>,
    left: usize,
}

impl<'b> SeqAccess<'b> for Values<'_, 'b> {
    type Error = decode::Error;

    fn next_element_seed<S: DeserializeSeed<'b>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, decode::Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.values).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

#[cfg(test)]
mod tests;
