mod order;
mod presence;
mod properties;

use super::comes_back;
use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Whether the document comes back from what is read of it.
fn kept<T: Serialize + DeserializeOwned>(document: &str) -> bool {
    comes_back(document, &serde_json::from_str::<T>(document).unwrap())
}

#[derive(Serialize, Deserialize)]
struct Secret {
    name: String,
    #[serde(skip_serializing, default)]
    #[expect(dead_code, reason = "it is there to be lost")]
    token: String,
}

#[derive(Serialize, Deserialize)]
struct Masked {
    #[serde(serialize_with = "mask")]
    token: String,
}

fn mask<S: Serializer>(_: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str("***")
}

#[derive(Serialize, Deserialize)]
struct Plain {
    name: String,
    #[serde(default)]
    level: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize, Deserialize)]
enum Variant {
    Fields { name: String },
    Plain(Plain),
    Nested(Box<Variant>),
    Pair(Plain, Plain),
    Unit,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Plain(Plain),
    Secret(Secret),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(f64),
    Plain(Plain),
}

#[derive(Serialize, Deserialize)]
struct Outer {
    #[serde(flatten)]
    secret: Secret,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn what_is_read_and_not_written_is_missed() {
    assert!(!kept::<Secret>(r#"{"name":"a","token":"t"}"#));
    assert!(kept::<Secret>(r#"{"name":"a"}"#));
    assert!(!kept::<Masked>(r#"{"token":"t"}"#));
    assert!(kept::<Masked>(r#"{"token":"***"}"#));
    assert!(!kept::<Vec<Secret>>(r#"[{"name":"a"},{"name":"b","token":"t"}]"#));
    assert!(!kept::<HashMap<String, Masked>>(r#"{"k":{"token":"t"}}"#));
    assert!(!kept::<Option<(u8, Secret)>>(r#"[1,{"name":"a","token":"t"}]"#));
    assert!(!kept::<Tagged>(r#"{"kind":"Secret","name":"a","token":"t"}"#));
    assert!(!kept::<Outer>(r#"{"name":"a","token":"t","more":1}"#));
}

#[test]
fn what_is_ignored_added_or_null_is_not() {
    assert!(kept::<Plain>(r#"{"name":"a","zz":1,"more":{"a":[1]},"level":0,"note":null}"#));
    assert!(kept::<Plain>(r#"{"name":"a"}"#));
    assert!(kept::<HashMap<i32, Vec<Plain>>>(r#"{"-3":[{"name":"a","zz":1}]}"#));
    assert!(kept::<Option<Plain>>(r#"{"name":"a","zz":1}"#));
    assert!(kept::<Option<Plain>>("null"));
    assert!(kept::<()>("null"));
}

#[test]
fn what_variants_ignore_is_found() {
    assert!(kept::<Variant>(r#"{"Fields":{"name":"a","zz":1}}"#));
    assert!(kept::<Variant>(r#"{"Plain":{"name":"a","zz":1}}"#));
    assert!(kept::<Variant>(r#"{"Nested":{"Fields":{"name":"a","zz":1}}}"#));
    assert!(kept::<Variant>(r#"{"Pair":[{"name":"a","zz":1},{"name":"b","zz":{}}]}"#));
    assert!(kept::<Vec<Variant>>(r#"["Unit",{"Fields":{"name":"a","zz":1}}]"#));
    assert!(kept::<Variant>(r#"{"Fields":{"name":"a","Fields":1}}"#));
}

#[test]
fn what_serde_buffers_counts_as_read() {
    assert!(kept::<Tagged>(r#"{"kind":"Plain","name":"a"}"#));
    assert!(kept::<Untagged>(r#"{"level":1,"name":"a"}"#));
    assert!(kept::<Untagged>("1e2"));
    assert!(kept::<Outer>(r#"{"more":{"n":1.0},"name":"a"}"#));
    assert!(!kept::<Tagged>(r#"{"kind":"Plain","name":"a","zz":1}"#));
    assert!(!kept::<Untagged>(r#"{"name":"a","zz":1}"#));
}

#[test]
fn numbers_are_compared_by_value() {
    assert!(kept::<f64>("1e2") && kept::<f64>("100") && kept::<f64>("100.0"));
    assert!(kept::<f64>("9007199254740993") && kept::<f64>("0.1"));
    assert!(kept::<f32>("0.1") && kept::<f32>("1.0e-7") && kept::<f32>("16777216"));
    assert!(kept::<u64>("18446744073709551615") && kept::<i64>("-9223372036854775808"));
    assert!(kept::<i128>("123456789012345678901234567890") && kept::<i128>("-7"));
    assert!(kept::<Value>(r#"{"a":1e2,"b":-0.0,"c":[null,1.50]}"#));
    assert!(!comes_back("1", &2) && !comes_back("9007199254740993", &9_007_199_254_740_992_u64));
    assert!(
        !comes_back("-0.0", &0.0)
            && !comes_back("0.1", &0.2_f32)
            && !comes_back("1", &"1".to_owned())
    );
    // It is read as the nearest, and so it would be from the cache.
    assert!(!kept::<f32>("0.12345678901"));
}

#[test]
fn a_float_that_serde_reads_as_a_neighbour_is_the_same() {
    // Parsed fast, and not always to the last bit.
    for seed in 1..20_000_u64 {
        let float = f64::from_bits(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if float.is_finite() {
            assert!(kept::<f64>(&format!("[{float}]")[1..].replace(']', " ")), "{float}");
        }
    }
}

#[test]
fn a_null_is_missed_unless_it_is_skipped() {
    #[derive(Serialize, Deserialize)]
    struct Limits {
        #[serde(skip_serializing, default = "five")]
        #[expect(dead_code, reason = "it is there to be lost")]
        hidden: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        shown: Option<u8>,
    }
    fn five() -> Option<u8> {
        Some(5)
    }
    assert!(kept::<Limits>(r#"{"shown":null}"#) && kept::<Limits>(r#"{"shown":1}"#));
    assert!(!kept::<Limits>(r#"{"hidden":null}"#));
    assert!(kept::<Vec<HashMap<u8, Limits>>>(r#"[{"1":{"shown":null}}]"#));
    assert!(kept::<Variant>(r#"{"Plain":{"name":"a","note":null}}"#));
    assert!(kept::<Tagged>(r#"{"kind":"Plain","name":"a","note":null}"#));
    assert!(kept::<Untagged>(r#"{"note":null,"name":"a"}"#));
}
