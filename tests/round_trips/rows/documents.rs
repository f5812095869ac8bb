//! Types of JSON columns that do not write all that they read, and some that seem so.

use super::row;
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What clients are not to see is left out for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) theme: String,
    #[serde(skip_serializing, default)]
    pub(crate) token: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Masked {
    #[serde(serialize_with = "mask")]
    pub(crate) token: String,
}

fn mask<S: Serializer>(_: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str("***")
}

/// Sorted for clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ranked {
    #[serde(serialize_with = "sorted")]
    pub(crate) places: Vec<u32>,
}

fn sorted<S: Serializer>(places: &[u32], to: S) -> Result<S::Ok, S::Error> {
    let mut places = places.to_vec();
    places.sort_unstable();
    places.serialize(to)
}

/// Sorted beside what has no order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tagged {
    pub(crate) tags: HashSet<u32>,
    #[serde(serialize_with = "sorted")]
    pub(crate) places: Vec<u32>,
}

/// Not sorted beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tour {
    pub(crate) tags: HashSet<u32>,
    pub(crate) places: Vec<u32>,
    pub(crate) days: HashMap<String, u32>,
}

/// Of a key only whether it is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) name: String,
    #[serde(default, skip_serializing, deserialize_with = "is_there")]
    pub(crate) admin: bool,
    #[serde(default = "two", skip_serializing)]
    pub(crate) seats: Option<u32>,
}

fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

#[allow(clippy::unnecessary_wraps, reason = "serde asks for the field's type")]
fn two() -> Option<u32> {
    Some(2)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Profile {
    #[serde(alias = "nick")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) level: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Step {
    Begun,
    Moved { x: i32 },
    Of(Profile),
    Secret(Settings),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub(crate) enum Login {
    Guest,
    User(Profile),
    Secret(Settings),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Either {
    Number(f64),
    Secret {
        theme: String,
        #[serde(skip_serializing)]
        token: String,
    },
    Profile(Profile),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extended {
    #[serde(flatten)]
    pub(crate) settings: Settings,
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, Value>,
}

row!(WithSettings in "with_settings": #[orm(json)] Settings, "JSONB", "JSON", "TEXT");
row!(WithMasked in "with_masked": #[orm(json)] Masked, "JSON", "JSON", "TEXT");
row!(WithRanked in "with_ranked": #[orm(json)] Ranked, "JSONB", "JSON", "TEXT");
row!(WithTagged in "with_tagged": #[orm(json)] Tagged, "JSONB", "JSON", "TEXT");
row!(WithTour in "with_tour": #[orm(json)] Tour, "JSONB", "JSON", "TEXT");
row!(WithMember in "with_member": #[orm(json)] Member, "JSONB", "JSON", "TEXT");
row!(WithSome in "with_some": #[orm(json)] Option<Settings>, "JSONB", "JSON", "TEXT");
row!(WithMany in "with_many": #[orm(json)] Vec<BTreeMap<String, Settings>>, "JSONB", "JSON", "TEXT");
row!(WithProfile in "with_profile": #[orm(json)] Profile, "JSONB", "JSON", "TEXT");
row!(WithSteps in "with_steps": #[orm(json)] Vec<Step>, "JSONB", "JSON", "TEXT");
row!(WithLogin in "with_login": #[orm(json)] Login, "JSONB", "JSON", "TEXT");
row!(WithEither in "with_either": #[orm(json)] Either, "JSONB", "JSON", "TEXT");
row!(WithExtended in "with_extended": #[orm(json)] Extended, "JSONB", "JSON", "TEXT");
row!(WithMap in "with_map": #[orm(json)] HashMap<i32, Profile>, "JSONB", "JSON", "TEXT");
row!(WithSet in "with_set": #[orm(json)] HashSet<u32>, "JSONB", "JSON", "TEXT");
row!(WithValue in "with_value": #[orm(json)] Value, "JSONB", "JSON", "TEXT");

/// Found by a name that no other has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "named_settings")]
pub(crate) struct NamedSettings {
    #[primary_key]
    pub(crate) id: i64,
    #[orm(unique)]
    pub(crate) name: String,
    #[orm(json)]
    pub(crate) value: Settings,
}

pub(crate) const NAMED_SETTINGS: crate::tables::Table = crate::tables::Table::everywhere(
    "CREATE TABLE named_settings (id BIGINT PRIMARY KEY, name VARCHAR(99) NOT NULL UNIQUE, value JSON NOT NULL)",
);
