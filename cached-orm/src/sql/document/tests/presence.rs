//! Keys of which only the presence counts.

use super::kept;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, MapAccess},
};
use std::collections::HashMap;

/// What says that a key is there, whatever is under it.
fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

#[derive(Serialize, Deserialize)]
struct Admin {
    name: String,
    #[serde(default, skip_serializing, deserialize_with = "is_there")]
    #[expect(dead_code, reason = "it is there to be lost")]
    admin: bool,
}

#[derive(Serialize, Deserialize)]
enum Role {
    Named {
        name: String,
        #[serde(default, skip_serializing, deserialize_with = "is_there", alias = "chief")]
        admin: bool,
    },
    Of(Admin),
    Both(u8, Admin),
}

/// Written by hand: as a map it does not say what it knows.
#[derive(Serialize)]
struct Keys {
    name: String,
    #[serde(skip)]
    has_more: bool,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Keys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Keys { name: String::new(), has_more: false };
                while let Some(key) = map.next_key::<String>()? {
                    if key == "name" {
                        keys.name = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                        keys.has_more = true;
                    }
                }
                Ok(keys)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// How many keys it does not know.
#[derive(Serialize)]
struct Counted {
    others: u8,
}

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Counted;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("anything")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counted, A::Error> {
                let mut others = 0;
                while map.next_entry::<String, IgnoredAny>()?.is_some() {
                    others += 1;
                }
                Ok(Counted { others })
            }
        }
        deserializer.deserialize_struct("Counted", &["others"], Visitor)
    }
}

#[test]
fn a_key_that_is_only_looked_for_is_read() {
    for value in ["{}", "true", "null", "[1]"] {
        let admin = format!(r#"{{"name":"a","admin":{value}}}"#);
        assert!(!kept::<Admin>(&admin), "{value}");
        assert!(!kept::<Option<Vec<Admin>>>(&format!("[{admin}]")), "{value}");
        assert!(!kept::<HashMap<i8, Admin>>(&format!(r#"{{"-3":{admin}}}"#)), "{value}");
        assert!(!kept::<Role>(&format!(r#"{{"Named":{admin}}}"#)), "{value}");
        assert!(!kept::<Role>(&format!(r#"{{"Of":{admin}}}"#)), "{value}");
        assert!(!kept::<Role>(&format!(r#"{{"Both":[1,{admin}]}}"#)), "{value}");
        assert!(
            !kept::<Role>(&format!(r#"{{"Named":{{"name":"a","chief":{value}}}}}"#)),
            "{value}"
        );
        assert!(!kept::<Keys>(&admin), "{value}");
    }
    assert!(kept::<Admin>(r#"{"zz":{},"name":"a"}"#) && kept::<Keys>(r#"{ "name":"a"}"#));
    assert!(kept::<Role>(r#"{"Named":{"name":"a","zz":1}}"#));
    assert!(kept::<Role>(r#"{"Both":[1,{"name":"a","zz":1}]}"#));
}

#[test]
fn what_makes_a_difference_is_not_ignored() {
    assert!(!kept::<Counted>(r#"{"others":1,"zz":1}"#));
    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Strict(Strict),
        Rest {
            name: String,
        },
        Any {
            #[serde(default, skip_serializing)]
            any: Option<bool>,
        },
    }
    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        name: String,
        #[serde(default, skip_serializing, deserialize_with = "is_there")]
        #[expect(dead_code, reason = "it is there to be lost")]
        admin: bool,
    }
    assert!(kept::<Either>(r#"{ "name":"a"}"#) && kept::<Strict>(r#"{ "name":"a"}"#));
    // Which of them it is, a key decides that is not written.
    assert!(!kept::<Either>(r#"{"name":"a","zz":1}"#));
    assert!(!kept::<Either>(r#"{"name":"a","admin":1}"#));
    assert!(!kept::<Either>(r#"{"any":true}"#) && !kept::<Either>(r#"{"any":null}"#));
    assert!(!kept::<Strict>(r#"{"name":"a","admin":{}}"#));
    #[derive(Serialize, Deserialize)]
    struct Flat {
        n: u8,
        #[serde(flatten)]
        admin: Admin,
    }
    assert!(kept::<Flat>(r#"{"name":"a","n":1}"#));
    assert!(!kept::<Flat>(r#"{"name":"a","n":1,"admin":null}"#));
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        Admin(Admin),
    }
    assert!(kept::<Adjacent>(r#"{"t":"Admin","zz":1,"c":{"name":"a","zz":1}}"#));
    assert!(!kept::<Adjacent>(r#"{"t":"Admin","c":{"name":"a","admin":1}}"#));
    assert!(!kept::<Adjacent>(r#"{"c":{"name":"a","admin":1},"t":"Admin"}"#));
}
