use super::*;
use crate::entry::{Lost, write_row};
use proptest::prelude::*;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt::Debug,
    net::{IpAddr, SocketAddrV6},
};

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

fn body<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> (Form, Vec<u8>) {
    let mut body = Vec::new();
    let differing = |again: &T| (again != value).then_some("something");
    let (form, again) = write_row(value, &mut body, differing).expect("it comes back");
    assert!(again == *value);
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

/// serde keeps what is in such a type before it knows of which variant it is, and takes
/// what it has kept for a form that people read.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Address { ip: IpAddr },
    Nothing,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Socket(SocketAddrV6),
    Numbers { of: Vec<u64>, half: f64 },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flattened {
    #[serde(flatten)]
    rest: BTreeMap<String, Untagged>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Holder<T> {
    id: i64,
    value: T,
}

#[test]
fn types_in_types_that_are_kept_come_back_in_their_form_for_people() {
    let ip: IpAddr = "10.0.0.1".parse().expect("an address");
    let socket = || Untagged::Socket("[fe80::1%3]:80".parse().expect("an address"));
    holds(&Holder { id: 1, value: Tagged::Nothing }, Form::Compact);
    let readable = holds(&Holder { id: 1, value: Tagged::Address { ip } }, Form::Readable);
    assert!(readable.windows(8).any(|window| window == b"10.0.0.1"));
    holds(&Holder { id: 1, value: socket() }, Form::Readable);
    let numbers = Untagged::Numbers { of: vec![u64::MAX, 0], half: -0.0 };
    holds(&Holder { id: 1, value: numbers }, Form::Compact);
    let rest = BTreeMap::from([("a".to_owned(), socket())]);
    holds(&Holder { id: 1, value: Flattened { rest } }, Form::Readable);
}

/// The scope of an address is in its form for people alone.
#[test]
fn a_form_that_loses_something_is_not_taken() {
    let at: SocketAddrV6 = "[fe80::1%3]:80".parse().expect("an address");
    holds(&Holder { id: 1, value: at }, Form::Readable);
}

#[test]
fn why_a_row_does_not_come_back_is_told() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Masked(String);

    impl Serialize for Masked {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match &*self.0 {
                "unwritable" => Err(serde::ser::Error::custom("no")),
                "unreadable" => serializer.serialize_i8(1),
                _ => serializer.serialize_str("***"),
            }
        }
    }

    let lost = |text: &str| {
        let row = Holder { id: 1, value: Masked(text.to_owned()) };
        let differing = |again: &Holder<Masked>| (*again != row).then_some("value");
        write_row(&row, &mut Vec::new(), differing).expect_err("it does not come back")
    };
    assert_eq!(lost("unwritable"), Lost::Unwritable);
    assert_eq!(lost("unreadable"), Lost::Unreadable);
    assert_eq!(lost("secret"), Lost::Column("value"));
}
