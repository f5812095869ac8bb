//! What of a document its type ignores.
//!
//! A type that asks for a value only to ignore it may have seen that its key is there. So
//! just what no field has is ignored: of structs, and of variants with fields, serde tells
//! the names. Of a map it does not, and all in there counts as read.

use crate::sql::json::NotNull;
use serde::{
    Deserialize as _, Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess,
        Visitor,
    },
};
use serde_json::{Map, Value};

type Names = &'static [&'static str];

/// Takes out of the document what `T` ignores in its text. What goes through serde's
/// buffer is read, all of it.
pub(super) fn leave_out<T: DeserializeOwned>(
    text: &str,
    document: &mut Value,
) -> serde_json::Result<()> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let place = Place::Value { at: Some(document), is_ignored: &mut false };
    NotNull::<T>::deserialize(Followed { inner: &mut reader, place, fields: None }).map(drop)
}

/// What is about to be read.
enum Place<'d> {
    /// An object's key or a variant's name, which is noted.
    Name(&'d mut String),
    /// A value: the same one in the document, if that is known, and whether it is read only
    /// to be ignored.
    Value { at: Option<&'d mut Value>, is_ignored: &'d mut bool },
}

/// A deserializer, a visitor or a seed, and where in the document it is.
struct Followed<'d, I> {
    inner: I,
    place: Place<'d>,
    /// Those of the struct that is about to be read.
    fields: Option<Names>,
}

impl<'d, I> Followed<'d, I> {
    fn new(inner: I, place: Place<'d>) -> Self {
        Self { inner, place, fields: None }
    }

    fn value(self) -> (I, Option<&'d mut Value>) {
        match self.place {
            Place::Value { at, .. } => (self.inner, at),
            Place::Name(_) => (self.inner, None),
        }
    }

    fn note(&mut self, name: &str) {
        if let Place::Name(noted) = &mut self.place {
            name.clone_into(noted);
        }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Followed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Followed::new(deserializer, self.place))
    }
}

macro_rules! read {
    ($($method:ident($($name:ident: $ty:ty),*) $(of $fields:ident)?;)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $ty,)* visitor: V) -> Result<V::Value, D::Error> {
            let fields = None$(.or(Some($fields)))?;
            self.inner.$method($($name,)* Followed { inner: visitor, place: self.place, fields })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Followed<'_, D> {
    type Error = D::Error;

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let mut place = self.place;
        if let Place::Value { is_ignored, .. } = &mut place {
            **is_ignored = true;
        }
        self.inner.deserialize_ignored_any(Followed::new(visitor, place))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    read! {
        deserialize_any(); deserialize_bool();
        deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64();
        deserialize_u8(); deserialize_u16(); deserialize_u32(); deserialize_u64();
        deserialize_i128(); deserialize_u128(); deserialize_f32(); deserialize_f64();
        deserialize_char(); deserialize_str(); deserialize_string();
        deserialize_bytes(); deserialize_byte_buf();
        deserialize_option(); deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq(); deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: Names) of fields;
        deserialize_enum(name: &'static str, variants: Names);
        deserialize_identifier();
    }
}

macro_rules! told {
    ($($method:ident($ty:ty) $(noted $text:expr)?;)*) => {$(
        fn $method<E: Error>(#[allow(unused_mut)] mut self, told: $ty) -> Result<V::Value, E> {
            $(self.note(&$text(&told));)?
            self.inner.$method(told)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Followed<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.expecting(f)
    }

    told! {
        visit_bool(bool) noted bool::to_string;
        visit_i8(i8) noted i8::to_string;
        visit_i16(i16) noted i16::to_string;
        visit_i32(i32) noted i32::to_string;
        visit_i64(i64) noted i64::to_string;
        visit_i128(i128) noted i128::to_string;
        visit_u8(u8) noted u8::to_string;
        visit_u16(u16) noted u16::to_string;
        visit_u32(u32) noted u32::to_string;
        visit_u64(u64) noted u64::to_string;
        visit_u128(u128) noted u128::to_string;
        visit_f32(f32);
        visit_f64(f64);
        visit_char(char) noted char::to_string;
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
        visit_string(String) noted String::to_owned;
    }

    fn visit_str<E: Error>(mut self, told: &str) -> Result<V::Value, E> {
        self.note(told);
        self.inner.visit_str(told)
    }

    fn visit_borrowed_str<E: Error>(mut self, told: &'de str) -> Result<V::Value, E> {
        self.note(told);
        self.inner.visit_borrowed_str(told)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Followed::new(value, self.place))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Followed::new(value, self.place))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let (visitor, at) = self.value();
        let mut items = at.and_then(Value::as_array_mut).into_iter().flatten();
        visitor.visit_seq(Items { access, items: &mut items })
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let fields = self.fields;
        let (visitor, at) = self.value();
        let object = at.and_then(Value::as_object_mut);
        visitor.visit_map(Members { access, object, fields, key: String::new() })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Followed::new(access, self.place))
    }
}

struct Items<'i, A, I> {
    access: A,
    items: &'i mut I,
}

impl<'de, 'd, A, I> SeqAccess<'de> for Items<'_, A, I>
where
    A: SeqAccess<'de>,
    I: Iterator<Item = &'d mut Value>,
{
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        // An array's places are not moved.
        let place = Place::Value { at: self.items.next(), is_ignored: &mut false };
        self.access.next_element_seed(Followed::new(seed, place))
    }

    fn size_hint(&self) -> Option<usize> {
        self.access.size_hint()
    }
}

struct Members<'d, A> {
    access: A,
    object: Option<&'d mut Map<String, Value>>,
    fields: Option<Names>,
    key: String,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.key.clear();
        self.access.next_key_seed(Followed::new(seed, Place::Name(&mut self.key)))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let mut is_ignored = false;
        let at = self.object.as_mut().and_then(|object| object.get_mut(&self.key));
        let place = Place::Value { at, is_ignored: &mut is_ignored };
        let value = self.access.next_value_seed(Followed::new(seed, place))?;
        let is_unknown = self.fields.is_some_and(|names| !names.contains(&self.key.as_str()));
        if let Some(object) = &mut self.object
            && is_ignored
            && is_unknown
        {
            object.remove(&self.key);
        }
        Ok(value)
    }

    fn size_hint(&self) -> Option<usize> {
        self.access.size_hint()
    }
}

impl<'de, 'd, A: EnumAccess<'de>> EnumAccess<'de> for Followed<'d, A> {
    type Error = A::Error;
    type Variant = Variant<'d, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let mut name = String::new();
        let (noted, at) = match self.place {
            Place::Name(noted) => (noted, None),
            Place::Value { at, .. } => (&mut name, at),
        };
        let seed = Followed::new(seed, Place::Name(noted));
        let (value, access) = self.inner.variant_seed(seed)?;
        let at = at.and_then(Value::as_object_mut).and_then(|object| object.get_mut(&name));
        Ok((value, Variant { access, at }))
    }
}

struct Variant<'d, A> {
    access: A,
    /// What the document has in the variant.
    at: Option<&'d mut Value>,
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Variant<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.access.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let place = Place::Value { at: self.at, is_ignored: &mut false };
        self.access.newtype_variant_seed(Followed::new(seed, place))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let place = Place::Value { at: self.at, is_ignored: &mut false };
        self.access.tuple_variant(len, Followed::new(visitor, place))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: Names,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let place = Place::Value { at: self.at, is_ignored: &mut false };
        let visitor = Followed { inner: visitor, place, fields: Some(fields) };
        self.access.struct_variant(fields, visitor)
    }
}
