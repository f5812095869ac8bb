use super::*;
use proptest::prelude::*;
use serde::Deserialize;
use std::{collections::BTreeMap, fmt::Debug};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Nested {
    x: i64,
    y: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Sized(u32),
    Named { of: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    id: i64,
    name: String,
    nested: Option<Nested>,
    kind: Kind,
    tags: BTreeMap<String, Vec<u8>>,
    unit: (),
    half: f32,
}

fn body<T: Serialize + DeserializeOwned>(value: &T) -> (Form, Vec<u8>) {
    let mut body = Vec::new();
    let form = write(value, &mut body).expect("serde can write it");
    (form, body)
}

/// Written in the form, and read back as it was.
fn holds<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, form: Form) -> Vec<u8> {
    let (written, body) = body(value);
    assert_eq!(written, form);
    assert_eq!(read::<T>(form, &body).as_ref(), Some(value));
    body
}

fn row() -> impl Strategy<Value = Row> {
    let kind = prop_oneof![
        Just(Kind::Plain),
        any::<u32>().prop_map(Kind::Sized),
        ".*".prop_map(|of| Kind::Named { of }),
    ];
    let nested = proptest::option::of(any::<(i64, i64)>().prop_map(|(x, y)| Nested { x, y }));
    let tags = proptest::collection::btree_map(".{0,4}", any::<Vec<u8>>(), 0..4);
    (any::<i64>(), ".*", nested, kind, tags, -1e6f32..1e6).prop_map(
        |(id, name, nested, kind, tags, half)| Row { id, name, nested, kind, tags, unit: (), half },
    )
}

proptest! {
    #[test]
    fn a_struct_comes_back_from_the_compact_form(row in row()) {
        holds(&row, Form::Compact);
    }

    #[test]
    fn rubbish_is_no_row_and_no_panic(mut rubbish in any::<Vec<u8>>(), row in row(), cut in any::<proptest::sample::Index>()) {
        prop_assert_eq!(read::<Row>(Form::Compact, &rubbish), None);
        // With the right names before it.
        rubbish.splice(0..0, body(&row).1[..HASH].iter().copied());
        read::<Row>(Form::Compact, &rubbish);
        let whole = body(&row).1;
        prop_assert_eq!(read::<Row>(Form::Compact, &whole[..cut.index(whole.len())]), None);
    }
}

#[test]
fn names_are_left_out_but_not_inside_fields() {
    let nested = Some(Nested { x: 1, y: 2 });
    let tags = BTreeMap::new();
    let row =
        Row { id: 1, name: String::new(), nested, kind: Kind::Plain, tags, unit: (), half: 0.5 };
    let body = holds(&row, Form::Compact);
    let has = |name: &str| body.windows(name.len()).any(|window| window == name.as_bytes());
    assert!(!has("nested") && !has("tags"));
    assert!(has("x") && has("y") && has("Plain"));
}

#[test]
fn a_field_is_not_taken_for_another() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Before {
        width: i64,
        height: i64,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Reordered {
        height: i64,
        width: i64,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Renamed {
        widths: i64,
        height: i64,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Longer {
        width: i64,
        height: i64,
        #[serde(default)]
        depth: i64,
    }
    let body = holds(&Before { width: 1, height: 2 }, Form::Compact);
    assert_eq!(read::<Reordered>(Form::Compact, &body), None);
    assert_eq!(read::<Renamed>(Form::Compact, &body), None);
    assert_eq!(read::<Longer>(Form::Compact, &body), None);
    let parts = |names: &[&str]| names.iter().fold(0, |before, name| super::hash(before, name));
    assert_ne!(parts(&["ab", "c"]), parts(&["a", "bc"]));
}

/// Inside a field serde finds its way by names, so that a type that is changed
/// there is read right or not at all.
#[test]
fn a_changed_type_inside_a_field_is_read_by_its_names() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Turned {
        y: i64,
        x: i64,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder<T> {
        nested: T,
    }
    let body = holds(&Holder { nested: Nested { x: 1, y: 2 } }, Form::Compact);
    let turned = read::<Holder<Turned>>(Form::Compact, &body);
    assert_eq!(turned, Some(Holder { nested: Turned { x: 1, y: 2 } }));
}

#[test]
fn other_shapes_have_names() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Wrapped(BTreeMap<String, i64>);
    holds(&Wrapped(BTreeMap::from([("a".to_owned(), 1)])), Form::Named);
    holds(&(1i64, "x".to_owned()), Form::Named);
    holds(&"x".to_owned(), Form::Named);
    holds(&Kind::Named { of: "x".to_owned() }, Form::Named);
}

/// An alias is among the names that the reader expects, and not among those that are
/// written.
#[test]
fn a_struct_that_expects_other_names_than_it_writes_has_names() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Renamed {
        #[serde(alias = "old")]
        new: i64,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        maybe: Option<i64>,
    }
    let named = holds(&Renamed { new: 1, maybe: None }, Form::Named);
    assert!(named.len() < 8);
}

/// Its `Deserialize` gives the second field what was the first's.
#[derive(Debug, PartialEq)]
struct Crossed {
    a: i64,
    b: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Crossed")]
struct InOrder {
    a: i64,
    b: i64,
}

impl Serialize for Crossed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        InOrder { a: self.a, b: self.b }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Crossed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Crossed;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a Crossed")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Crossed, A::Error> {
                let b = seq.next_element()?.unwrap_or_default();
                Ok(Crossed { a: seq.next_element()?.unwrap_or_default(), b })
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Crossed, A::Error> {
                let fields = serde::de::value::MapAccessDeserializer::new(map);
                InOrder::deserialize(fields).map(|InOrder { a, b }| Crossed { a, b })
            }
        }
        deserializer.deserialize_struct("Crossed", &["a", "b"], Fields)
    }
}

#[test]
fn a_struct_that_reads_positions_wrongly_has_names() {
    holds(&Crossed { a: 1, b: 2 }, Form::Named);
}
